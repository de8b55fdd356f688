package limiter_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

func setPolicy(t require.TestingT, l *limiter.Limiter, now time.Time, p policy.Policy) {
	require.NoError(t, l.SetPolicy(now, alice, p))
}

// kept is the policy without the rules of those names.
func kept(p policy.Policy, without ...string) policy.Policy {
	var rules []policy.Rule
	for _, r := range p.Rules {
		if !strings.Contains(strings.Join(without, " "), r.Name) {
			rules = append(rules, r)
		}
	}
	p.Rules = rules
	return p
}

// looser is what both policies allow: of each gap and count the larger one.
func looser() policy.Policy {
	send := []policy.Action{policy.SendMessage}
	check := []policy.Action{policy.CheckNumber}
	return policy.Policy{Rules: []policy.Rule{
		{Name: "gap", Actions: send, Limit: policy.Gap{Min: 5 * time.Second, Max: 60 * time.Second}},
		{Name: "day", Actions: send, Limit: policy.CalendarWindow{Max: 500, Unit: policy.Day, Location: time.UTC}},
		{Name: "flights", Actions: send, Limit: policy.Concurrency{Max: 1}},
		{Name: "checks", Actions: check, Limit: policy.CalendarWindow{Max: 500, Unit: policy.Day, Location: time.UTC}},
	}}
}

// TestSetPolicyFreesNothing sends as fast as it may and goes from Strict to Standard
// and back at two moments of a day. Each policy's counts hold from the start of the
// window in which it took over, because they are carried; what is left of a day
// after both changes is not more than a day under Strict has.
func TestSetPolicyFreesNothing(t *testing.T) {
	t.Parallel()
	strict, standard := policy.Strict(), policy.Standard()
	rng := rand.New(rand.NewPCG(1, 2))
	l := newLimiter(t, strict)
	var log [3][]queuetest.Call
	for account := range 10_000 / slower {
		now := monday.Truncate(24 * time.Hour).Add(time.Duration(rng.Int64N(int64(24 * time.Hour))))
		account := fmt.Sprint(account)
		used := map[string]int64{} // of each UTC day
		for stretch, p := range []policy.Policy{strict, standard, strict} {
			require.NoError(t, l.SetPolicy(now, account, p))
			most := map[int]int64{0: 200, 1: 500, 2: 200}[stretch]
			for range 2 + rng.IntN(6) {
				action := policy.SendMessage
				if rng.IntN(8) == 0 {
					action = policy.CheckNumber
				}
				cost := int64(1)
				if rng.IntN(6) == 0 {
					cost = 1 + rng.Int64N(8)
				}
				req := limiter.Request{Account: account, Action: action, Cost: cost}
				permit, d := l.Take(now, req)
				day := fmt.Sprint(action, now.Format(time.DateOnly))
				switch {
				case d.Answer == limiter.Allowed:
					end := now.Add(time.Duration(rng.Int64N(int64(2 * time.Second))))
					outcome := limiter.Outcome(1 + rng.IntN(3))
					if rng.IntN(4) > 0 {
						outcome = limiter.Sent
					}
					permit.Settle(end, outcome)
					log[stretch] = append(log[stretch], queuetest.Call{
						Account: account, Action: action, Cost: cost, At: now, Done: end, Unsent: outcome == limiter.Unsent,
					})
					if outcome != limiter.Unsent {
						used[day] += cost
					}
					require.LessOrEqual(t, used[day], most, "%s under %s", day, p.Slug)
					now = end
				case d.Answer == limiter.Later && rng.IntN(3) > 0:
					now = now.Add(d.RetryAfter)
				default:
					now = now.Add(time.Duration(rng.Int64N(int64(20 * time.Second))))
				}
			}
		}
	}
	require.Empty(t, queuetest.Audit(looser(), slices.Concat(log[0], log[1], log[2])))
	require.Empty(t, queuetest.Audit(strict, log[0]))
	require.Empty(t, queuetest.Audit(standard, log[1]))
	require.Empty(t, queuetest.Audit(strict, log[2]))
}

// There and back, no moment lets go more than staying would have: to change frees
// nothing, however often it is done.
func TestManyChangesFreeNothing(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]policy.Policy{"standard": policy.Standard(), "unlimited": policy.Unlimited(), "none of it": only(policy.Concurrency{Max: 5})} {
		l := newLimiter(t, policy.Strict())
		sent := 0
		for minute := range 24 * 60 / min(slower, 4) {
			now := monday.Truncate(24 * time.Hour).Add(time.Duration(minute) * time.Minute)
			setPolicy(t, l, now, other)
			setPolicy(t, l, now, policy.Strict())
			if l.Allow(now, request(1)).Answer == limiter.Allowed {
				sent++
			}
		}
		require.Equal(t, 200, sent, name)
	}
}

// kinds are limits that count charges in a day, with room for n.
func kinds(t *testing.T, n int64) map[string]policy.Limit {
	day := 24 * time.Hour
	return map[string]policy.Limit{
		"bucket":   policy.TokenBucket{Max: n, Per: day, Burst: n},
		"slow":     policy.TokenBucket{Max: n, Per: day, Burst: n / 2},
		"exact":    policy.SlidingWindow{Max: min(n, 1024), Window: day},
		"chunked":  policy.SlidingWindow{Max: n, Window: day},
		"calendar": policy.CalendarWindow{Max: n, Unit: policy.Day, Location: time.UTC},
		"kolkata":  policy.CalendarWindow{Max: n, Unit: policy.Day, Location: zone(t, "Asia/Kolkata")},
	}
}

// usedOf is how much of its only rule an account has used.
func usedOf(l *limiter.Limiter, now time.Time) int64 {
	g := l.Gates(now, request(1))[0]
	left := g.Remaining
	if g.Answer == limiter.Allowed {
		left++
	}
	return g.Limit - left
}

// carriedTo is how much of the charges a rule that knew them all would count at
// least now: what its own kind counts of those that the old rule still knew.
func carriedTo(from, to policy.Limit, charges []modelCall, now time.Time, owed int64) (sum int64) {
	known := func(c modelCall) bool { return now.Sub(c.at) < 24*time.Hour }
	switch from := from.(type) {
	case policy.TokenBucket:
		return owed
	case policy.CalendarWindow:
		last := charges[len(charges)-1].at
		all := known
		known = func(c modelCall) bool { return all(c) && windowName(from, c.at) == windowName(from, last) }
	}
	counts := func(modelCall) bool { return true }
	switch to := to.(type) {
	case policy.TokenBucket:
		owe := modelRule{limit: to}
		for _, c := range charges {
			if known(c) {
				owe.calls = append(owe.calls, &c)
			}
		}
		to.Burst = 1 << 20
		return to.Burst - owe.askBucket(to, now, 1).remaining - 1
	case policy.CalendarWindow:
		counts = func(c modelCall) bool { return windowName(to, c.at) == windowName(to, now) }
	}
	for _, c := range charges {
		if known(c) && counts(c) {
			sum += c.cost
		}
	}
	return sum
}

// TestSpendingIsCarriedAcrossKinds charges a rule of each kind for two days, changes
// it for one of each other kind, and compares what that counts with the memory of
// all charges.
func TestSpendingIsCarriedAcrossKinds(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{400, 3000} {
		for from, old := range kinds(t, size) {
			for to, next := range kinds(t, size) {
				rng := rand.New(rand.NewPCG(uint64(size), 5))
				for range 10 {
					l := newLimiter(t, only(old))
					var charges []modelCall
					now := monday.Truncate(24 * time.Hour)
					for range 30 {
						now = now.Add(time.Duration(rng.Int64N(int64(3 * time.Hour))))
						cost := 1 + rng.Int64N(size/10)
						if l.Allow(now, request(cost)).Answer == limiter.Allowed {
							charges = append(charges, modelCall{at: now, cost: cost})
						}
					}
					now = now.Add(time.Duration(rng.Int64N(int64(12 * time.Hour))))
					owed := usedOf(l, now)
					setPolicy(t, l, now, only(next))
					want := carriedTo(old, next, charges, now, owed)
					got := usedOf(l, now)
					says := fmt.Sprintf("%s to %s: %d owed at %v", from, to, owed, now)
					g := l.Gates(now, request(1))[0]
					require.GreaterOrEqual(t, got, min(want, g.Limit), says)
					if to == "calendar" || to == "kolkata" || from == "bucket" || from == "slow" || from == "calendar" || from == "kolkata" {
						continue // these may count more than the charges that still do
					}
					require.LessOrEqual(t, got, min(want+size/1024+1, g.Limit), says)
				}
			}
		}
	}
}

// What a window of a calendar held that has just ended still counts for rules to
// which it has not.
func TestAnEndedDayCountsForRulesThatReachBack(t *testing.T) {
	t.Parallel()
	utc := policy.CalendarWindow{Max: 200, Unit: policy.Day, Location: time.UTC}
	evening := monday.Truncate(24 * time.Hour).Add(23*time.Hour + 50*time.Minute)
	night := evening.Add(15 * time.Minute)
	for _, tt := range []struct {
		next policy.Limit
		free time.Duration // when the rule gives back what was spent
	}{
		{policy.SlidingWindow{Max: 200, Window: 24 * time.Hour}, 24*time.Hour - 15*time.Minute},
		{policy.CalendarWindow{Max: 200, Unit: policy.Day, Location: zone(t, "America/New_York")}, 4*time.Hour + 55*time.Minute},
	} {
		l := newLimiter(t, only(utc))
		require.Equal(t, limiter.Allowed, l.Allow(evening, request(200)).Answer)
		require.Equal(t, limiter.Allowed, l.Check(night, request(200)).Answer)
		setPolicy(t, l, night, only(tt.next))
		d := l.Check(night, request(1))
		require.Equal(t, limiter.Later, d.Answer)
		require.Equal(t, tt.free, d.RetryAfter)
		setPolicy(t, l, night, only(utc))
		setPolicy(t, l, night.Add(48*time.Hour), only(tt.next))
		require.Zero(t, usedOf(l, night.Add(48*time.Hour)))
	}
}

// A larger Max is used by the very next call, a smaller one too; it refuses until
// what was spent fits.
func TestNewMaxIsUsedAtOnce(t *testing.T) {
	t.Parallel()
	const s = time.Second
	now := monday.Add(10 * s)
	for name, limit := range map[string]func(n int64) policy.Limit{
		"bucket":      func(n int64) policy.Limit { return policy.TokenBucket{Max: 1, Per: 60 * s, Burst: n} },
		"sliding":     func(n int64) policy.Limit { return policy.SlidingWindow{Max: n, Window: 60 * s} },
		"calendar":    func(n int64) policy.Limit { return policy.CalendarWindow{Max: n, Unit: policy.Minute} },
		"concurrency": func(n int64) policy.Limit { return policy.Concurrency{Max: n} },
		"people":      func(n int64) policy.Limit { return policy.UniqueRecipients{Max: n, Window: 60 * s} },
		"contacts":    func(n int64) policy.Limit { return policy.NewContacts{Max: n, Window: 60 * s} },
	} {
		l := newLimiter(t, only(limit(4)))
		req := func(i int) limiter.Request {
			r := request(1)
			r.Recipient, r.NewContact = fmt.Sprint(i), true
			return r
		}
		for i := range 4 {
			_, d := l.Take(monday, req(i))
			require.Equal(t, limiter.Allowed, d.Answer, name)
		}
		require.NotEqual(t, limiter.Allowed, l.Check(now, req(4)).Answer, name)
		setPolicy(t, l, now, only(limit(6)))
		_, d := l.Take(now, req(4))
		require.Equal(t, limiter.Allowed, d.Answer, name)
		require.Equal(t, int64(6), d.Limit, name)
		require.Equal(t, int64(1), d.Remaining, name)

		setPolicy(t, l, now, only(limit(2)))
		d = l.Check(now, req(5))
		require.Equal(t, int64(2), d.Limit, name)
		require.Zero(t, d.Remaining, name)
		if name == "concurrency" {
			require.Equal(t, limiter.Busy, d.Answer)
			continue
		}
		require.Equal(t, limiter.Later, d.Answer, name)
		require.Positive(t, d.RetryAfter, name)
		require.Equal(t, limiter.Later, l.Check(now.Add(d.RetryAfter-1), req(5)).Answer, name)
		require.Equal(t, limiter.Allowed, l.Allow(now.Add(d.RetryAfter), req(5)).Answer, name)

		setPolicy(t, l, now.Add(d.RetryAfter), only(limit(0)))
		if name != "bucket" { // whose burst 0 means 1
			require.Equal(t, limiter.Never, l.Check(now, req(6)).Answer, name)
			setPolicy(t, l, now.Add(d.RetryAfter), only(limit(9)))
			require.Equal(t, limiter.Allowed, l.Check(now.Add(d.RetryAfter), req(6)).Answer, name)
		}
	}
}

func TestPortfolioRulesAreTheLimiters(t *testing.T) {
	t.Parallel()
	group := policy.Rule{Name: "group", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 3, Window: time.Hour}}
	mine := policy.Rule{Name: "mine", Limit: policy.SlidingWindow{Max: 9, Window: time.Hour}}
	other := policy.Rule{Name: "other", Limit: policy.CalendarWindow{Max: 8, Unit: policy.Hour}}
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{group, mine}})
	req := request(1)
	req.Portfolio = "p"
	held, _ := l.Take(monday, req)
	for i, rules := range [][]policy.Rule{{other}, {other, group}, {group}, nil} {
		setPolicy(t, l, monday, policy.Policy{Slug: "s", Rules: rules})
		got := l.PolicyOf(alice)
		require.Contains(t, got.Rules, group, "%d", i)
		gates := l.Gates(monday, req)
		require.Len(t, gates, len(got.Rules))
		for _, g := range gates {
			if g.Rule == "group" {
				require.Equal(t, int64(1), g.Remaining)
			}
		}
	}
	held.Settle(monday, limiter.Unsent)
	require.Equal(t, int64(2), l.Check(monday, req).Remaining)

	changed, added, shadowed := group, group, group
	changed.Limit = policy.SlidingWindow{Max: 4, Window: time.Hour}
	added.Name = "new"
	shadowed.Shadow = true
	asAccounts := mine
	asAccounts.Name = "group"
	before := snapshot(t, l, monday)
	for _, bad := range []policy.Rule{changed, added, shadowed, asAccounts} {
		err := l.SetPolicy(monday, alice, policy.Policy{Slug: "s", Rules: []policy.Rule{mine, bad}})
		require.ErrorContains(t, err, fmt.Sprintf(`policy "s": rules[1] %q: portfolio rules are the limiter's own; leave it out or repeat it as it is`, bad.Name))
		require.Equal(t, before, snapshot(t, l, monday))
	}
}

func snapshot(t require.TestingT, l *limiter.Limiter, now time.Time) []byte {
	b, err := l.Snapshot(now, alice)
	require.NoError(t, err)
	return b
}

// It is made, at any time, and not held back by pauses that it never had.
func TestSetPolicyOfAnUnknownAccount(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, only(policy.SlidingWindow{Max: 1, Window: time.Hour}))
	for _, now := range []time.Time{monday, time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC), steady()} {
		account := fmt.Sprint(now)
		require.NoError(t, l.SetPolicy(now, account, only(policy.SlidingWindow{Max: 2, Window: time.Hour})))
		require.Equal(t, policy.SlidingWindow{Max: 2, Window: time.Hour}, l.PolicyOf(account).Rules[0].Limit)
		require.Equal(t, policy.SlidingWindow{Max: 1, Window: time.Hour}, l.PolicyOf(bob).Rules[0].Limit)
		req := request(2)
		req.Account = account
		d := l.Allow(now, req)
		require.Equal(t, limiter.Allowed, d.Answer, "%v: %+v", now, d)
		require.Equal(t, limiter.Later, l.Allow(now, req).Answer)
	}
}

func TestBadSetPolicyChangesNothing(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, everyKind())
	req := request(1)
	req.Recipient = "r"
	l.Take(monday, req)
	before := snapshot(t, l, monday)
	good := only(policy.SlidingWindow{Max: 1, Window: time.Hour})
	for _, tt := range []struct {
		now     time.Time
		account string
		policy  policy.Policy
		want    string
	}{
		{monday, "", good, `account "": name the account`},
		{monday, strings.Repeat("a", limiter.MaxKey+1), good, "use at most 256 bytes, not 257"},
		{monday, "a\x00b", good, "leave NUL bytes out"},
		{time.Time{}, alice, good, "use a time of the years 1678 to 2261"},
		{time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC), alice, good, "2300-01-01T00:00:00Z: use a time of the years 1678 to 2261"},
		{monday, alice, only(policy.SlidingWindow{Max: -1, Window: time.Hour}), "rules[0].max: -1"},
		{monday, alice, only(nil), "rules[0]"},
	} {
		err := l.SetPolicy(tt.now, tt.account, tt.policy)
		require.ErrorContains(t, err, tt.want)
		require.True(t, strings.HasPrefix(err.Error(), "limiter: "), err)
		require.Equal(t, before, snapshot(t, l, monday))
		require.Equal(t, 1, l.Accounts())
	}
}
