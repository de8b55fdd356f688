package limiter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// lookupRules cover what most accounts never do.
func lookupRules() []policy.Rule {
	checks, groups := []policy.Action{policy.CheckNumber}, []policy.Action{policy.GroupInfo}
	return []policy.Rule{
		{Name: "checks", Actions: checks, Limit: policy.TokenBucket{Max: 1, Per: time.Minute, Burst: 4}},
		{Name: "checks a day", Actions: checks, Limit: policy.CalendarWindow{Max: 6, Unit: policy.Day}},
		{Name: "groups", Actions: groups, Limit: policy.Gap{Min: time.Second, Max: time.Minute}},
		{Name: "both", Actions: append(checks, groups...), Limit: policy.Concurrency{Max: 2}},
	}
}

// sizedRules are two rules for sends, so many times: records of every size have room
// for some of them.
func sizedRules(n int) (rules []policy.Rule) {
	for i := range n {
		rules = append(rules, policy.Rule{
			Name: fmt.Sprint("sends ", i), Actions: []policy.Action{policy.SendMessage},
			Limit: policy.SlidingWindow{Max: int64(3 + i), Window: time.Duration(1+i) * time.Hour},
		}, policy.Rule{
			Name: fmt.Sprint("pause ", i), Actions: []policy.Action{policy.SendMessage},
			Limit: policy.Gap{Min: time.Second, Max: 2 * time.Second, Every: int64(1 + i)},
		})
	}
	return rules
}

func sizedPolicy(n int) policy.Policy {
	return policy.Policy{Rules: append(sizedRules(n), lookupRules()...)}
}

// TestRulesOfOtherActionsDoNotMatter has an account send and look up under one policy,
// and do the same under one policy for each.
func TestRulesOfOtherActionsDoNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sends := rapid.SampledFrom([]int{1, 3, 6, 7}).Draw(t, "rules")
		whole := newLimiter(t, sizedPolicy(sends))
		parts := [2]*limiter.Limiter{
			newLimiter(t, policy.Policy{Rules: sizedRules(sends)}),
			newLimiter(t, policy.Policy{Rules: lookupRules()}),
		}
		var open [][2]limiter.Permit
		now := monday
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(5*time.Minute)).Draw(t, "step")))
			n := rapid.IntRange(0, 2).Draw(t, "action")
			req := limiter.Request{Account: alice, Action: []policy.Action{policy.SendMessage, policy.CheckNumber, policy.GroupInfo}[n]}
			part := parts[min(n, 1)]
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				require.Equal(t, part.Allow(now, req), whole.Allow(now, req))
			case 1:
				mine, d := part.Take(now, req)
				other, e := whole.Take(now, req)
				require.Equal(t, d, e)
				open = append(open, [2]limiter.Permit{mine, other})
			case 2:
				for _, permits := range open {
					outcome := limiter.Outcome(rapid.IntRange(1, 3).Draw(t, "outcome"))
					permits[0].Settle(now, outcome)
					permits[1].Settle(now, outcome)
				}
				open = nil
			case 3:
				kept, err := whole.Snapshot(now, alice)
				require.NoError(t, err)
				if kept != nil && len(open) == 0 {
					whole = newLimiter(t, sizedPolicy(sends))
					require.NoError(t, whole.Restore(now, kept))
				}
			}
			require.Equal(t, part.Check(now, req), whole.Check(now, req))
			require.Equal(t, part.Gates(now, req), whole.Gates(now, req))
		}
	})
}

// TestAccountsDoNotShareWords gives accounts, with keys short and long and side by side
// in their shards, the same histories that each of them has alone in a limiter.
func TestAccountsDoNotShareWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := sizedPolicy(rapid.SampledFrom([]int{0, 1, 3, 6, 7}).Draw(t, "rules"))
		together := newLimiter(t, p)
		alone := map[string]*limiter.Limiter{}
		open := map[string][][2]limiter.Permit{}
		now := monday
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(-int64(2*time.Second), int64(20*time.Minute)).Draw(t, "step")))
			n := rapid.IntRange(0, 11).Draw(t, "account")
			key := fmt.Sprint("a", n, strings.Repeat("x", 4*n)) // on both sides of what a record has room for
			if alone[key] == nil {
				alone[key] = newLimiter(t, p)
			}
			req := limiter.Request{
				Account: key,
				Action:  rapid.SampledFrom([]policy.Action{policy.SendMessage, policy.CheckNumber, policy.GroupInfo, "other"}).Draw(t, "action"),
			}
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				require.Equal(t, alone[key].Allow(now, req), together.Allow(now, req))
			case 1:
				mine, d := alone[key].Take(now, req)
				other, e := together.Take(now, req)
				require.Equal(t, d, e)
				open[key] = append(open[key], [2]limiter.Permit{mine, other})
			case 2:
				for _, permits := range open[key] {
					outcome := limiter.Outcome(rapid.IntRange(1, 3).Draw(t, "outcome"))
					permits[0].Settle(now, outcome)
					permits[1].Settle(now, outcome)
				}
				open[key] = nil
			case 3:
				other := sizedPolicy(rapid.SampledFrom([]int{1, 2}).Draw(t, "other rules"))
				if rapid.Bool().Draw(t, "back") {
					other = p
				}
				require.NoError(t, alone[key].SetPolicy(now, key, other))
				require.NoError(t, together.SetPolicy(now, key, other))
			case 4:
				kept, err := together.Snapshot(now, key)
				require.NoError(t, err)
				if kept != nil {
					require.NoError(t, together.Restore(now, kept))
					require.NoError(t, alone[key].Restore(now, kept))
					open[key] = nil
				}
			}
			require.Equal(t, alone[key].Gates(now, req), together.Gates(now, req))
		}
		for key, l := range alone {
			for _, action := range []policy.Action{policy.SendMessage, policy.CheckNumber, policy.GroupInfo} {
				req := limiter.Request{Account: key, Action: action}
				require.Equal(t, l.Gates(now, req), together.Gates(now, req))
			}
		}
	})
}
