package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A crashed queue is left as it is: the next one takes up what its store has.
type crashing struct {
	queue.Store
	crashed *bool
}

func (c crashing) Change(ctx context.Context, r *queue.Record, p *queue.Pace) error {
	if *c.crashed {
		return errStore
	}
	return c.Store.Change(ctx, r, p)
}

func TestRestart(t *testing.T) {
	t.Parallel()
	p := rules(policy.Gap{Min: 7 * time.Second, Max: 7 * time.Second, Every: 2}, policy.CalendarWindow{Max: 6, Unit: policy.Day}, policy.UniqueRecipients{Max: 3, Window: time.Hour})
	clock := &queuetest.Clock{}
	store, crashed := queue.NewMemory(100), false
	open := func(s queue.Sender, d *diary, store queue.Store) *queue.Queue {
		return newQueue(t, p, s, queue.Options{Clock: clock, Store: store, Typing: quiet, OnEvent: d.write})
	}
	var wire []queue.Message
	var before, after diary
	dies := queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
		wire = append(wire, m)
		crashed = m.Text == "3"
		return queue.Receipt{}, nil
	})
	q := open(dies, &before, crashing{store, &crashed})
	var ids []string
	for i, text := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		ids = append(ids, enqueue(t, q, queue.Message{Account: alice, To: number(i % 2), Text: text}))
	}
	require.NoError(t, q.Hold(t.Context(), limiter.Target{Campaign: "spring"}, clock.Now().Add(48*time.Hour), "too many complaints"))
	require.NoError(t, q.Hold(t.Context(), limiter.Target{Account: alice, Recipient: carol}, time.Time{}, "asked us to stop"))
	for len(wire) < 3 {
		next, err := q.Step(t.Context())
		require.NoError(t, err)
		if len(wire) < 3 {
			clock.Set(next)
		}
	}
	clock.Advance(time.Hour) // and the machine is back
	restart := clock.Now()

	s := &queuetest.Sender{Clock: clock}
	q = open(s, &after, store)
	third, err := q.Get(t.Context(), ids[2])
	require.NoError(t, err)
	require.Equal(t, queue.InDoubt, third.Status, "never queued")
	require.Equal(t, restart, third.Done)
	require.Equal(t, []queue.Status{queue.InDoubt}, after.way(ids[2]))
	enqueue(t, q, queue.Message{Account: alice, To: carol, Text: "held"})
	enqueue(t, q, queue.Message{Account: alice, To: number(0), Text: "held", Campaign: "spring"})
	next := restart
	for next.Before(restart.Add(10 * time.Hour)) {
		clock.Set(next)
		next, err = q.Step(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, []string{"4", "5", "6"}, texts(s.Sent()), "in order, and the day has six")
	var at []time.Time
	for _, c := range s.Log() {
		at = append(at, c.At)
	}
	require.Equal(t, "[0 7 7]", seconds(restart, at), "the third was the first of two: the count goes on")
	attempts, err := store.Attempts(t.Context(), alice, time.Time{})
	require.NoError(t, err)
	require.Len(t, attempts, 6)
	require.Equal(t, queue.InDoubt, attempts[2].Status)
	require.Equal(t, restart, attempts[2].Done)
}

// The pause after what was on the wire begins at the restart.
func TestRestart_GapBeginsAnew(t *testing.T) {
	t.Parallel()
	clock := &queuetest.Clock{}
	store, crashed := queue.NewMemory(100), false
	q := newQueue(t, sevenSeconds(), queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
		crashed = true
		return queue.Receipt{}, nil
	}), queue.Options{Clock: clock, Store: crashing{store, &crashed}, Typing: quiet})
	m := hi(alice)
	m.WireID, m.InDoubt = "w", queue.ResendInDoubt
	id := enqueue(t, q, m)
	enqueue(t, q, hi(alice))
	_, err := q.Step(t.Context())
	require.NoError(t, err)
	clock.Advance(time.Hour)
	for range 3 { // and it dies again, at once
		s := &queuetest.Sender{Clock: clock}
		q = newQueue(t, sevenSeconds(), s, queue.Options{Clock: clock, Store: store, Typing: quiet})
		r := get(t, q, id)
		require.Equal(t, queue.Queued, r.Status, "it asked to be sent again")
		require.True(t, r.Resent)
		next, err := q.Step(t.Context())
		require.NoError(t, err)
		require.Empty(t, s.Sent())
		require.False(t, next.Before(clock.Now()))
		require.False(t, next.After(clock.Now().Add(7*time.Second)))
		clock.Advance(time.Second)
	}
}

// A message is marked as sending by a store that says it has failed, and goes out on
// the next try: what is spent is spent then, also after a crash.
func TestRestart_MarkedBefore(t *testing.T) {
	t.Parallel()
	clock := &queuetest.Clock{}
	store, crashed := queue.NewMemory(100), false
	p := rules(policy.SlidingWindow{Max: 1, Window: time.Hour})
	fails := flaky{crashing{store, &crashed}, script(map[string][]fault{"Begin": {failsAfter}})}
	q := newQueue(t, p, queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
		crashed = true
		return queue.Receipt{}, nil
	}), queue.Options{Clock: clock, Store: fails, Typing: quiet})
	enqueue(t, q, hi(alice))
	enqueue(t, q, hi(alice))
	next, err := q.Step(t.Context())
	require.NoError(t, err)
	require.False(t, crashed)
	clock.Set(next)
	_, err = q.Step(t.Context())
	require.NoError(t, err)
	require.True(t, crashed)

	clock.Advance(time.Minute)
	q = newQueue(t, p, always, queue.Options{Clock: clock, Store: store, Typing: quiet})
	due, err := q.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, next.Add(time.Hour), due)
}

// A restart in which nothing was lost neither bursts nor waits longer.
func TestRestart_InTurn(t *testing.T) {
	t.Parallel()
	clock := &queuetest.Clock{}
	store := queue.NewMemory(100)
	s := &queuetest.Sender{Clock: clock}
	var ids []string
	q := newQueue(t, policy.Standard(), s, queue.Options{Clock: clock, Store: store, Typing: quiet, Seed: 5})
	for range 60 {
		ids = append(ids, enqueue(t, q, hi(alice)))
	}
	for len(s.Sent()) < 60 {
		next, err := q.Step(t.Context())
		require.NoError(t, err)
		q = newQueue(t, policy.Standard(), s, queue.Options{Clock: clock, Store: store, Typing: quiet, Seed: 99})
		if !next.IsZero() {
			clock.Set(next)
		}
	}
	require.Empty(t, queuetest.Audit(policy.Standard(), s.Log()))
	for i, m := range s.Sent() {
		require.Equal(t, ids[i], m.ID)
	}
	whole := queuetest.NewOptions(t, policy.Standard(), &queue.Options{Typing: quiet, Seed: 5})
	for range 60 {
		whole.Enqueue(alice, bob, "hi")
	}
	whole.Drain(time.Hour)
	for i, c := range whole.Sender.Log() {
		require.Equal(t, c.At, s.Log()[i].At, "the account's dice are kept as well")
	}
}

func TestNew_StoreFails(t *testing.T) {
	t.Parallel()
	_, err := queue.New(policy.Unlimited(), always, &queue.Options{Store: unreadable{queue.NewMemory(1)}})
	require.ErrorIs(t, err, errStore)
	require.ErrorContains(t, err, "queue: the store could not be taken up: ")
}

// A pace that cannot be written down is not lost in silence.
func TestNew_PolicyCannotBeStored(t *testing.T) {
	t.Parallel()
	p := rules(policy.CalendarWindow{Max: 1, Unit: policy.Day, Location: time.FixedZone("", 3600)})
	_, err := queue.New(p, always, &queue.Options{Store: queue.NewMemory(1)})
	require.ErrorContains(t, err, "queue: what is spent cannot be stored: ")
	_, err = queue.New(p, always, nil)
	require.NoError(t, err)
}

type unreadable struct{ queue.Store }

func (unreadable) Load(context.Context, time.Duration) (*queue.Saved, error) { return nil, errStore }
