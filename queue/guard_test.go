package queue_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// What NewWireID answers is looked at as what the caller gives is.
func TestEnqueue_BadWireIDs(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{"too long": strings.Repeat("x", limiter.MaxKey+1), "NUL": "a\x00b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, policy.Unlimited(), always, queue.Options{NewWireID: func(queue.Message) string { return id }})
			_, err := q.Enqueue(t.Context(), hi(alice))
			var bad *queue.MessageError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, "wire id", bad.Field)
			require.Zero(t, q.Undone())
		})
	}
}

// A ramp of the longest pauses saturates.
func TestRamp_LongestPause(t *testing.T) {
	t.Parallel()
	for _, ramp := range []queue.Ramp{
		{From: 1, Over: time.Hour, Gap: policy.MaxDuration},
		{From: 1, Over: policy.MaxDuration, Gap: time.Hour},
		{From: 1, Over: 1<<63 - 1, Gap: 1<<63 - 1},
	} {
		t.Run(fmt.Sprint(ramp.Over), func(t *testing.T) {
			t.Parallel()
			h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet, Ramp: &ramp})
			h.Sender.Script(queuetest.Answer{Err: queue.Offline(nil)})
			h.Enqueue(alice, bob, "1")
			h.Enqueue(alice, bob, "2")
			h.Clock.Set(step(t, h))
			next := step(t, h)
			require.Len(t, h.Sender.Sent(), 2)
			require.GreaterOrEqual(t, next.Sub(h.Clock.Now()), min(ramp.Gap, policy.MaxDuration))
		})
	}
}

// A breaking store calls at before and after it does what it is asked.
type breaking struct {
	queue.Store
	at func(method string, done bool)
}

func (s breaking) Add(ctx context.Context, r *queue.Record, since time.Time) (string, error) {
	s.at("Add", false)
	defer s.at("Add", true)
	return s.Store.Add(ctx, r, since)
}

func (s breaking) Change(ctx context.Context, r *queue.Record, p *queue.Pace) error {
	s.at(changes(r), false)
	defer s.at(changes(r), true)
	return s.Store.Change(ctx, r, p)
}

func (s breaking) Keep(ctx context.Context, p *queue.Pace) error {
	s.at("Keep", false)
	defer s.at("Keep", true)
	return s.Store.Keep(ctx, p)
}

func (s breaking) Get(ctx context.Context, id string) (queue.Record, error) {
	s.at("Get", false)
	defer s.at("Get", true)
	return s.Store.Get(ctx, id)
}

// A store that breaks off whoever calls it keeps no message back and sends none twice.
func TestStore_BreaksOff(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Get", "Begin", "Finish", "Requeue", "Keep"} {
		for _, after := range []bool{false, true} {
			for how, breaks := range map[string]func(){"panic": func() { panic("no disk for " + bob) }, "goexit": runtime.Goexit} {
				t.Run(fmt.Sprint(method, " ", how, " ", after), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						var d diary
						var book logbook
						var armed atomic.Bool
						store := breaking{queue.NewMemory(100), func(m string, done bool) {
							if m == method && done == after && armed.CompareAndSwap(true, false) {
								breaks()
							}
						}}
						var s verifying
						q := newQueue(t, rules(policy.Gap{Min: time.Second, Max: time.Second}, policy.Concurrency{Max: 1}), &s,
							queue.Options{OnEvent: d.write, Logger: book.logger(), Workers: 1, Store: store, Backoff: &queue.Backoff{}})
						var ids []string
						for _, account := range []string{alice, alice, carol} {
							ids = append(ids, enqueue(t, q, hi(account)))
						}
						armed.Store(true)
						stop := run(q)
						time.Sleep(time.Hour)
						require.False(t, armed.Load())
						require.NoError(t, stop())
						for _, id := range ids {
							require.Equal(t, queue.Sent, get(t, q, id).Status, "%v\n%s", d.way(id), &book)
							require.LessOrEqual(t, s.wire[id], 2, "once, and once more because it was refused")
						}
						require.Zero(t, q.Lanes())
						require.Zero(t, q.Undone())
						require.NotContains(t, book.String(), bob)
						d.check(t)
					})
				})
			}
		}
	}
}

// A verifying sender verifies, types, and refuses each message once.
type verifying struct {
	mu   sync.Mutex
	wire map[string]int
}

func (s *verifying) Send(_ context.Context, m queue.Message) (queue.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wire == nil {
		s.wire = map[string]int{}
	}
	if s.wire[m.ID]++; s.wire[m.ID] == 1 {
		return queue.Receipt{}, queue.Retry(errNo, 0)
	}
	return queue.Receipt{}, nil
}

func (*verifying) Typing(context.Context, queue.Message, time.Duration) error { return nil }

func (*verifying) Verify(context.Context, string, string) (queue.Verification, error) {
	return queue.Verification{Registered: true}, nil
}

// The queue goes on whatever its logger does.
func TestLogger_Panics(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]slog.Handler{"Enabled": brokenHandler{enabled: true}, "Handle": brokenHandler{}, "none": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &slog.Logger{}
			if h != nil {
				l = slog.New(h)
			}
			clock := &queuetest.Clock{}
			s := &queuetest.Sender{Clock: clock}
			s.Script(queuetest.Answer{Panic: "no session"}, queuetest.Answer{Err: queue.Hold(errNo, limiter.Target{Recipient: carol}, time.Time{})})
			q := newQueue(t, policy.Unlimited(), s, queue.Options{Clock: clock, Logger: l, OnEvent: func(queue.Event) { panic("no listener") }})
			ids := []string{enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))}
			for range 10 {
				next, err := q.Step(t.Context())
				require.NoError(t, err)
				clock.Set(next)
			}
			require.Equal(t, queue.InDoubt, get(t, q, ids[0]).Status)
			require.Equal(t, queue.Sent, get(t, q, ids[1]).Status)
		})
	}
}

type brokenHandler struct{ enabled bool }

func (h brokenHandler) Enabled(context.Context, slog.Level) bool {
	if h.enabled {
		panic("no logger")
	}
	return true
}

func (brokenHandler) Handle(context.Context, slog.Record) error { panic("no logger") }

func (h brokenHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h brokenHandler) WithGroup(string) slog.Handler { return h }

// A logger that ends the goroutine of whoever logs keeps no message back.
func TestLogger_Goexit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		l := slog.New(slog.NewTextHandler(writer(func(p []byte) (int, error) {
			if n++; n%2 == 0 {
				runtime.Goexit()
			}
			return len(p), nil
		}), &slog.HandlerOptions{Level: slog.LevelWarn}))
		dice := rand.New(rand.NewPCG(1, 1))
		var mu sync.Mutex
		store := flaky{queue.NewMemory(100), func(string) fault {
			mu.Lock()
			defer mu.Unlock()
			return []fault{works, failsBefore, failsAfter}[dice.IntN(3)]
		}}
		var s verifying
		q := newQueue(t, policy.Unlimited(), &s, queue.Options{Logger: l, Store: queue.NewMemory(10), Workers: 2, Backoff: &queue.Backoff{}})
		q.SetStore(store)
		var ids []string
		for len(ids) < 50 {
			id, err := "", error(nil)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				id, err = q.Enqueue(t.Context(), hi(number(len(ids)%5)))
			}()
			<-ended
			if err == nil && id != "" {
				ids = append(ids, id)
			}
		}
		stop := run(q)
		time.Sleep(24 * time.Hour)
		_ = stop()
		q.SetStore(store.Store)
		for _, id := range ids {
			require.Equal(t, queue.Sent, get(t, q, id).Status)
			require.Equal(t, 2, s.wire[id])
		}
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// What a store says when it panics may hold a number.
func TestStore_PanicsWithANumber(t *testing.T) {
	t.Parallel()
	q := newQueue(t, policy.Unlimited(), always, queue.Options{Store: hasty{queue.NewMemory(1)}})
	_, err := q.Enqueue(t.Context(), hi(alice))
	require.ErrorContains(t, err, "the store panicked: no row of 4477")
	require.NotContains(t, err.Error(), alice)
}

// A hasty store panics at what it does not know.
type hasty struct{ queue.Store }

func (hasty) Add(_ context.Context, r *queue.Record, _ time.Time) (string, error) {
	panic("no row of " + r.Account)
}
