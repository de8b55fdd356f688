package queue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

func TestHold_ByHand(t *testing.T) {
	t.Parallel()
	hour := queuetest.Epoch().Add(time.Hour)
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet})
	held := limiter.Target{Account: alice, Recipient: "+44 7700 900001"}
	require.NoError(t, h.Queue.Hold(t.Context(), held, hour, "asked us to wait"))
	h.Enqueue(alice, bob, "1")
	h.Enqueue(alice, bob, "2")
	h.Enqueue(alice, carol, "passes")
	require.Equal(t, hour, step(t, h))
	require.Equal(t, []string{"passes"}, texts(h.Sender.Sent()))

	require.NoError(t, h.Queue.Hold(t.Context(), held, hour.Add(-time.Minute), "shorter"))
	require.NoError(t, h.Queue.Hold(t.Context(), held, time.Time{}, "longer"))
	h.Clock.Set(hour)
	require.Equal(t, hour.Add(time.Minute), step(t, h), "only ever made longer")
	require.Len(t, h.Sender.Sent(), 1)
	ok, err := h.Queue.Release(t.Context(), limiter.Target{Account: alice})
	require.NoError(t, err)
	require.False(t, ok, "lifted only by name")
	step(t, h)
	require.Len(t, h.Sender.Sent(), 1)
	ok, err = h.Queue.Release(t.Context(), held)
	require.NoError(t, err)
	require.True(t, ok)
	require.Zero(t, step(t, h), "seen at once")
	require.Equal(t, []string{"passes", "1", "2"}, texts(h.Sender.Sent()))
}

func TestHold_Everything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s queuetest.Sender
		q := newQueue(t, policy.Unlimited(), &s, queue.Options{Typing: quiet})
		stop := run(q)
		require.NoError(t, q.Hold(t.Context(), limiter.Target{}, time.Time{}, "maintenance"))
		for range 5 {
			enqueue(t, q, hi(alice))
			enqueue(t, q, hi(carol))
		}
		time.Sleep(time.Hour + 13*time.Second)
		require.Empty(t, s.Sent())
		ok, err := q.Release(t.Context(), limiter.Target{})
		require.NoError(t, err)
		require.True(t, ok)
		synctest.Wait()
		require.Len(t, s.Sent(), 10, "seen at once")
		require.NoError(t, stop())
	})
}

func TestHold_BadInput(t *testing.T) {
	t.Parallel()
	h := queuetest.New(t, policy.Unlimited())
	later := queuetest.Epoch().Add(time.Hour)
	for _, err := range []error{
		h.Queue.Hold(t.Context(), limiter.Target{Account: alice}, later, ""),
		h.Queue.Hold(t.Context(), limiter.Target{Account: alice}, queuetest.Epoch(), "why"),
		h.Queue.Hold(t.Context(), limiter.Target{Recipient: bob, Campaign: "x"}, later, "why"),
	} {
		var bad *limiter.HoldError
		require.ErrorAs(t, err, &bad)
	}
	require.ErrorIs(t, h.Queue.Hold(t.Context(), limiter.Target{Recipient: "bob"}, later, "why"), queue.ErrAddress)
	_, err := h.Queue.Release(t.Context(), limiter.Target{Recipient: "bob"})
	require.ErrorIs(t, err, queue.ErrAddress)
	h.Enqueue(alice, bob, "nothing is held")
	h.Drain(time.Minute)
}

// The one who carries out the check of a held recipient does not hold up others.
func TestHold_RecipientToVerify(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, policy.Unlimited(), &queue.Options{Typing: quiet})
	v.Answer(bob, queuetest.Verification{})
	h.Enqueue(alice, bob, "held")
	require.NoError(t, h.Queue.Hold(t.Context(), limiter.Target{Recipient: bob}, queuetest.Epoch().Add(time.Hour), "why"))
	h.Enqueue(alice, carol, "goes")
	step(t, h)
	require.Equal(t, []string{"goes"}, texts(h.Sender.Sent()))
	h.Drain(2 * time.Hour)
	require.Len(t, h.Sender.Sent(), 2)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	var d diary
	h := queuetest.NewOptions(t, sevenSeconds(), &queue.Options{OnEvent: d.write, Typing: &queue.Typing{Start: 3 * time.Second, Max: time.Hour}})
	cancel := func(id string, want queue.Cancellation) {
		t.Helper()
		got, err := h.Queue.Cancel(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	first, behind, typed, last := h.Enqueue(alice, bob, "1"), h.Enqueue(alice, bob, "behind"), h.Enqueue(alice, carol, "typed"), h.Enqueue(alice, bob, "last")
	m := hi(alice)
	m.NotBefore = queuetest.Epoch().Add(24 * time.Hour)
	m.To = number(1)
	delayed := enqueue(t, h.Queue, m)
	step(t, h)
	cancel(behind, queue.WasCancelled)
	cancel(behind, queue.WasFinal)
	cancel(delayed, queue.WasCancelled)
	h.Clock.Advance(3 * time.Second)
	step(t, h)
	cancel(first, queue.WasFinal)
	h.Clock.Advance(7 * time.Second)
	step(t, h) // typing is shown for carol
	require.Len(t, h.Sender.Typed(), 2)
	cancel(typed, queue.WasCancelled)
	h.Drain(time.Minute)
	require.Equal(t, []string{"1", "last"}, texts(h.Sender.Sent()))
	require.Equal(t, queue.Sent, get(t, h.Queue, last).Status)
	require.Equal(t, []queue.Status{queue.Queued, queue.Cancelled}, d.way(typed))
	require.Equal(t, queue.ByHand, get(t, h.Queue, typed).Code)
	_, err := h.Queue.Cancel(t.Context(), "nobody")
	require.ErrorIs(t, err, queue.ErrUnknownMessage)
	require.Zero(t, h.Queue.Lanes())
	d.check(t)
}

func TestCancel_OnTheWire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &queuetest.Sender{}
		s.Otherwise(queuetest.Answer{Took: time.Minute})
		q := newQueue(t, policy.Unlimited(), s, queue.Options{Typing: quiet})
		id := enqueue(t, q, hi(alice))
		stop := run(q)
		synctest.Wait()
		got, err := q.Cancel(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, queue.WasTooLate, got)
		time.Sleep(time.Hour)
		require.Equal(t, queue.Sent, get(t, q, id).Status)
		require.NoError(t, stop())
	})
}

// One that carries out a check is cancelled, and those that wait for the check go on.
func TestCancel_WhileVerified(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s queuetest.Sender
		q := newQueue(t, policy.Unlimited(), verifier{s.Send, slowly}, queue.Options{Typing: quiet})
		first, second := enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))
		stop := run(q)
		time.Sleep(time.Second)
		got, err := q.Cancel(t.Context(), first)
		require.NoError(t, err)
		require.Equal(t, queue.WasCancelled, got)
		got, err = q.Cancel(t.Context(), first)
		require.NoError(t, err)
		require.Equal(t, queue.WasFinal, got)
		time.Sleep(time.Hour)
		require.Equal(t, queue.Cancelled, get(t, q, first).Status)
		require.Equal(t, queue.Sent, get(t, q, second).Status)
		require.Len(t, s.Sent(), 1)
		require.Zero(t, q.Lanes())
		require.NoError(t, stop())
	})
}

// A store that fails does not let a cancelled message go.
func TestCancel_StoreFails(t *testing.T) {
	t.Parallel()
	s := shake(t, 10, map[string][]fault{"Finish": {failsBefore, failsAfter}})
	id := s.Enqueue(alice, bob, "1")
	got, err := s.Queue.Cancel(t.Context(), id)
	require.ErrorIs(t, err, errStore)
	require.Equal(t, queue.WasCancelled, got)
	s.Drain(time.Minute)
	require.Empty(t, s.Sender.Sent())
	require.Equal(t, queue.Cancelled, get(t, s.Queue, id).Status)
	require.Zero(t, s.Queue.Lanes())
}
