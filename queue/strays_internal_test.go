package queue

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// A stray that is found before whoever noted it has turned it back is looked for again.
func TestStrays_FoundTooSoon(t *testing.T) {
	t.Parallel()
	q, err := New(policy.Unlimited(), SenderFunc(func(context.Context, Message) (Receipt, error) { return Receipt{}, nil }), nil)
	require.NoError(t, err)
	now := q.clock.Now()
	r := &Record{
		Message: Message{ID: "m", Account: "a", To: "447700900001", Text: "hello", Key: "order 7"},
		Status:  Queued, Enqueued: now, Order: 1, Version: 1,
	}
	q.enter(r)
	_, err = q.store.Add(t.Context(), r, now)
	require.NoError(t, err)
	q.strays.note(r.ID, "")
	q.findStrays(t.Context(), now)
	require.Zero(t, q.Lanes())

	q.turnBack(r)
	q.findStrays(t.Context(), now)
	require.Equal(t, 1, q.Lanes())
	q.findStrays(t.Context(), now)
	require.EqualValues(t, 1, q.Undone())
}
