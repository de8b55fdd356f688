package queue_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

func gatesOf(t *testing.T, q *queue.Queue, id string) []queue.Gate {
	t.Helper()
	all, err := q.Gates(t.Context(), id)
	require.NoError(t, err)
	return all
}

func kinds(all []queue.Gate) (kinds []queue.GateKind) {
	for _, g := range all {
		kinds = append(kinds, g.Kind)
	}
	return kinds
}

func TestGates_Unknown(t *testing.T) {
	t.Parallel()
	q := newQueue(t, policy.Strict(), always, queue.Options{})
	_, err := q.Gates(t.Context(), "nothing")
	require.ErrorIs(t, err, queue.ErrUnknownMessage)
	_, err = q.ETA(t.Context(), "nothing")
	require.ErrorIs(t, err, queue.ErrUnknownMessage)
}

// Everything that holds a message is named at once, what frees last first, and no
// number is shown.
func TestGates_All(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Strict(), &queue.Options{Typing: quiet})
	now := h.Clock.Now()
	first := h.Enqueue(alice, bob, "hi")
	require.Empty(t, gatesOf(t, h.Queue, first))
	step(t, h)
	require.Empty(t, gatesOf(t, h.Queue, first), "it is done with")

	for range 2 {
		enqueue(t, h.Queue, queue.Message{Account: alice, To: carol, Text: "hi", Campaign: "spring"})
	}
	id := enqueue(t, h.Queue, queue.Message{Account: alice, To: bob, Text: "hi", Campaign: "spring", NotBefore: now.Add(time.Hour)})
	hold := func(target limiter.Target, until time.Time, reason string) {
		require.NoError(t, h.Queue.Hold(t.Context(), target, until, reason))
	}
	hold(limiter.Target{}, now.Add(2*time.Hour), "maintenance")
	hold(limiter.Target{Account: alice}, time.Time{}, "restricted, says 447700900000")
	hold(limiter.Target{Account: alice, Campaign: "spring"}, now.Add(time.Minute), "a pause")
	hold(limiter.Target{Recipient: bob}, now.Add(3*time.Minute), "asked to wait")
	require.Equal(t, []queue.Gate{
		{Kind: queue.GateHold, Target: limiter.Target{Account: alice}, Text: "4477******00: held until it is released (restricted, says 4477******00)"},
		{Kind: queue.GateAhead, Ahead: 2, Text: "2 messages of its account go first"},
		{Kind: queue.GateHold, Until: now.Add(2 * time.Hour), Text: "everything: held until 2026-01-05 10:00:00 UTC (maintenance)"},
		{Kind: queue.GateNotBefore, Until: now.Add(time.Hour), Text: "it is not to go before 2026-01-05 09:00:00 UTC"},
		{Kind: queue.GateHold, Target: limiter.Target{Recipient: bob}, Until: now.Add(3 * time.Minute), Text: "4477******01: held until 2026-01-05 08:03:00 UTC (asked to wait)"},
		{
			Kind: queue.GateHold, Target: limiter.Target{Account: alice, Campaign: "spring"}, Until: now.Add(time.Minute),
			Text: "4477******00 spring: held until 2026-01-05 08:01:00 UTC (a pause)",
		},
		{Kind: queue.GateRule, Rule: "gap", Until: now.Add(time.Minute), Text: `rule "gap" (0 of 1 left) opens at 2026-01-05 08:01:00 UTC`},
	}, gatesOf(t, h.Queue, id))
	e, err := h.Queue.ETA(t.Context(), id)
	require.NoError(t, err)
	require.True(t, e.Never(), "it is held without an end")

	for _, target := range []limiter.Target{{}, {Account: alice}, {Account: alice, Campaign: "spring"}, {Recipient: bob}} {
		held, err := h.Queue.Release(t.Context(), target)
		require.NoError(t, err)
		require.True(t, held)
	}
	require.Equal(t, []queue.GateKind{queue.GateAhead, queue.GateNotBefore, queue.GateRule}, kinds(gatesOf(t, h.Queue, id)))
}

func TestGates_Typing(t *testing.T) {
	t.Parallel()
	h := queuetest.New(t, policy.Unlimited())
	id, next := h.Enqueue(alice, bob, "hi"), h.Enqueue(alice, carol, "hi")
	until := step(t, h)
	all := gatesOf(t, h.Queue, id)
	require.Equal(t, []queue.GateKind{queue.GateTyping}, kinds(all))
	require.Equal(t, until, all[0].Until)
	all = gatesOf(t, h.Queue, next)
	require.Equal(t, []queue.GateKind{queue.GateAhead}, kinds(all))
	require.Equal(t, "1 message of its account goes first", all[0].Text)
	e, err := h.Queue.ETA(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, queue.Estimate{At: until, Low: until, High: until}, e)
}

func TestGates_RetryAndDoubt(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet})
	h.Sender.Script(
		queuetest.Answer{Err: queue.Retry(errors.New("447700900001 is busy"), time.Minute)},
		queuetest.Answer{Err: context.DeadlineExceeded},
	)
	id := h.Enqueue(alice, bob, "hi")
	again := step(t, h)
	require.Equal(t, []queue.Gate{{
		Kind: queue.GateRetry, Until: again,
		Text: "attempt 1 was refused (4477******01 is busy): it is tried again at 2026-01-05 08:01:00 UTC",
	}}, gatesOf(t, h.Queue, id))
	e, err := h.Queue.ETA(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, queue.Estimate{At: again, Low: again, High: again}, e)

	h.Clock.Set(again)
	step(t, h)
	require.Equal(t, queue.InDoubt, get(t, h.Queue, id).Status)
	require.Equal(t, []queue.GateKind{queue.GateInDoubt}, kinds(gatesOf(t, h.Queue, id)))
	e, err = h.Queue.ETA(t.Context(), id)
	require.NoError(t, err)
	require.True(t, e.Never())
	_, err = h.Queue.Resolve(t.Context(), id, queue.WentOut)
	require.NoError(t, err)
	require.Empty(t, gatesOf(t, h.Queue, id))
	e, err = h.Queue.ETA(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, again, e.At)
}

func TestGates_Checks(t *testing.T) {
	t.Parallel()
	p := checksOnly(policy.SlidingWindow{Max: 1, Window: time.Hour})
	h, v := queuetest.NewVerifier(t, p, &queue.Options{Typing: quiet})
	v.Answer(bob, queuetest.Verification{Err: errors.New("no session")})
	first, second := h.Enqueue(alice, bob, "hi"), h.Enqueue(alice, carol, "hi")
	all := gatesOf(t, h.Queue, second)
	require.Equal(t, []queue.GateKind{queue.GateAhead, queue.GateCheck}, kinds(all))
	require.Equal(t, "4477******99 is to be verified", all[1].Text)
	now := h.Clock.Now()
	step(t, h)
	all = gatesOf(t, h.Queue, first)
	require.Equal(t, []queue.GateKind{queue.GateCheck}, kinds(all))
	require.Equal(t, now.Add(5*time.Second), all[0].Until)
	require.Equal(t, "4477******01 could not be verified (1 times): it is tried again at 2026-01-05 08:00:05 UTC", all[0].Text)
	all = gatesOf(t, h.Queue, second)
	require.Equal(t, []queue.GateKind{queue.GateCheck}, kinds(all))
	require.Equal(t, now.Add(time.Hour), all[0].Until)
	require.NotEmpty(t, all[0].Rule)
}

// An online is a sender whose account is connected or not.
type online struct {
	queue.Sender
	up   *bool
	news chan string
}

func (o online) Connected(string) bool { return *o.up }

func (o online) Reconnected() <-chan string { return o.news }

func TestGates_Offline(t *testing.T) {
	t.Parallel()
	clock, up := &queuetest.Clock{}, false
	s := online{always, &up, make(chan string, 1)}
	q := newQueue(t, policy.Unlimited(), s, queue.Options{Clock: clock})
	first, second := enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))
	_, err := q.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, []queue.GateKind{queue.GateOffline}, kinds(gatesOf(t, q, first)))
	require.Equal(t, []queue.GateKind{queue.GateOffline, queue.GateAhead}, kinds(gatesOf(t, q, second)))
	e, err := q.ETA(t.Context(), second)
	require.NoError(t, err)
	require.True(t, e.At.After(clock.Now()))
	require.Zero(t, e.High, "nobody knows when it is connected")
	up = true
	s.news <- alice
	next, err := q.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, queue.Sent, get(t, q, first).Status)
	all := gatesOf(t, q, second)
	require.Equal(t, []queue.GateKind{queue.GateRamp}, kinds(all))
	require.Equal(t, next, all[0].Until)
	e, err = q.ETA(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, next, e.At)
}

// Never says so.
func TestGates_NeverAllowed(t *testing.T) {
	t.Parallel()
	q := newQueue(t, rules(policy.SlidingWindow{Max: 0, Window: time.Hour}), always, queue.Options{})
	id := enqueue(t, q, hi(alice))
	all := gatesOf(t, q, id)
	require.Equal(t, []queue.GateKind{queue.GateRule}, kinds(all))
	require.Equal(t, `rule "a" never allows it`, all[0].Text)
	e, err := q.ETA(t.Context(), id)
	require.NoError(t, err)
	require.True(t, e.Never())
}

func TestGates_Stopped(t *testing.T) {
	t.Parallel()
	q := newQueue(t, policy.Unlimited(), always, queue.Options{})
	id := enqueue(t, q, hi(alice))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, q.Run(ctx))
	require.Equal(t, []queue.GateKind{queue.GateStopped}, kinds(gatesOf(t, q, id)))
	_, err := q.ETA(ctx, id)
	require.ErrorIs(t, err, context.Canceled)
}

// A message that could go waits for a worker where all are busy, and says so; once one
// has its job done, the message is gone.
func TestGates_Workers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		sender := queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
			<-release
			return queue.Receipt{}, nil
		})
		q := newQueue(t, policy.Unlimited(), sender, queue.Options{Clock: limiter.RealClock(), Workers: 2, Width: 1})
		waits := enqueue(t, q, hi("447700900009"))
		require.NotContains(t, kinds(gatesOf(t, q, waits)), queue.GateWorkers, "nobody works yet")
		stop := run(q)
		synctest.Wait()
		require.Empty(t, gatesOf(t, q, waits), "it is on the wire")

		enqueue(t, q, hi(alice))
		synctest.Wait()
		last := enqueue(t, q, hi(bob))
		synctest.Wait()
		gates := gatesOf(t, q, last)
		require.Equal(t, []queue.GateKind{queue.GateWorkers}, kinds(gates))
		require.Equal(t, "all 2 workers are busy", gates[0].Text)
		require.True(t, gates[0].Until.IsZero())

		release <- struct{}{} // one of the two is done and takes the last one
		synctest.Wait()
		require.Equal(t, queue.Sending, get(t, q, last).Status)
		late := enqueue(t, q, hi(carol))
		require.Equal(t, []queue.GateKind{queue.GateWorkers}, kinds(gatesOf(t, q, late)))
		close(release)
		synctest.Wait()
		require.Equal(t, queue.Sent, get(t, q, late).Status)
		soon := enqueue(t, q, queue.Message{Account: alice, To: bob, Text: "hi", NotBefore: time.Now().Add(time.Hour)})
		require.Equal(t, []queue.GateKind{queue.GateNotBefore}, kinds(gatesOf(t, q, soon)), "somebody rests")
		require.NoError(t, stop())
		require.Equal(t, []queue.GateKind{queue.GateStopped, queue.GateNotBefore}, kinds(gatesOf(t, q, soon)))
	})
}
