package queue_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A check that does not return and that nobody waits for any more is not carried out
// again.
func TestCheck_NobodyWaitsForIt(t *testing.T) {
	t.Parallel()
	hanging := func() queue.Sender {
		var hung atomic.Bool
		return struct {
			queue.SenderFunc
			asks
		}{always, func(ctx context.Context, to string) (queue.Verification, error) {
			if to == bob && hung.CompareAndSwap(false, true) {
				time.Sleep(10 * time.Minute)
				return queue.Verification{}, ctx.Err()
			}
			return queue.Verification{Registered: true}, nil
		}}
	}
	p := policy.Policy{Rules: []policy.Rule{{
		Name: "hour", Actions: []policy.Action{policy.SendMessage}, Limit: policy.SlidingWindow{Max: 1, Window: time.Hour},
	}}}
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(t, policy.Unlimited(), hanging(), queue.Options{SendTimeout: time.Minute})
			stop := run(q)
			id := enqueue(t, q, hi(alice))
			synctest.Wait()
			c, err := q.Cancel(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, queue.WasCancelled, c)

			time.Sleep(30 * time.Minute)
			require.Equal(t, queue.Cancelled, get(t, q, id).Status)
			time.Sleep(30 * time.Minute)
			require.NoError(t, stop())
		})
	})
	t.Run("behind one that may not go", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(t, p, hanging(), queue.Options{SendTimeout: time.Minute})
			stop := run(q)
			id := enqueue(t, q, hi(alice))
			synctest.Wait()
			for range 3 {
				enqueue(t, q, queue.Message{Account: alice, To: carol, Text: "hi", Priority: 1})
			}
			time.Sleep(10 * time.Hour)
			require.Equal(t, queue.Sent, get(t, q, id).Status)
			require.Zero(t, q.Lanes())
			require.NoError(t, stop())
		})
	})
}

// An urgent message whose recipient somebody else has verified does not wait for what
// keeps those that are not urgent back.
func TestCheck_OfAnUrgentMessageIsMadeForAnother(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "checks", Actions: []policy.Action{policy.CheckNumber}, Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}},
		{Name: "day", Actions: []policy.Action{policy.SendMessage}, Limit: policy.CalendarWindow{Max: 2, Unit: policy.Day}},
	}}
	h, _ := queuetest.NewVerifier(t, p, &queue.Options{Typing: quiet, KeepForUrgent: 1})
	start := h.Clock.Now()
	h.Enqueue(alice, bob, "1")
	h.Enqueue(alice, bob, "2")
	step(t, h)
	urgent := enqueue(t, h.Queue, queue.Message{Account: alice, To: carol, Text: "code", Priority: 1})
	step(t, h)
	require.Len(t, h.Sender.Sent(), 1, "the only check was made for bob")
	h.Enqueue(stranger, carol, "hi")
	h.Clock.Advance(time.Minute)
	step(t, h)
	require.Len(t, h.Sender.Sent(), 2, "carol is known")
	for range 3 {
		h.Clock.Set(step(t, h))
	}
	require.Equal(t, queue.Sent, get(t, h.Queue, urgent).Status)
	require.Equal(t, start.Add(time.Hour), get(t, h.Queue, urgent).At)
}

// Nor does its check wait for what keeps the checks of those that are not urgent back.
func TestCheck_OfAnUrgentMessageIsMadeAtOnce(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "checks", Actions: []policy.Action{policy.CheckNumber}, Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}},
		{Name: "day", Actions: []policy.Action{policy.SendMessage}, Limit: policy.CalendarWindow{Max: 3, Unit: policy.Day}},
	}}
	for _, later := range []time.Duration{0, time.Minute} {
		h, _ := queuetest.NewVerifier(t, p, &queue.Options{Typing: quiet, KeepForUrgent: 1})
		for n := range 4 {
			h.Enqueue(alice, number(n), "hi")
		}
		for range 5 {
			step(t, h)
			h.Clock.Advance(time.Minute)
		}
		require.Len(t, h.Sender.Sent(), 2, "one of three is kept")
		at := h.Clock.Now().Add(later)
		id := enqueue(t, h.Queue, queue.Message{Account: alice, To: carol, Text: "code", Priority: 1, NotBefore: at})
		eta, err := h.Queue.ETA(t.Context(), id)
		require.NoError(t, err)
		require.WithinDuration(t, at, eta.At, 5*time.Second)
		h.Clock.Set(at)
		step(t, h)
		require.Equal(t, queue.Sent, get(t, h.Queue, id).Status)
	}
}

// A check that may not be made again for a day holds up no other one.
func TestCheck_OfOneThatWaitsForABudgetOfItsOwn(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{{
		Name: "once", Actions: []policy.Action{policy.CheckNumber}, Scope: policy.ScopeRecipient, Limit: policy.SlidingWindow{Max: 1, Window: 24 * time.Hour},
	}}}
	h, v := queuetest.NewVerifier(t, p, &queue.Options{Typing: quiet})
	v.Answer(bob, queuetest.Verification{Err: errNo})
	h.Enqueue(alice, bob, "hi")
	again := step(t, h)
	at := again.Add(time.Second)
	other := enqueue(t, h.Queue, queue.Message{Account: alice, To: carol, Text: "hi", NotBefore: at})
	eta, err := h.Queue.ETA(t.Context(), other)
	require.NoError(t, err)
	require.WithinDuration(t, at, eta.At, 5*time.Second)
	for _, now := range []time.Time{again, at} {
		h.Clock.Set(now)
		step(t, h)
	}
	require.Len(t, v.Checks(), 2, "bob's has to wait for a day")
	require.Equal(t, queue.Sent, get(t, h.Queue, other).Status)
}
