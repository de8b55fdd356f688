package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

var errNo = errors.New("recipient not found")

func TestOutcome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer queuetest.Answer
		status queue.Status
		code   queue.Code
		text   string
	}{
		{"nil", queuetest.Answer{}, queue.Sent, "", ""},
		{"plain error", queuetest.Answer{Err: errNo}, queue.Failed, queue.SendFailed, "recipient not found"},
		{"deadline", queuetest.Answer{Err: context.DeadlineExceeded}, queue.InDoubt, queue.SendUnknown, "context deadline exceeded"},
		{"deadline inside", queuetest.Answer{Err: fmt.Errorf("send: %w", context.DeadlineExceeded)}, queue.InDoubt, queue.SendUnknown, "send: context deadline exceeded"},
		{"deadline of a file", queuetest.Answer{Err: os.ErrDeadlineExceeded}, queue.InDoubt, queue.SendUnknown, "i/o timeout"},
		{"cancelled", queuetest.Answer{Err: context.Canceled}, queue.InDoubt, queue.SendUnknown, "context canceled"},
		{"net.Error", queuetest.Answer{Err: &net.DNSError{Err: "no such host", Name: "x"}}, queue.InDoubt, queue.SendUnknown, "lookup x: no such host"},
		{"net.OpError", queuetest.Answer{Err: &net.OpError{Op: "read", Err: errNo}}, queue.InDoubt, queue.SendUnknown, "read: recipient not found"},
		{"url.Error", queuetest.Answer{Err: &url.Error{Op: "Post", URL: "/", Err: io.EOF}}, queue.InDoubt, queue.SendUnknown, `Post "/": EOF`},
		{"EOF", queuetest.Answer{Err: io.EOF}, queue.InDoubt, queue.SendUnknown, "EOF"},
		{"unexpected EOF", queuetest.Answer{Err: fmt.Errorf("read: %w", io.ErrUnexpectedEOF)}, queue.InDoubt, queue.SendUnknown, "read: unexpected EOF"},
		{"closed", queuetest.Answer{Err: net.ErrClosed}, queue.InDoubt, queue.SendUnknown, "use of closed network connection"},
		{"closed pipe", queuetest.Answer{Err: io.ErrClosedPipe}, queue.InDoubt, queue.SendUnknown, "io: read/write on closed pipe"},
		{"reset", queuetest.Answer{Err: os.NewSyscallError("read", syscall.ECONNRESET)}, queue.InDoubt, queue.SendUnknown, "read: connection reset by peer"},
		{"broken pipe", queuetest.Answer{Err: syscall.EPIPE}, queue.InDoubt, queue.SendUnknown, "broken pipe"},
		{"one of several", queuetest.Answer{Err: errors.Join(errNo, io.EOF)}, queue.InDoubt, queue.SendUnknown, "recipient not found\nEOF"},
		{"panic", queuetest.Answer{Panic: "no session"}, queue.InDoubt, queue.SendUnknown, "the sender panicked: no session"},
		{"panic with an error", queuetest.Answer{Panic: errNo}, queue.InDoubt, queue.SendUnknown, "the sender panicked: recipient not found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var d diary
			p := rules(policy.Gap{Min: 10 * time.Second, Max: 10 * time.Second}, policy.CalendarWindow{Max: 2, Unit: policy.Day}, policy.Concurrency{Max: 1})
			h := queuetest.NewOptions(t, p, &queue.Options{Typing: quiet, OnEvent: d.write})
			tt.answer.Took = time.Second
			h.Sender.Script(tt.answer)
			h.Sender.Otherwise(queuetest.Answer{Took: time.Second})
			var ids []string
			for range 3 {
				ids = append(ids, h.Enqueue(alice, bob, "hi"))
			}
			h.Drain(24 * time.Hour)
			h.Audit()

			r := get(t, h.Queue, ids[0])
			require.Equal(t, tt.status, r.Status)
			require.Equal(t, tt.code, r.Code)
			require.Equal(t, tt.text, r.Err)
			require.Equal(t, queuetest.Epoch(), r.At)
			require.Equal(t, queuetest.Epoch().Add(time.Second), r.Done)
			require.Equal(t, []queue.Status{queue.Queued, queue.Sending, tt.status}, d.way(ids[0]))
			require.Equal(t, r, d.ended()[0], "events and Get agree")

			var at []time.Time
			for _, c := range h.Sender.Log() {
				at = append(at, c.At)
			}
			require.Equal(t, "[0 11 57600]", seconds(queuetest.Epoch(), at), "the lane goes on, and what was spent stays spent")
			require.Equal(t, queue.Sent, get(t, h.Queue, ids[2]).Status)
			d.check(t)
		})
	}
}

func TestOutcome_PanicIsLogged(t *testing.T) {
	t.Parallel()
	var book logbook
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet, Logger: book.logger()})
	h.Sender.Script(queuetest.Answer{Panic: "no session for " + alice})
	id := h.Enqueue(alice, bob, "hi")
	h.Drain(0)
	require.Contains(t, book.String(), "the sender panicked")
	require.Contains(t, book.String(), "no session for 4477******00")
	require.Contains(t, book.String(), "sender.go", "its stack")
	require.Contains(t, book.String(), id)
	require.NotContains(t, book.String(), alice)
	require.NotContains(t, book.String(), bob)
}

func TestOutcome_Never(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		limit policy.Limit
	}{
		{"concurrency", policy.Concurrency{}},
		{"token bucket", policy.TokenBucket{Per: time.Second}},
		{"sliding window", policy.SlidingWindow{Window: time.Second}},
		{"calendar window", policy.CalendarWindow{Unit: policy.Day}},
	}
	for _, tt := range tests {
		for _, typing := range []*queue.Typing{quiet, nil} {
			t.Run(fmt.Sprint(tt.name, typing == nil), func(t *testing.T) {
				t.Parallel()
				var d diary
				p := policy.Policy{Rules: []policy.Rule{
					{Name: "shut", Limit: tt.limit},
					{Name: "day", Limit: policy.CalendarWindow{Max: 1, Unit: policy.Day}},
				}}
				h := queuetest.NewOptions(t, p, &queue.Options{Typing: typing, OnEvent: d.write})
				ids := []string{h.Enqueue(alice, bob, "hi"), h.Enqueue(alice, bob, "hi")}
				h.Drain(0)
				require.Empty(t, h.Sender.Sent())
				require.Empty(t, h.Sender.Typed())
				for _, id := range ids {
					r := get(t, h.Queue, id)
					require.Equal(t, queue.Failed, r.Status)
					require.Equal(t, queue.NeverAllowed, r.Code)
					require.Contains(t, r.Err, `refused by rule "shut"`)
					require.Zero(t, r.At)
					require.Equal(t, []queue.Status{queue.Queued, queue.Failed}, d.way(id))
				}
				d.check(t)
				require.Zero(t, h.Queue.Lanes())
			})
		}
	}
}

// exitsOnce is a sender that ends its goroutine at its first message, as a failing
// test does.
func exitsOnce() queue.SenderFunc {
	exits := true
	return func(context.Context, queue.Message) (queue.Receipt, error) {
		if exits {
			exits = false
			runtime.Goexit()
		}
		return queue.Receipt{}, nil
	}
}

func TestOutcome_GoexitInStep(t *testing.T) {
	t.Parallel()
	q := newQueue(t, rules(policy.Concurrency{Max: 1}), exitsOnce(), queue.Options{})
	first, second := enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = q.Step(context.Background())
		t.Error("Step returned")
	}()
	<-done
	next, err := q.Step(t.Context())
	require.NoError(t, err)
	require.Zero(t, next)
	require.Equal(t, queue.InDoubt, get(t, q, first).Status)
	require.Equal(t, queue.Sent, get(t, q, second).Status)
}

func TestOutcome_GoexitInRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, rules(policy.Concurrency{Max: 1}), exitsOnce(), queue.Options{Workers: 1})
		first, second := enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))
		stop := run(q)
		synctest.Wait()
		require.Equal(t, queue.InDoubt, get(t, q, first).Status)
		require.Equal(t, "the sender did not return", get(t, q, first).Err)
		require.Equal(t, queue.Sent, get(t, q, second).Status)
		require.NoError(t, stop())
	})
}

// OnEvent is the user's code, too.
func TestOutcome_EventThatFails(t *testing.T) {
	t.Parallel()
	for _, at := range []queue.Status{queue.Queued, queue.Sending, queue.Sent} {
		t.Run("panic at "+string(at), func(t *testing.T) {
			t.Parallel()
			var book logbook
			h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Logger: book.logger(), OnEvent: func(e queue.Event) {
				if e.Record.Status == at {
					panic("no listener for " + e.Record.To)
				}
			}})
			id := h.Enqueue(alice, bob, "hi")
			h.Drain(time.Minute)
			require.Equal(t, queue.Sent, get(t, h.Queue, id).Status)
			require.Contains(t, book.String(), "OnEvent panicked")
			require.NotContains(t, book.String(), bob)
		})
		t.Run("Goexit at "+string(at), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				exits := true
				var sent atomic.Int64
				send := queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
					sent.Add(1)
					return queue.Receipt{}, nil
				})
				q := newQueue(t, rules(policy.Concurrency{Max: 1}), send, queue.Options{OnEvent: func(e queue.Event) {
					if exits && e.Record.Status == at {
						exits = false
						runtime.Goexit()
					}
				}})
				stop := run(q)
				start := time.Now()
				var first string
				took := time.Duration(-1) // it has not returned
				go func() {
					defer func() { took = time.Since(start) }()
					r, err := q.Send(context.Background(), hi(alice))
					if err != nil {
						t.Error(err)
					}
					first = r.ID
				}()
				synctest.Wait()
				second, err := q.Send(t.Context(), hi(alice))
				require.NoError(t, err)
				require.Equal(t, queue.Sent, second.Status)
				synctest.Wait()
				require.Zero(t, q.Lanes())
				require.Zero(t, took)
				switch at {
				case queue.Queued: // it ended its own caller
					require.EqualValues(t, 2, sent.Load())
				case queue.Sending: // it was recorded, and nobody knows more
					require.EqualValues(t, 1, sent.Load())
					require.Equal(t, queue.InDoubt, get(t, q, first).Status)
				case queue.Sent:
					require.EqualValues(t, 2, sent.Load())
					require.Equal(t, queue.Sent, get(t, q, first).Status)
				}
				require.NoError(t, stop())
			})
		})
	}
}
