package queue_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

func TestStep_Empty(t *testing.T) {
	t.Parallel()
	q := newQueue(t, policy.Strict(), always, queue.Options{})
	next, err := q.Step(t.Context())
	require.NoError(t, err)
	require.Zero(t, next)
}

func TestStep_DoneContext(t *testing.T) {
	t.Parallel()
	h := queuetest.New(t, policy.Unlimited())
	id := h.Enqueue(alice, bob, "hi")
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	_, err := h.Queue.Step(ctx)
	require.ErrorIs(t, err, why)
	require.Equal(t, queue.Queued, get(t, h.Queue, id).Status)
	require.Empty(t, h.Sender.Typed())
	h.Drain(time.Minute)
	require.Equal(t, queue.Sent, get(t, h.Queue, id).Status)
}

// A context that ends within a Step ends it after the message at hand.
func TestStep_ContextEndsWithin(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
		cancel()
		return queue.Receipt{}, nil
	})
	q := newQueue(t, policy.Unlimited(), s, queue.Options{})
	first, second := enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))
	_, err := q.Step(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, queue.Sent, get(t, q, first).Status)
	require.Equal(t, queue.Queued, get(t, q, second).Status)
	_, err = q.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, queue.Sent, get(t, q, second).Status)
}

// The user's functions may call the queue, but for what drives it.
func TestStep_CalledFromWithin(t *testing.T) {
	t.Parallel()
	var q *queue.Queue
	more := 3
	again := func() {
		_, err := q.Step(t.Context())
		require.ErrorIs(t, err, queue.ErrRunning)
		require.ErrorIs(t, q.Run(t.Context()), queue.ErrRunning)
		if more--; more >= 0 {
			get(t, q, enqueue(t, q, hi(alice)))
			enqueue(t, q, hi(carol))
		}
	}
	var d diary
	clock := &queuetest.Clock{}
	q = newQueue(t, rules(policy.Concurrency{Max: 1}), typist{
		func(context.Context, queue.Message) (queue.Receipt, error) { again(); return queue.Receipt{}, nil },
		func(context.Context, queue.Message, time.Duration) error { again(); return nil },
	}, queue.Options{Clock: clock, OnEvent: func(e queue.Event) {
		d.write(e)
		if e.Record.Status != queue.Queued {
			again()
		}
	}})
	enqueue(t, q, hi(alice))
	for {
		next, err := q.Step(t.Context())
		require.NoError(t, err)
		if next.IsZero() {
			break
		}
		clock.Set(next)
	}
	require.Len(t, d.check(t), 7)
	require.Len(t, d.ended(), 7)
}

func TestStep_OneAtATime(t *testing.T) {
	t.Parallel()
	var sent, refused atomic.Int64
	q := newQueue(t, policy.Unlimited(), queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
		sent.Add(1)
		return queue.Receipt{}, nil
	}), queue.Options{})
	for range 500 {
		enqueue(t, q, hi(alice))
	}
	var steps sync.WaitGroup
	for range 8 {
		steps.Go(func() {
			for range 100 {
				if _, err := q.Step(t.Context()); errors.Is(err, queue.ErrRunning) {
					refused.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			}
		})
	}
	steps.Wait()
	require.EqualValues(t, 500, sent.Load())
}

// A stepped queue can be left alone and comes back where it was.
func TestStep_LateAndEarly(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(policy.Gap{Min: time.Minute, Max: time.Minute}), &queue.Options{Typing: quiet})
	for range 3 {
		h.Enqueue(alice, bob, "hi")
	}
	step := func() time.Time {
		next, err := h.Queue.Step(t.Context())
		require.NoError(t, err)
		return next
	}
	first := step()
	require.Equal(t, queuetest.Epoch().Add(time.Minute), first)
	h.Clock.Set(first.Add(-1))
	require.Equal(t, first, step(), "a nanosecond early nothing is due")
	require.Len(t, h.Sender.Sent(), 1)
	h.Clock.Set(first.Add(time.Hour))
	require.Equal(t, first.Add(time.Hour+time.Minute), step(), "late by an hour, one goes, not two")
	require.Len(t, h.Sender.Sent(), 2)
	h.Drain(time.Minute)
	require.Len(t, h.Sender.Sent(), 3)
}
