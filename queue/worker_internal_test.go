package queue

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

type countingTypist struct {
	SenderFunc
	shown int
}

func (s *countingTypist) Typing(context.Context, Message, time.Duration) error {
	s.shown++
	return nil
}

// A worker that comes so late that the typing time is over, or the queue has
// stopped, shows none.
func TestShow_TooLate(t *testing.T) {
	t.Parallel()
	s := &countingTypist{}
	q, err := New(policy.Unlimited(), s, nil)
	require.NoError(t, err)
	r := &Record{Message: Message{ID: "m", Account: "a", To: "447700900001"}, Status: Queued, Version: 1}
	_, err = q.store.Add(t.Context(), r, time.Time{})
	require.NoError(t, err)
	show := func(p phase) {
		q.show(t.Context(), job{lane: newLane(r.Account, q.shardOf(r.Account)), item: &item{core: core{id: r.ID}, phase: p, way: &way{typing: time.Second}}})
	}
	show(starting)
	show(onWire)
	show(waiting)
	require.Zero(t, s.shown)
	show(typing)
	require.Equal(t, 1, s.shown)
	q.stop()
	show(typing)
	require.Equal(t, 1, s.shown)
}
