package limiter_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestNewContactsStepByStep(t *testing.T) {
	t.Parallel()
	const s = time.Second
	two := policy.NewContacts{Max: 2, Window: 10 * s}
	tell(t, []story{
		{
			name: "only requests to new contacts count", limit: two,
			steps: []step{
				{0, allow(1).first(), yes(2, 1, 10*s)},
				{0, allow(1), free},
				{s, allow(1).first(), yes(2, 0, 9*s)},
				{s, allow(1), free},
				{s, allow(1).first(), wait(9*s, 2, 0, 9*s)},
				{10 * s, allow(1).first(), yes(2, 0, s)},
			},
		},
		{
			name: "a request counts once, whatever its cost and recipient", limit: two,
			steps: []step{
				{0, allow(math.MaxInt64).first().to("a"), yes(2, 1, 10*s)},
				{0, allow(5).first().to("a"), yes(2, 0, 10*s)},
				{0, allow(5).first().to("a"), wait(10*s, 2, 0, 10*s)},
			},
		},
		{
			name: "some can be kept back", limit: two,
			steps: []step{
				{0, allow(9).first().keeping(1), yes(2, 1, 10*s)},
				{s, allow(9).first().keeping(1), wait(9*s, 2, 1, 9*s)},
				{s, allow(9).first().keeping(2), no(2, 1)},
				{s, allow(9).first().keeping(math.MaxInt64), no(2, 1)},
				{s, allow(9).keeping(math.MaxInt64), free},
				{s, allow(9).first(), yes(2, 0, 9*s)},
			},
		},
		{
			name: "unsent gives one back, refused does not", limit: two,
			steps: []step{
				{0, take("a", 7).first(), yes(2, 1, 10*s)},
				{0, take("b", 7).first(), yes(2, 0, 10*s)},
				{s, settle("a", limiter.Refused), limiter.Gate{}},
				{s, check(1).first(), wait(9*s, 2, 0, 9*s)},
				{s, settle("b", limiter.Unsent), limiter.Gate{}},
				{s, allow(1).first(), yes(2, 0, 9*s)},
			},
		},
		{
			name: "max 0 refuses new contacts only", limit: policy.NewContacts{Window: s},
			steps: []step{{0, allow(1).first(), no(0, 0)}, {0, allow(1), free}},
		},
		{
			name: "too many to keep each by itself", limit: policy.NewContacts{Max: 2048, Window: 10 * s},
			steps: []step{
				{0, allow(math.MaxInt64).first(), yes(2048, 2047, 10*s)},
				{s, take("a", 9).first(), yes(2048, 2046, 9*s)}, // shares the chunk, and moves it to 1 s
				{s, settle("a", limiter.Unsent), limiter.Gate{}},
				{s, allow(9).first().keeping(2046), yes(2048, 2046, 10*s)},
				{2 * s, allow(9).first().keeping(2046), wait(9*s, 2048, 2046, 9*s)},
			},
		},
	})
}

// TestNewContactsCountRequests holds the kind against a sliding window that is
// asked for 1 each time: they are one but for the mark.
func TestNewContactsCountRequests(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]int64{0, 1, 2, 5, 2000}).Draw(t, "max")
		contacts := newLimiter(t, only(policy.NewContacts{Max: most, Window: 10}))
		plain := newLimiter(t, only(policy.SlidingWindow{Max: most, Window: 10}))
		type pair struct{ a, b limiter.Permit }
		var open []pair
		now := monday
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 12).Draw(t, "pass")))
			req := request(rapid.SampledFrom([]int64{0, 1, 3, math.MaxInt64}).Draw(t, "cost"))
			req.NewContact = rapid.Bool().Draw(t, "new")
			req.Keep = rapid.SampledFrom([]int64{0, 0, 1, 3}).Draw(t, "keep")
			a, got := contacts.Take(now, req)
			if !req.NewContact {
				require.Equal(t, free, got.Gate)
				continue
			}
			req.Cost = 1
			b, want := plain.Take(now, req)
			require.True(t, got.Narrow, "it tells contacts apart")
			got.Narrow = want.Narrow
			require.Equal(t, want, got)
			open = append(open, pair{a, b})
			if rapid.Bool().Draw(t, "settle") {
				o := rapid.SampledFrom([]limiter.Outcome{limiter.Sent, limiter.Refused, limiter.Unsent}).Draw(t, "outcome")
				i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
				open[i].a.Settle(now, o)
				open[i].b.Settle(now, o)
			}
		}
	})
}
