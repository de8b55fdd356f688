package limiter_test

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func newWindow(t require.TestingT, limit int64, d time.Duration) *limiter.Window {
	w, err := limiter.NewWindow(limit, d)
	require.NoError(t, err)
	return w
}

func TestNewWindow_Refuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		limit int64
		d     time.Duration
		says  []string
	}{
		{-1, time.Second, []string{"max: -1"}},
		{1, 0, []string{"window: 0s"}},
		{1, -time.Second, []string{"window: -1s"}},
		{math.MinInt64, math.MinInt64, []string{"max: -9223372036854775808", "window: -2562047h47m16.854775808s"}},
		{1, math.MaxInt64, []string{"window: 2562047h47m16.854775807s"}},
	} {
		w, err := limiter.NewWindow(test.limit, test.d)
		require.Nil(t, w)
		require.ErrorIs(t, err, policy.ErrInvalid)
		for _, says := range test.says {
			require.ErrorContains(t, err, says)
		}
	}
}

func TestWindow_StepByStep(t *testing.T) {
	t.Parallel()
	w := newWindow(t, 3, time.Minute)
	for i, step := range []struct {
		after time.Duration
		n     int64
		retry time.Duration // negative: never
		ok    bool
		left  int64
	}{
		{0, 0, 0, true, 3},
		{0, 4, -1, false, 3},
		{0, -1, -1, false, 3},
		{0, math.MinInt64, -1, false, 3},
		{0, math.MaxInt64, -1, false, 3},
		{0, 1, 0, true, 2},
		{20 * time.Second, 1, 0, true, 1},
		{30 * time.Second, 2, 30 * time.Second, false, 1},
		{30 * time.Second, 3, 50 * time.Second, false, 1},
		{30 * time.Second, 1, 0, true, 0},
		{30 * time.Second, 0, 0, true, 0},
		{time.Minute - 1, 1, 1, false, 0},
		{time.Minute, 1, 0, true, 0},
		{time.Minute, 1, 20 * time.Second, false, 0},
		{time.Hour, 3, 0, true, 0},
	} {
		now := monday.Add(step.after)
		wait, ok := w.RetryAfter(now, step.n)
		require.Equal(t, step.retry >= 0, ok, "step %d", i)
		require.Equal(t, max(step.retry, 0), wait, "step %d", i)
		require.Equal(t, step.ok, w.AllowN(now, step.n), "step %d", i)
		require.Equal(t, step.left, w.Remaining(now), "step %d", i)
	}
}

func TestWindow_LimitZeroRefusesEverything(t *testing.T) {
	t.Parallel()
	w := newWindow(t, 0, time.Minute)
	require.False(t, w.AllowN(monday, 1))
	require.Zero(t, w.Remaining(monday))
	_, ok := w.RetryAfter(monday, 1)
	require.False(t, ok)
}

func TestWindow_TimesThatCannotBe(t *testing.T) {
	t.Parallel()
	w := newWindow(t, 5, time.Minute)
	for _, now := range []time.Time{{}, time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		require.False(t, w.AllowN(now, 1), now)
		require.False(t, w.AllowN(now, 0), now)
		require.Zero(t, w.Remaining(now), now)
		_, ok := w.RetryAfter(now, 1)
		require.False(t, ok, now)
	}
	require.EqualValues(t, 5, w.Remaining(monday))
}

// The rules of the clock are the limiter's: a step back under a second reads as the
// latest time, a larger one restarts what is in the window.
func TestWindow_ClockSetBack(t *testing.T) {
	t.Parallel()
	w := newWindow(t, 1, time.Minute)
	require.True(t, w.AllowN(monday, 1))
	for range 100 {
		require.False(t, w.AllowN(monday.Add(-time.Second), 1))
		require.False(t, w.AllowN(monday, 1))
	}
	wait, ok := w.RetryAfter(monday.Add(-time.Second), 1)
	require.True(t, ok)
	require.Equal(t, 61*time.Second, wait, "until the window is over on the clock that steps back")

	back := monday.Add(-time.Hour)
	wait, ok = w.RetryAfter(back, 1)
	require.True(t, ok)
	require.Equal(t, time.Minute, wait)
	require.False(t, w.AllowN(back.Add(time.Minute-1), 1))
	require.True(t, w.AllowN(back.Add(time.Minute), 1))
}

// A window alone answers as a limiter does whose only rule is that window, whatever
// the clock does, exact or in chunks.
func TestWindow_LikeALimiter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.OneOf(rapid.Int64Range(0, 6), rapid.Int64Range(1000, 6000)).Draw(t, "limit")
		length := time.Duration(rapid.IntRange(1, 120).Draw(t, "length")) * time.Second
		w := newWindow(t, limit, length)
		l := newLimiter(t, only(policy.SlidingWindow{Max: limit, Window: length}))
		now := monday
		if rapid.Bool().Draw(t, "monotonic") {
			now = time.Now()
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(rapid.OneOf(
				rapid.Custom(func(t *rapid.T) time.Duration {
					return time.Duration(rapid.IntRange(0, 30).Draw(t, "seconds")) * time.Second
				}),
				rapid.SampledFrom([]time.Duration{1, -1, -time.Second, -time.Second - 1, -time.Minute, length, length - 1, -24 * time.Hour}),
			).Draw(t, "pass"))
			n := rapid.Int64Range(1, limit+2).Draw(t, "n")
			foretold := l.Check(now, request(n))
			retry, ok := w.RetryAfter(now, n)
			require.Equal(t, foretold.Answer != limiter.Never, ok)
			require.Equal(t, foretold.RetryAfter, retry)
			d := l.Allow(now, request(n))
			require.Equal(t, d.Answer == limiter.Allowed, w.AllowN(now, n))
			require.Equal(t, d.Remaining, w.Remaining(now))
		}
	})
}

func TestWindow_AtOnce(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{100, 5000} {
		w := newWindow(t, limit, time.Minute)
		var taken atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range limit {
					if w.AllowN(time.Now(), 1) {
						taken.Add(1)
					}
					w.Remaining(time.Now())
					w.RetryAfter(time.Now(), 1)
				}
			})
		}
		all.Wait()
		require.Equal(t, limit, taken.Load())
		require.Zero(t, w.Remaining(time.Now()))
	}
}
