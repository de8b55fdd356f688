package queue

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Where no clock is set, a time is due at its own tick.
func TestDue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		epoch := time.Unix(rapid.Int64Range(-1<<33, 1<<33).Draw(t, "epoch"), 0)
		q := &Queue{epoch: epoch}
		now := epoch.Add(time.Duration(rapid.Int64Range(-1<<60, 1<<60).Draw(t, "now")))
		at := now.Add(time.Duration(rapid.Int64Range(-1<<60, 1<<60).Draw(t, "at")))
		require.Equal(t, q.tick(at), q.due(at, now))
	})
	q := &Queue{epoch: time.Unix(0, 0)}
	long := func(d time.Duration) time.Time { return q.epoch.Add(d) }
	for _, c := range []struct {
		name    string
		at, now time.Time
		want    int64
	}{
		{"long ago", time.Time{}, long(-math.MaxInt64), always},
		{"zero", time.Time{}, long(time.Hour), math.MinInt64 + int64(time.Hour)},
		{"far ahead", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), long(math.MaxInt64 - 1), never - 1},
		{"at the end", long(math.MaxInt64 - 1), long(0), never - 1},
	} {
		require.Equal(t, c.want, q.due(c.at, c.now), c.name)
	}
}
