package limiter_test

import (
	"math"
	"testing"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestConcurrencyStepByStep(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tell(t, []story{
		{
			name: "one at a time", limit: policy.Concurrency{Max: 1},
			steps: []step{
				{0, take("a", 1), yes(1, 0, 0)},
				{0, take("b", 1), busy(1)},
				{1000 * time.Hour, allow(1), busy(1)},
				{1000 * time.Hour, settle("a", limiter.Sent), limiter.Gate{}},
				{1000 * time.Hour, take("b", 1), yes(1, 0, 0)},
			},
		},
		{
			name: "every outcome frees", limit: policy.Concurrency{Max: 3},
			steps: []step{
				{0, take("a", 1), yes(3, 2, 0)},
				{0, take("b", 1), yes(3, 1, 0)},
				{0, take("c", 1), yes(3, 0, 0)},
				{0, check(1), busy(3)},
				{s, settle("b", limiter.Refused), limiter.Gate{}},
				{s, check(1), yes(3, 0, 0)},
				{s, settle("a", limiter.Unsent), limiter.Gate{}},
				{s, check(1), yes(3, 1, 0)},
				{s, settle("c", 0), limiter.Gate{}}, // an unknown outcome counts as sent
				{s, check(1), yes(3, 2, 0)},
			},
		},
		{
			name: "a permit counts once when it is settled twice", limit: policy.Concurrency{Max: 2},
			steps: []step{
				{0, take("a", 1), yes(2, 1, 0)},
				{0, take("b", 1), yes(2, 0, 0)},
				{0, settle("a", limiter.Unsent), limiter.Gate{}},
				{0, settle("a", limiter.Unsent), limiter.Gate{}},
				{0, settle("a", limiter.Sent), limiter.Gate{}},
				{0, take("c", 1), yes(2, 0, 0)},
				{0, settle("a", limiter.Sent), limiter.Gate{}}, // c may have a's place by now
				{0, check(1), busy(2)},
			},
		},
		{
			name: "requests count, whatever their cost", limit: policy.Concurrency{Max: 2},
			steps: []step{
				{0, take("a", math.MaxInt64), yes(2, 1, 0)},
				{0, take("b", 5), yes(2, 0, 0)},
				{0, check(1), busy(2)},
			},
		},
		{
			name: "allow settles at once", limit: policy.Concurrency{Max: 1},
			steps: []step{
				{0, allow(1), yes(1, 0, 0)},
				{0, allow(1), yes(1, 0, 0)},
				{0, take("a", 1), yes(1, 0, 0)},
				{0, allow(1), busy(1)},
			},
		},
		{
			name: "max 0 refuses for good", limit: policy.Concurrency{},
			steps: []step{{0, allow(1), no(0, 0)}},
		},
		{
			name: "the largest max", limit: policy.Concurrency{Max: math.MaxInt64},
			steps: []step{
				{0, take("a", 1), yes(math.MaxInt64, math.MaxInt64-1, 0)},
				{0, take("b", 1), yes(math.MaxInt64, math.MaxInt64-2, 0)},
			},
		},
	})
}
