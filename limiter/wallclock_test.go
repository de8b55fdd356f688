package limiter_test

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// setWall is now with the wall clock set ahead by whole seconds. Package time has
// no way to write this down: it is what time.Now gives after someone set the clock.
func setWall(now time.Time, ahead time.Duration) time.Time {
	const secondsAt = 30 // in the first word of a time with a monotonic reading
	*(*uint64)(unsafe.Pointer(&now)) += uint64(ahead/time.Second) << secondsAt
	return now
}

func TestSetWallLeavesTheMonotonicReading(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, ahead := range []time.Duration{time.Hour, -time.Hour, 24 * 365 * time.Hour} {
		set := setWall(now, ahead)
		require.Zero(t, set.Sub(now))
		require.Equal(t, now.Round(0).Add(ahead), set.Round(0))
	}
}

// steady is midnight of 1 January 2000, with a monotonic reading: time.Now with its
// wall clock set. In a bubble it would have none.
func steady() time.Time {
	now := time.Now()
	now = now.Add(-time.Duration(now.Nanosecond()))
	return setWall(now, time.Unix(946684800, 0).Sub(now.Round(0)))
}

// Setting the wall clock moves calendar windows and nothing else.
func TestWallClockThatIsSetMovesNoWait(t *testing.T) {
	t.Parallel()
	now := steady()
	for _, ahead := range []time.Duration{time.Hour, -time.Hour, 365 * 24 * time.Hour, -365 * 24 * time.Hour} {
		for name, tt := range ticking() {
			l := newLimiter(t, only(tt.limit))
			p, d := l.Take(now, request(tt.cost))
			require.Equal(t, limiter.Allowed, d.Answer, name)
			p.Settle(setWall(now, ahead), limiter.Sent)
			at := setWall(now.Add(time.Second), ahead)
			d = l.Check(at, request(1))
			require.Equal(t, tt.free-time.Second, d.RetryAfter, "%s, %v ahead", name, ahead)
			require.Equal(t, limiter.Allowed, l.Check(setWall(now.Add(tt.free), ahead), request(1)).Answer, "%s, %v ahead", name, ahead)
			require.Equal(t, limiter.Later, l.Check(setWall(now.Add(tt.free-1), ahead), request(1)).Answer, "%s, %v ahead", name, ahead)
		}
	}
}

func TestCalendarFollowsTheWallClock(t *testing.T) {
	t.Parallel()
	now := steady()
	l := newLimiter(t, only(policy.CalendarWindow{Max: 1, Unit: policy.Hour}))
	require.Equal(t, yes(1, 0, time.Hour), l.Allow(now, request(1)).Gate)

	ahead := setWall(now.Add(time.Minute), 90*time.Minute) // 01:31
	require.Equal(t, yes(1, 0, 29*time.Minute), l.Allow(ahead, request(1)).Gate)

	// Set back into the hour before: still the later one, to its end.
	back := setWall(now.Add(2*time.Minute), 40*time.Minute) // 00:42
	require.Equal(t, wait(78*time.Minute, 1, 0, 78*time.Minute), l.Check(back, request(1)).Gate)

	// Set back much further: the count comes along, to the end of that hour.
	far := setWall(now.Add(3*time.Minute), -30*time.Hour) // 18:03
	require.Equal(t, wait(57*time.Minute, 1, 0, 57*time.Minute), l.Check(far, request(1)).Gate)
}

// An unsent charge comes back to the window that counted it, wherever the clock
// has taken that, and never to one that did not.
func TestUnsentFollowsACalendarCountThatMoved(t *testing.T) {
	t.Parallel()
	now := steady()
	const minute = time.Minute
	l := newLimiter(t, only(policy.CalendarWindow{Max: 2, Unit: policy.Minute}))
	wrong, d := l.Take(setWall(now, 5*minute), request(1)) // 00:05 by a clock that is 5 minutes ahead
	require.Equal(t, limiter.Allowed, d.Answer)
	moved, d := l.Take(now, request(1)) // 00:00, where the count has moved to
	require.Equal(t, yes(2, 0, minute), d.Gate)
	moved.Settle(now, limiter.Unsent)
	require.Equal(t, yes(2, 0, minute), l.Check(now, request(1)).Gate)

	now = now.Add(5 * minute) // 00:05 by a clock that is right
	require.Equal(t, yes(2, 0, minute), l.Allow(now, request(2)).Gate)
	wrong.Settle(now, limiter.Unsent)
	require.Equal(t, wait(minute, 2, 0, minute), l.Check(now, request(1)).Gate)
}

// Times with and without a monotonic reading may meet in one account. A wall clock
// that ran ahead does not lock it once the monotonic clock takes over, and one
// that is behind starts the waits again.
func TestTimesWithAndWithoutMonotonicReading(t *testing.T) {
	t.Parallel()
	now := steady()
	for name, tt := range ticking() {
		l := newLimiter(t, only(tt.limit))
		l.Check(now, request(1)) // the origin
		require.Equal(t, limiter.Allowed, l.Allow(now.Round(0).AddDate(1, 0, 0), request(tt.cost)).Answer)
		require.Equal(t, tt.free, l.Check(now, request(1)).RetryAfter, name)
		require.Equal(t, limiter.Allowed, l.Check(now.Add(tt.free), request(1)).Answer, name)

		// Now the latest time is monotonic, and the wall clock an hour behind.
		now := now.Add(3 * tt.free)
		require.Equal(t, limiter.Allowed, l.Allow(now, request(tt.cost)).Answer, name)
		behind := now.Round(0).Add(-time.Hour)
		require.Equal(t, tt.free, l.Check(behind, request(1)).RetryAfter, name)
		require.Equal(t, limiter.Allowed, l.Check(behind.Add(tt.free), request(1)).Answer, name)

		// In step they are one clock.
		m := newLimiter(t, only(tt.limit))
		require.Equal(t, limiter.Allowed, m.Allow(now.Round(0), request(tt.cost)).Answer)
		require.Equal(t, tt.free-time.Second, m.Check(now.Add(time.Second), request(1)).RetryAfter, name)
		require.Equal(t, tt.free-time.Second, m.Check(now.Add(time.Second).UTC(), request(1)).RetryAfter, name)
	}
}

// A count that a wrong clock gave to a window far ahead stays where the clock, as it
// is set back, has the last charge: the window ahead does not claim it again once it
// is near.
func TestCountOfAWrongClockStaysWhereItWasPut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		unit policy.Unit
		back time.Duration // from the window's first instant to a little before two windows
		free time.Duration // from then on
	}{
		{policy.Minute, 68 * time.Second, 8 * time.Second},
		{policy.Hour, 68 * time.Minute, 8 * time.Minute},
		{policy.Day, 5*24*time.Hour + time.Hour, time.Hour},
	} {
		start := monday.Truncate(24 * time.Hour)
		l := newLimiter(t, only(policy.CalendarWindow{Max: 2, Unit: tt.unit}))
		require.Equal(t, limiter.Allowed, l.Allow(start, request(2)).Answer)
		now := start.Add(-tt.back)
		d := l.Check(now, request(1))
		require.Equal(t, limiter.Later, d.Answer, tt.unit)
		require.Equal(t, tt.free, d.RetryAfter, tt.unit)
		require.Equal(t, limiter.Later, l.Check(now.Add(tt.free-1), request(1)).Answer, tt.unit)
		require.Equal(t, limiter.Allowed, l.Allow(now.Add(tt.free), request(2)).Answer, tt.unit)
	}
}
