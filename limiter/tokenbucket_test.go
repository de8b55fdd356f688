package limiter_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestTokenBucketStepByStep(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tell(t, []story{
		{
			name: "burst, then one each refill", limit: policy.TokenBucket{Max: 1, Per: s, Burst: 3},
			steps: []step{
				{0, allow(1), yes(3, 2, s)},
				{0, allow(1), yes(3, 1, 2*s)},
				{0, allow(0), yes(3, 0, 3*s)}, // cost 0 means 1
				{0, allow(1), wait(s, 3, 0, 3*s)},
				{s - 1, allow(1), wait(1, 3, 0, 2*s+1)},
				{s, allow(1), yes(3, 0, 3*s)},
				{s + 1, allow(1), wait(s-1, 3, 0, 3*s-1)},
				{10 * s, allow(1), yes(3, 2, s)},
			},
		},
		{
			name: "cost up to the burst, and never above it", limit: policy.TokenBucket{Max: 1, Per: s, Burst: 3},
			steps: []step{
				{0, allow(4), no(3, 3)},
				{0, allow(math.MaxInt64), no(3, 3)},
				{0, allow(3), yes(3, 0, 3*s)},
				{0, allow(4), no(3, 0)},
				{s, allow(3), wait(2*s, 3, 1, 2*s)},
				{s, allow(2), wait(s, 3, 1, 2*s)},
				{s, allow(1), yes(3, 0, 3*s)},
			},
		},
		{
			name: "burst 0 means 1", limit: policy.TokenBucket{Max: 2, Per: s},
			steps: []step{
				{0, allow(2), no(1, 1)},
				{0, allow(1), yes(1, 0, s/2)},
				{s/2 - 1, allow(1), wait(1, 1, 0, 1)},
				{s / 2, allow(1), yes(1, 0, s/2)},
			},
		},
		{
			name: "max 0 refuses for good", limit: policy.TokenBucket{Max: 0, Per: s, Burst: 5},
			steps: []step{
				{0, allow(1), no(5, 0)},
				{1000 * time.Hour, allow(1), no(5, 0)},
			},
		},
		{
			name: "the rest of a refill that does not divide is kept", limit: policy.TokenBucket{Max: 10, Per: 100, Burst: 10},
			steps: []step{
				{0, allow(10), yes(10, 0, 100)},
				{97, allow(10), wait(3, 10, 9, 3)},
				{97, allow(9), yes(10, 0, 93)},
				{99, allow(1), wait(1, 10, 0, 91)},
				{100, allow(1), yes(10, 0, 100)},
				{100, allow(1), wait(10, 10, 0, 100)},
			},
		},
		{
			name: "thirds of a second come back to the nanosecond", limit: policy.TokenBucket{Max: 3, Per: s, Burst: 2},
			steps: []step{
				{0, allow(1), yes(2, 1, 333_333_334)},
				{0, allow(1), yes(2, 0, 666_666_667)},
				{0, allow(1), wait(333_333_334, 2, 0, 666_666_667)},
				{333_333_333, allow(1), wait(1, 2, 0, 333_333_334)},
				{333_333_334, allow(1), yes(2, 0, 666_666_666)},
				{666_666_666, allow(1), wait(1, 2, 0, 333_333_334)},
				{666_666_667, allow(1), yes(2, 0, 666_666_667)},
				{s - 1, allow(1), wait(1, 2, 0, 333_333_335)},
				{s, allow(1), yes(2, 0, 666_666_667)},
			},
		},
		{
			name: "unsent gives the last charge back", limit: policy.TokenBucket{Max: 1, Per: s, Burst: 5},
			steps: []step{
				{0, take("a", 2), yes(5, 3, 2*s)},
				{s, settle("a", limiter.Unsent), limiter.Gate{}},
				{s, check(1), yes(5, 4, s)},
				{s, take("b", 4), yes(5, 1, 4*s)},
				{s + 1, settle("b", limiter.Unsent), limiter.Gate{}},
				{s + 1, settle("b", limiter.Unsent), limiter.Gate{}},
				{s + 1, check(1), yes(5, 4, s)},
			},
		},
		{
			name: "unsent gives back what is still owed and no more", limit: policy.TokenBucket{Max: 1, Per: s, Burst: 5},
			steps: []step{
				{0, take("a", 3), yes(5, 2, 3*s)},
				{2 * s, settle("a", limiter.Unsent), limiter.Gate{}},
				{2 * s, allow(5), yes(5, 0, 5*s)},
				{2 * s, allow(1), wait(s, 5, 0, 5*s)},
			},
		},
		{
			name: "unsent gives nothing back once more was charged", limit: policy.TokenBucket{Max: 1, Per: s, Burst: 5},
			steps: []step{
				{0, take("a", 3), yes(5, 2, 3*s)},
				{0, take("b", 1), yes(5, 1, 4*s)},
				{0, settle("a", limiter.Unsent), limiter.Gate{}},
				{0, check(1), yes(5, 0, 5*s)},
				{0, settle("b", limiter.Unsent), limiter.Gate{}},
				{0, check(1), yes(5, 1, 4*s)},
			},
		},
		{
			name: "sent and refused stay taken", limit: policy.TokenBucket{Max: 1, Per: s, Burst: 2},
			steps: []step{
				{0, take("a", 1), yes(2, 1, s)},
				{0, take("b", 1), yes(2, 0, 2*s)},
				{0, settle("b", limiter.Sent), limiter.Gate{}},
				{0, settle("a", limiter.Refused), limiter.Gate{}},
				{0, check(1), wait(s, 2, 0, 2*s)},
			},
		},
		{
			name: "the longest refill", limit: policy.TokenBucket{Max: 1, Per: policy.MaxDuration},
			steps: []step{
				{0, allow(1), yes(1, 0, policy.MaxDuration)},
				{0, allow(1), wait(policy.MaxDuration, 1, 0, policy.MaxDuration)},
				{policy.MaxDuration - 1, allow(1), wait(1, 1, 0, 1)},
				{policy.MaxDuration, allow(1), yes(1, 0, policy.MaxDuration)},
			},
		},
		{
			name: "a billion a nanosecond", limit: policy.TokenBucket{Max: math.MaxInt64, Per: 1, Burst: math.MaxInt64},
			steps: []step{
				{0, allow(math.MaxInt64), yes(math.MaxInt64, 0, 1)},
				{0, allow(1), wait(1, math.MaxInt64, 0, 1)},
				{1, allow(math.MaxInt64), yes(math.MaxInt64, 0, 1)},
			},
		},
		{
			name: "before 1970", limit: policy.TokenBucket{Max: 1, Per: s}, start: time.Date(1901, 2, 3, 4, 5, 6, 7, time.UTC),
			steps: []step{
				{0, allow(1), yes(1, 0, s)},
				{s - 1, allow(1), wait(1, 1, 0, 1)},
				{s, allow(1), yes(1, 0, s)},
			},
		},
		{
			name: "across 1970", limit: policy.TokenBucket{Max: 1, Per: s}, start: time.Unix(-1, 500_000_000),
			steps: []step{
				{0, allow(1), yes(1, 0, s)},
				{s - 1, allow(1), wait(1, 1, 0, 1)},
				{s, allow(1), yes(1, 0, s)},
			},
		},
		{
			name: "a refill beyond the end of time", limit: policy.TokenBucket{Max: 1, Per: policy.MaxDuration, Burst: 1},
			start: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
			steps: []step{{0, allow(1), no(1, 0)}},
		},
	})
}

// The total that goes through is floor(burst + time * Max / Per), however long it
// runs and however badly Per divides.
func TestTokenBucketNeverDrifts(t *testing.T) {
	t.Parallel()
	for _, b := range []policy.TokenBucket{
		{Max: 3, Per: time.Second, Burst: 2},
		{Max: 7, Per: time.Minute, Burst: 2},
		{Max: 11, Per: 24 * time.Hour, Burst: 2},
	} {
		t.Run(b.Per.String(), func(t *testing.T) {
			t.Parallel()
			const steps = 340_000 / slower // of each: a million in all
			l := newLimiter(t, only(b))
			for n := range int64(steps) {
				// The first instant at which floor(...) is above n.
				k := max(0, n-b.Burst+1)
				due := time.Duration(k/b.Max*int64(b.Per) + (k%b.Max*int64(b.Per)+b.Max-1)/b.Max)
				if n%64 == 0 && due > 0 {
					if d := l.Check(monday.Add(due-1), request(1)); d.RetryAfter != 1 {
						t.Fatalf("send %d: 1 ns before it is due: %+v", n, d)
					}
				}
				if d := l.Allow(monday.Add(due), request(1)); d.Answer != limiter.Allowed {
					t.Fatalf("send %d: at %v, when it is due: %+v", n, due, d)
				}
			}
		})
	}
}

// Asking more often than tokens come back makes no difference to the total.
func TestTokenBucketTotalIsExactWhenAskedAllTheTime(t *testing.T) {
	t.Parallel()
	b := policy.TokenBucket{Max: 7, Per: time.Minute, Burst: 2}
	const step, steps = 1_234_567_891, 100_000 // about 7 asks for each token
	l := newLimiter(t, only(b))
	total := int64(0)
	for i := range int64(steps) {
		if l.Allow(monday.Add(time.Duration(i*step)), request(1)).Answer == limiter.Allowed {
			total++
		}
	}
	require.Equal(t, b.Burst+(steps-1)*step/int64(b.Per)*b.Max+(steps-1)*step%int64(b.Per)*b.Max/int64(b.Per), total)
}
