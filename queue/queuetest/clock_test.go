package queuetest_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/queue/queuetest"
)

var _ limiter.Clock = (*queuetest.Clock)(nil)

// rung is whether a channel holds a time, and which.
func rung(c <-chan time.Time) (time.Time, bool) {
	select {
	case t := <-c:
		return t, true
	default:
		return time.Time{}, false
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	var c queuetest.Clock
	require.Equal(t, time.Monday, c.Now().Weekday())
	require.Equal(t, queuetest.Epoch(), c.Now())
	require.Equal(t, time.UTC, c.Now().Location())

	short, long := c.After(time.Second), c.After(time.Minute)
	c.Advance(time.Second - 1)
	_, ok := rung(short)
	require.False(t, ok)
	c.Advance(1)
	at, ok := rung(short)
	require.True(t, ok)
	require.Equal(t, queuetest.Epoch().Add(time.Second), at)

	c.Advance(time.Hour)
	at, ok = rung(long)
	require.True(t, ok, "it has been passed over")
	require.Equal(t, c.Now(), at)
	_, ok = rung(long)
	require.False(t, ok, "it rings once")
}

func TestClock_AfterNothing(t *testing.T) {
	t.Parallel()
	var c queuetest.Clock
	for _, d := range []time.Duration{0, -1, -1 << 63} {
		at, ok := rung(c.After(d))
		require.True(t, ok)
		require.Equal(t, queuetest.Epoch(), at)
	}
	require.Equal(t, queuetest.Epoch(), c.Now())
}

func TestClock_Back(t *testing.T) {
	t.Parallel()
	var c queuetest.Clock
	alarm := c.After(time.Minute)
	c.Advance(-time.Hour)
	require.Equal(t, queuetest.Epoch().Add(-time.Hour), c.Now())
	c.Advance(time.Hour + time.Minute - 1)
	_, ok := rung(alarm)
	require.False(t, ok, "it rings at its time of day")
	c.Advance(1)
	_, ok = rung(alarm)
	require.True(t, ok)
}

func TestClock_Set(t *testing.T) {
	t.Parallel()
	var c queuetest.Clock
	alarm := c.After(24 * time.Hour)
	zone := time.FixedZone("x", 3600)
	day := time.Date(2026, 1, 6, 9, 0, 0, 0, zone)
	c.Set(day)
	require.Equal(t, day, c.Now())
	_, ok := rung(alarm)
	require.True(t, ok)

	today := time.Now()
	c.Set(today)
	require.Equal(t, today.Round(0), c.Now(), "a monotonic reading would tell two clocks' times apart by the wrong one")
	c.Set(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
	require.Equal(t, 9999, c.Now().Year())
}

// The longest wait ends no sooner for the clock being far on.
func TestClock_FarAhead(t *testing.T) {
	t.Parallel()
	var c queuetest.Clock
	c.Advance(1<<63 - 1)
	alarm := c.After(1<<63 - 1)
	_, ok := rung(alarm)
	require.False(t, ok)
	c.Advance(1<<63 - 2)
	_, ok = rung(alarm)
	require.False(t, ok)
	c.Advance(1)
	_, ok = rung(alarm)
	require.True(t, ok)
}

func TestClock_ManyGoroutines(t *testing.T) {
	t.Parallel()
	var c queuetest.Clock
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				alarm := c.After(time.Second)
				c.Advance(time.Second)
				<-alarm
				c.Now()
			}
		})
	}
	all.Wait()
	require.Equal(t, queuetest.Epoch().Add(800*time.Second), c.Now())
}
