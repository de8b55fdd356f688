package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// Lanes that are due at once are served in the order they were scheduled, whatever
// shard they are in.
func TestStep_OrderAcrossShards(t *testing.T) {
	t.Parallel()
	var order []string
	clock := &queuetest.Clock{}
	q := newQueue(t, rules(policy.Gap{Min: time.Minute, Max: time.Minute}),
		queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
			order = append(order, m.Account)
			return queue.Receipt{}, nil
		}), queue.Options{Clock: clock})
	names := accounts(200)
	for range 2 {
		for _, name := range names {
			enqueue(t, q, hi(name))
			enqueue(t, q, hi(name))
		}
	}
	for range 4 {
		next, err := q.Step(t.Context())
		require.NoError(t, err)
		if !next.IsZero() {
			require.Equal(t, time.Minute, next.Sub(clock.Now()))
		}
		require.Equal(t, names, order)
		order = nil
		clock.Advance(time.Minute)
	}
}

// A clock that is set back leaves the lanes in the order they were due.
func TestStep_OrderAfterSetBack(t *testing.T) {
	t.Parallel()
	var order []string
	clock := &queuetest.Clock{}
	q := newQueue(t, rules(policy.Gap{Min: time.Minute, Max: time.Minute}),
		queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
			order = append(order, m.Account)
			return queue.Receipt{}, nil
		}), queue.Options{Clock: clock})
	names := accounts(50)
	for _, name := range names {
		enqueue(t, q, hi(name))
		enqueue(t, q, hi(name))
		clock.Advance(time.Millisecond)
	}
	_, err := q.Step(t.Context())
	require.NoError(t, err)
	order = nil
	clock.Advance(-time.Hour)
	back := clock.Now()
	next, err := q.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, back.Add(time.Minute), next)
	clock.Set(next)
	_, err = q.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, names, order)
}
