package limiter_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestSlidingWindowStepByStep(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tell(t, []story{
		{
			name: "a charge counts until exactly one window later", limit: policy.SlidingWindow{Max: 2, Window: 10 * s},
			steps: []step{
				{0, allow(1), yes(2, 1, 10*s)},
				{s, allow(0), yes(2, 0, 9*s)}, // cost 0 means 1
				{s, allow(1), wait(9*s, 2, 0, 9*s)},
				{10*s - 1, allow(1), wait(1, 2, 0, 1)},
				{10 * s, allow(1), yes(2, 0, s)},
				{10 * s, allow(1), wait(s, 2, 0, s)},
				{11*s - 1, allow(1), wait(1, 2, 0, 1)},
				{11 * s, allow(1), yes(2, 0, 9*s)},
				{11*s + 1, allow(1), wait(9*s-1, 2, 0, 9*s-1)},
				{time.Hour, allow(1), yes(2, 1, 10*s)},
			},
		},
		{
			name: "what frees a request is the charge that gives back as much as it costs", limit: policy.SlidingWindow{Max: 5, Window: 10 * s},
			steps: []step{
				{0, allow(1), yes(5, 4, 10*s)},
				{s, allow(2), yes(5, 2, 10*s)},
				{2 * s, allow(1), yes(5, 1, 8*s)},
				{3 * s, allow(1), yes(5, 0, 7*s)},
				{4 * s, allow(1), wait(6*s, 5, 0, 6*s)},
				{4 * s, allow(2), wait(7*s, 5, 0, 7*s)},
				{4 * s, allow(3), wait(7*s, 5, 0, 7*s)},
				{4 * s, allow(4), wait(8*s, 5, 0, 8*s)},
				{4 * s, allow(5), wait(9*s, 5, 0, 9*s)},
				{4 * s, allow(6), no(5, 0)},
				{11 * s, allow(3), yes(5, 0, 10*s)},
			},
		},
		{
			name: "cost above max never goes and takes nothing", limit: policy.SlidingWindow{Max: 3, Window: s},
			steps: []step{
				{0, allow(4), no(3, 3)},
				{0, allow(math.MaxInt64), no(3, 3)},
				{0, allow(3), yes(3, 0, s)},
				{0, allow(4), no(3, 0)},
			},
		},
		{
			name: "max 0 refuses for good", limit: policy.SlidingWindow{Window: s},
			steps: []step{{0, allow(1), no(0, 0)}, {time.Hour, allow(0), no(0, 0)}},
		},
		{
			name: "a window of 1 ns", limit: policy.SlidingWindow{Max: 2, Window: 1},
			steps: []step{
				{0, allow(2), yes(2, 0, 1)},
				{0, allow(1), wait(1, 2, 0, 1)},
				{1, allow(2), yes(2, 0, 1)},
			},
		},
		{
			name: "the longest window", limit: policy.SlidingWindow{Max: 1, Window: policy.MaxDuration},
			steps: []step{
				{0, allow(1), yes(1, 0, policy.MaxDuration)},
				{policy.MaxDuration - 1, allow(1), wait(1, 1, 0, 1)},
				{policy.MaxDuration, allow(1), yes(1, 0, policy.MaxDuration)},
			},
		},
		{
			name: "a window that ends beyond the end of time", limit: policy.SlidingWindow{Max: 1, Window: policy.MaxDuration},
			start: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
			steps: []step{
				{0, take("a", 1), yes(1, 0, 0)},
				{s, allow(1), no(1, 0)},
				{s, settle("a", limiter.Unsent), limiter.Gate{}},
				{s, allow(1), yes(1, 0, 0)},
			},
		},
		{
			name: "unsent removes its own charge, in any order", limit: policy.SlidingWindow{Max: 3, Window: 10 * s},
			steps: []step{
				{0, take("a", 1), yes(3, 2, 10*s)},
				{s, take("b", 1), yes(3, 1, 9*s)},
				{2 * s, take("c", 1), yes(3, 0, 8*s)},
				{3 * s, settle("b", limiter.Unsent), limiter.Gate{}},
				{3 * s, check(2), wait(7*s, 3, 1, 7*s)},
				{3 * s, settle("a", limiter.Unsent), limiter.Gate{}},
				{3 * s, check(2), yes(3, 0, 10*s)},
				{3 * s, check(3), wait(9*s, 3, 2, 9*s)},
				{3 * s, settle("c", limiter.Unsent), limiter.Gate{}},
				{3 * s, check(3), yes(3, 0, 10*s)},
			},
		},
		{
			name: "unsent after the window gives nothing back twice", limit: policy.SlidingWindow{Max: 2, Window: 10 * s},
			steps: []step{
				{0, take("a", 2), yes(2, 0, 10*s)},
				{10 * s, allow(2), yes(2, 0, 10*s)},
				{10 * s, settle("a", limiter.Unsent), limiter.Gate{}},
				{10 * s, allow(1), wait(10*s, 2, 0, 10*s)},
			},
		},
		{
			name: "unsent among charges of the same instant", limit: policy.SlidingWindow{Max: 4, Window: 10 * s},
			steps: []step{
				{0, allow(1), yes(4, 3, 10*s)},
				{0, take("a", 2), yes(4, 1, 10*s)},
				{0, allow(1), yes(4, 0, 10*s)},
				{s, settle("a", limiter.Unsent), limiter.Gate{}},
				{s, check(2), yes(4, 0, 9*s)},
				{s, check(3), wait(9*s, 4, 2, 9*s)},
			},
		},
		{
			name: "sent and refused stay taken", limit: policy.SlidingWindow{Max: 2, Window: 10 * s},
			steps: []step{
				{0, take("a", 1), yes(2, 1, 10*s)},
				{0, take("b", 1), yes(2, 0, 10*s)},
				{s, settle("a", limiter.Refused), limiter.Gate{}},
				{s, settle("b", limiter.Sent), limiter.Gate{}},
				{s, allow(1), wait(9*s, 2, 0, 9*s)},
			},
		},
		{
			name: "before 1970", limit: policy.SlidingWindow{Max: 1, Window: s}, start: time.Date(1901, 2, 3, 4, 5, 6, 7, time.UTC),
			steps: []step{
				{0, allow(1), yes(1, 0, s)},
				{s - 1, allow(1), wait(1, 1, 0, 1)},
				{s, allow(1), yes(1, 0, s)},
			},
		},
	})
}

// A window of the largest size takes the largest cost at once: in no time, without
// keeping it piece by piece, and without running over.
func TestSlidingWindowTakesTheLargestCost(t *testing.T) {
	t.Parallel()
	const s = time.Second
	story{
		limit: policy.SlidingWindow{Max: math.MaxInt64, Window: 10 * s}, before: 3,
		steps: []step{
			{s, check(math.MaxInt64 - 3), yes(math.MaxInt64, 0, 10*s)},
			{s, check(math.MaxInt64), wait(9*s, math.MaxInt64, math.MaxInt64-3, 9*s)},
			{time.Hour, check(math.MaxInt64), yes(math.MaxInt64, 0, 10*s)},
			{time.Hour, take("all", math.MaxInt64), yes(math.MaxInt64, 0, 10*s)},
			{time.Hour, allow(1), wait(10*s, math.MaxInt64, 0, 10*s)},
			{time.Hour + s, settle("all", limiter.Unsent), limiter.Gate{}},
			{time.Hour + s, allow(math.MaxInt64), yes(math.MaxInt64, 0, 10*s)},
			{time.Hour + 11*s - 1, allow(1), wait(1, math.MaxInt64, 0, 1)},
			{time.Hour + 11*s, allow(math.MaxInt64), yes(math.MaxInt64, 0, 10*s)},
		},
	}.tell(t)
}

// 1,024 is the largest window that is exact, and 1,025 the smallest in chunks, of
// 2: there a charge may count for as long as the one it shares a chunk with.
func TestSlidingWindowIsExactTo1024(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		max  int64
		want time.Duration // until the first charge is given back
	}{{1024, 99 * time.Second}, {1025, 100 * time.Second}} {
		l := newLimiter(t, only(policy.SlidingWindow{Max: tt.max, Window: 100 * time.Second}))
		l.Allow(monday, request(1))
		for range tt.max - 1 {
			require.Equal(t, limiter.Allowed, l.Allow(monday.Add(time.Second), request(1)).Answer)
		}
		d := l.Check(monday.Add(time.Second), request(1))
		require.Equal(t, wait(tt.want, tt.max, 0, tt.want), d.Gate, "max %d", tt.max)
	}
}
