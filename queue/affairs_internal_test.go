package queue

import (
	"context"
	"hash/maphash"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// A lane whose messages all wait has no affairs, and leaves those that it had to the
// next one.
func TestAffairs_Rest(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Slug: "pace", Rules: []policy.Rule{{Name: "gap", Limit: policy.Gap{Min: time.Hour, Max: time.Hour}}}}
	q, err := New(p, SenderFunc(func(context.Context, Message) (Receipt, error) { return Receipt{}, nil }), &Options{Typing: &Typing{}})
	require.NoError(t, err)
	for range 2 {
		_, err = q.Enqueue(t.Context(), Message{Account: "a", To: "447700900001", Text: "hello"})
		require.NoError(t, err)
	}
	s := q.shardOf("a")
	l := s.lanes.find("a")
	require.Same(t, &s.none, l.affairs)
	_, err = q.Step(t.Context())
	require.NoError(t, err)
	require.Same(t, &s.none, l.affairs)
	require.Len(t, s.spare, 1)
	spare := s.spare[0]
	require.Empty(t, spare.claimed)

	q.freeze(l, time.Now())
	require.Same(t, spare, l.affairs)
	require.Empty(t, s.spare)
	q.plan(l, time.Now())
	require.Same(t, spare, l.affairs)
	require.NotNil(t, l.link)
	require.Zero(t, s.none)
}

// A shard keeps a few affairs, not all.
func TestAffairs_Spare(t *testing.T) {
	t.Parallel()
	s := newShard(maphash.MakeSeed())
	lanes := make([]*lane, 2*mostSpare)
	for i := range lanes {
		lanes[i] = newLane("a", s)
		lanes[i].own().gone = make([]*item, 0, 100)
	}
	for _, l := range lanes {
		l.rest()
		require.Same(t, &s.none, l.affairs)
	}
	require.Len(t, s.spare, mostSpare)
	require.Nil(t, s.spare[0].gone)
}
