package queue

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

func TestNewID_SortsByTimeThenNumber(t *testing.T) {
	t.Parallel()
	q, err := New(policy.Unlimited(), SenderFunc(func(context.Context, Message) (Receipt, error) { return Receipt{}, nil }), &Options{Seed: 1})
	require.NoError(t, err)
	noon := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	last := ""
	for _, at := range []struct {
		after time.Duration
		n     uint64
	}{
		{-56 * 365 * 24 * time.Hour, 1 << 31},
		{0, 0}, {0, 1}, {0, 65_535}, {0, 65_536}, {0, 65_537}, {0, 1<<32 - 1},
		{time.Millisecond, 5}, {time.Second, 4}, {200 * 365 * 24 * time.Hour, 3},
	} {
		id := q.newID(noon.Add(at.after), at.n)
		require.Len(t, id, 26)
		require.Empty(t, strings.Trim(id, idText))
		require.Less(t, last, id)
		last = id
	}
}
