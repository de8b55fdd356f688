package queuetest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

var (
	_ queue.Typist = (*queuetest.Sender)(nil)

	errNo = errors.New("recipient not found")
)

func message(id string) queue.Message {
	return queue.Message{ID: id, Account: "a", To: "447700900001", Text: "hi"}
}

func TestSender_Script(t *testing.T) {
	t.Parallel()
	clock := &queuetest.Clock{}
	s := &queuetest.Sender{Clock: clock}
	s.Script(queuetest.Answer{Took: time.Second}, queuetest.Answer{Err: errNo}, queuetest.Answer{Panic: "x", Took: time.Minute})
	s.Otherwise(queuetest.Answer{Err: context.DeadlineExceeded})

	receipt, err := s.Send(t.Context(), message("1"))
	require.NoError(t, err)
	require.Equal(t, queue.Receipt{ID: "wire-1"}, receipt)
	_, err = s.Send(t.Context(), message("2"))
	require.ErrorIs(t, err, errNo)
	require.PanicsWithValue(t, "x", func() { _, _ = s.Send(t.Context(), message("3")) })
	for _, id := range []string{"4", "5"} {
		_, err = s.Send(t.Context(), message(id))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	s.Script(queuetest.Answer{})
	_, err = s.Send(t.Context(), message("6"))
	require.NoError(t, err, "a new script counts before the rest")

	at := func(s int) time.Time { return queuetest.Epoch().Add(time.Duration(s) * time.Second) }
	call := func(from, to int) queuetest.Call {
		return queuetest.Call{Account: "a", Action: policy.SendMessage, Recipient: "447700900001", At: at(from), Done: at(to)}
	}
	second := call(1, 1)
	second.Refused = true
	require.Equal(t, []queuetest.Call{call(0, 1), second, call(1, 61), call(61, 61), call(61, 61), call(61, 61)}, s.Log())
	var ids []string
	for _, m := range s.Sent() {
		ids = append(ids, m.ID)
	}
	require.Equal(t, []string{"1", "2", "3", "4", "5", "6"}, ids)
}

// The log says of each call what the queue will make of its answer, so that an
// audit counts what the limiter counted.
func TestSender_LogsOutcomes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name            string
		err             error
		unsent, refused bool
	}{
		{"sent", nil, false, false},
		{"unsent", queue.ErrUnsent, true, false},
		{"unsent, and why", fmt.Errorf("no session: %w: %w", queue.ErrUnsent, io.EOF), true, false},
		{"refused", errNo, false, true},
		{"in doubt: end of file", io.EOF, false, false},
		{"in doubt: deadline", fmt.Errorf("send: %w", context.DeadlineExceeded), false, false},
		{"in doubt: network", &net.OpError{Op: "read", Err: errNo}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			people := only(policy.UniqueRecipients{Max: 1, Window: time.Hour})
			h := queuetest.NewOptions(t, people, &queue.Options{Typing: &queue.Typing{}})
			h.Sender.Script(queuetest.Answer{Err: tt.err})
			h.Enqueue("a", "447700900001", "hi")
			h.Enqueue("a", "447700900002", "hi")
			h.Drain(time.Hour)
			h.Audit()
			first, second := h.Sender.Log()[0], h.Sender.Log()[1]
			require.Equal(t, []bool{tt.unsent, tt.refused}, []bool{first.Unsent, first.Refused})
			gaveBack := tt.unsent || tt.refused
			require.Equal(t, gaveBack, second.At.Equal(first.At), "the second recipient waits where the first counts")
		})
	}
}

// What a sender is given and gives out is not what it keeps.
func TestSender_Copies(t *testing.T) {
	t.Parallel()
	var s queuetest.Sender
	script := []queuetest.Answer{{Err: errNo}}
	s.Script(script...)
	script[0].Err = nil
	_, err := s.Send(t.Context(), message("1"))
	require.ErrorIs(t, err, errNo)
	require.NoError(t, s.Typing(t.Context(), message("1"), time.Second))
	s.Sent()[0].ID, s.Typed()[0].ID, s.Log()[0].Account = "x", "x", "x"
	require.Equal(t, "1", s.Sent()[0].ID)
	require.Equal(t, "1", s.Typed()[0].ID)
	require.Equal(t, "a", s.Log()[0].Account)
}

// Without a clock of its own it waits on the real one, which is the bubble's.
func TestSender_RealClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var s queuetest.Sender
		s.Otherwise(queuetest.Answer{Took: time.Minute})
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if _, err := s.Send(t.Context(), message("1")); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Second)
		for _, c := range s.Log() {
			require.Zero(t, c.Done, "it is in flight")
		}
		all.Wait()
		for _, c := range s.Log() {
			require.Equal(t, start, c.At)
			require.Equal(t, start.Add(time.Minute), c.Done)
		}

		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		start = time.Now()
		_, err := s.Send(ctx, message("2"))
		require.ErrorIs(t, err, why)
		require.Equal(t, time.Second, s.Log()[3].Done.Sub(start))
	})
}
