package queue

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// A lane that sends as fast as its limiter lets it is scheduled once for each message.
func TestPostpone(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	clock := &fakeClock{now: start}
	p := policy.Policy{ID: 1, Name: "n", Slug: "s", Rules: []policy.Rule{
		{Name: "pace", Limit: policy.Gap{Min: 7 * time.Second, Max: 7 * time.Second}},
	}}
	sent := 0
	q, err := New(p, SenderFunc(func(context.Context, Message) (Receipt, error) { sent++; return Receipt{}, nil }), &Options{Clock: clock})
	require.NoError(t, err)
	for range 10 {
		_, err := q.Enqueue(t.Context(), Message{Account: "a", To: "447700900001", Text: "hi"})
		require.NoError(t, err)
	}
	_, err = q.Step(t.Context())
	require.NoError(t, err)
	for n := 1; n < 9; n++ {
		clock.now = start.Add(time.Duration(n) * 7 * time.Second)
		before := q.tickets.last.Load()
		next, err := q.Step(t.Context())
		require.NoError(t, err)
		require.Equal(t, clock.now.Add(7*time.Second), next)
		require.Equal(t, n+1, sent)
		require.Equal(t, before+1, q.tickets.last.Load())
	}
}
