package limiter_test

import (
	"encoding/json"
	"fmt"
	"math"
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

// A cost as large as can be is carried to a bucket at once.
func TestHugeSpendingIsCarriedToABucket(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cost int64
		next policy.TokenBucket
		want limiter.Answer
	}{
		{1e18, policy.TokenBucket{Max: 60e9, Per: time.Minute}, limiter.Later}, // 1 ns each: 1e18 ns
		{1e18, policy.TokenBucket{Max: 1, Per: time.Minute}, limiter.Never},    // beyond the end of time
		{math.MaxInt64, policy.TokenBucket{Max: 60e9, Per: time.Minute}, limiter.Never},
	} {
		l := newLimiter(t, only(policy.CalendarWindow{Max: math.MaxInt64, Unit: policy.Minute}))
		require.Equal(t, limiter.Allowed, l.Allow(monday, request(tt.cost)).Answer)
		setPolicy(t, l, monday, only(tt.next))
		d := l.Check(monday, request(1))
		require.Equal(t, tt.want, d.Answer)
		if tt.want == limiter.Later {
			require.Equal(t, time.Duration(1e18), d.RetryAfter)
		}
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

// Rules are what they mean: their names and places matter nothing, also where
// several have one meaning.
func TestRenamedAndReorderedRulesCountOn(t *testing.T) {
	t.Parallel()
	const m = time.Minute
	window := policy.Rule{Name: "window", Limit: policy.SlidingWindow{Max: 8, Window: m}}
	bucket := policy.Rule{Name: "bucket", Limit: policy.TokenBucket{Max: 8, Per: m, Burst: 2}}
	calendar := policy.Rule{Name: "calendar", Limit: policy.CalendarWindow{Max: 9, Unit: policy.Minute}}
	large := policy.Rule{Name: "large", Limit: policy.SlidingWindow{Max: 2000, Window: m}}
	rules := []policy.Rule{window, bucket, calendar, large}
	l := newLimiter(t, policy.Policy{Rules: rules})
	var now time.Time
	for i := range 8 {
		now = monday.Add(time.Duration(i) * 7 * time.Second)
		require.Equal(t, limiter.Allowed, l.Allow(now, request(1)).Answer)
	}
	stands := func() map[string]limiter.Gate {
		byLimit := map[string]limiter.Gate{}
		for _, g := range l.Gates(now, request(1)) {
			g.Rule = ""
			byLimit[fmt.Sprint(g.Limit)] = g
		}
		return byLimit
	}
	want := stands()
	require.Len(t, want, 4)
	rng := rand.New(rand.NewPCG(3, 4))
	for round := range 50 {
		rng.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
		setPolicy(t, l, now, policy.Policy{Rules: rules})
		require.Equal(t, want, stands(), "round %d", round)
		renamed := append([]policy.Rule{}, rules...)
		for i := range renamed {
			renamed[i].Name = fmt.Sprint("r", round, i)
		}
		setPolicy(t, l, now, policy.Policy{Rules: renamed})
		require.Equal(t, want, stands(), "round %d", round)
	}
}

// A rule that is added beside one of its meaning counts what that has counted.
func TestAddedRuleOfAKnownMeaningCountsFromTheStart(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ old, added policy.Limit }{
		{policy.SlidingWindow{Max: 9, Window: time.Minute}, policy.SlidingWindow{Max: 7, Window: time.Minute}},
		{policy.SlidingWindow{Max: 9, Window: time.Minute}, policy.CalendarWindow{Max: 7, Unit: policy.Minute}},
		{policy.SlidingWindow{Max: 2000, Window: time.Minute}, policy.TokenBucket{Max: 7, Per: time.Minute, Burst: 7}},
		{policy.UniqueRecipients{Max: 9, Window: time.Minute}, policy.UniqueRecipients{Max: 7, Window: time.Minute}},
		{policy.NewContacts{Max: 9, Window: time.Minute}, policy.NewContacts{Max: 7, Window: time.Minute}},
	} {
		l := newLimiter(t, only(tt.old))
		both := policy.Policy{Rules: []policy.Rule{{Name: "only", Limit: tt.old}, {Name: "added", Limit: tt.added}}}
		send := func(i int) limiter.Decision {
			req := request(1)
			req.Recipient, req.NewContact = fmt.Sprint(i), true
			return l.Allow(monday, req)
		}
		for i := range 5 {
			require.Equal(t, limiter.Allowed, send(i).Answer)
		}
		setPolicy(t, l, monday, both)
		require.Equal(t, limiter.Allowed, send(5).Answer)
		setPolicy(t, l, monday, only(tt.old))
		require.Equal(t, limiter.Allowed, send(6).Answer)
		setPolicy(t, l, monday, both)
		d := send(7)
		require.Equal(t, limiter.Later, d.Answer, "%+v", tt)
		require.Equal(t, "added", d.Rule, "%+v", tt)
	}
}

// A rule that is taken away and comes back has forgotten nothing.
func TestRuleThatComesBackCountsOn(t *testing.T) {
	t.Parallel()
	with := everyKind()
	for _, r := range with.Rules {
		if _, ok := r.Limit.(policy.ActiveHours); ok {
			continue
		}
		one := policy.Policy{Rules: []policy.Rule{r}}
		l := newLimiter(t, one)
		req := request(1)
		req.Recipient, req.NewContact = "r", true
		other := req
		other.Recipient = "s"
		var now time.Time
		for i := range 3 {
			now = monday.Add(time.Duration(i) * 2100 * time.Millisecond)
			l.Allow(now, req)
			l.Allow(now, other)
		}
		want := l.Gates(now, req)
		setPolicy(t, l, now, policy.Unlimited())
		l.Allow(now, req)
		setPolicy(t, l, now, kept(with, r.Name))
		setPolicy(t, l, now, one)
		got := l.Gates(now, req)
		if r.Scope == "" && (r.Name == "gap" || r.Name == "pause") {
			// The pause, where one runs, has become a hold.
			wait := want[0].RetryAfter
			require.Positive(t, wait, r.Name)
			require.Equal(t, wait, l.Check(now, req).RetryAfter, r.Name)
			require.Equal(t, limiter.Allowed, l.Check(now.Add(wait), req).Answer, r.Name)
			continue
		}
		require.Equal(t, want, got, r.Name)
	}
}

// Recipients whose rule is gone for a while are not forgotten meanwhile, however
// many others come.
func TestRestsOfRecipientsAreKept(t *testing.T) {
	t.Parallel()
	rule := policy.Rule{Name: "pair", Scope: policy.ScopeRecipient, Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}}
	other := policy.Rule{Name: "other", Scope: policy.ScopeRecipient, Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}}
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{rule}})
	req := request(1)
	req.Recipient = "r"
	require.Equal(t, limiter.Allowed, l.Allow(monday, req).Answer)
	now := monday.Add(2 * time.Minute)
	setPolicy(t, l, now, policy.Policy{Rules: []policy.Rule{other}})
	for i := range 100 {
		another := request(1)
		another.Recipient = fmt.Sprint(i)
		l.Allow(now, another)
	}
	setPolicy(t, l, now, policy.Policy{Rules: []policy.Rule{rule}})
	require.Equal(t, 58*time.Minute, l.Allow(now, req).RetryAfter)
}

// What is kept of rules that are gone keeps an account for as long as it counts, and
// no longer.
func TestRestsAreForgottenOnceTheyCountForNothing(t *testing.T) {
	t.Parallel()
	own := only(policy.SlidingWindow{Max: 9, Window: time.Second})
	l, err := limiter.New(own, &limiter.Options{MaxAccounts: 1})
	require.NoError(t, err)
	minute := only(policy.SlidingWindow{Max: 1, Window: time.Minute})
	setPolicy(t, l, monday, minute)
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(1)).Answer)
	setPolicy(t, l, monday, own)
	bobs := request(1)
	bobs.Account = bob
	require.Equal(t, limiter.Busy, l.Allow(monday.Add(30*time.Second), bobs).Answer)
	require.Equal(t, 1, l.Accounts())
	require.Equal(t, limiter.Allowed, l.Allow(monday.Add(2*time.Minute), bobs).Answer)
	require.Equal(t, 1, l.Accounts())
}

// What a clock that ran ahead has put aside does not count for the year until then.
func TestRestsFollowAClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	for _, scope := range []policy.Scope{policy.ScopeAccount, policy.ScopeRecipient} {
		window := policy.Rule{Name: "window", Scope: scope, Limit: policy.SlidingWindow{Max: 2, Window: time.Minute}}
		day := policy.Rule{Name: "day", Limit: policy.CalendarWindow{Max: 9, Unit: policy.Hour}}
		l := newLimiter(t, policy.Policy{Rules: []policy.Rule{window, day}})
		ahead := monday.AddDate(1, 0, 0)
		two, one := request(2), request(1)
		two.Recipient, one.Recipient = "r", "r"
		l.Allow(ahead, two)
		setPolicy(t, l, ahead, policy.Policy{Rules: []policy.Rule{day}})
		l.Allow(monday, one)
		setPolicy(t, l, monday, policy.Policy{Rules: []policy.Rule{window, day}})
		require.Equal(t, time.Minute, l.Allow(monday, one).RetryAfter, scope)
		require.Equal(t, limiter.Allowed, l.Allow(monday.Add(time.Minute), one).Answer, scope)
	}
}

// A pause that runs when its rule goes goes on: in another gap on the same actions,
// or as a hold.
func TestPausesThatRunStay(t *testing.T) {
	t.Parallel()
	const s = time.Second
	send := []policy.Action{policy.SendMessage}
	pause := policy.Rule{Name: "pause", Actions: send, Limit: policy.Gap{Min: 50 * s, Max: 50 * s, Every: 2}}
	shadow := pause
	shadow.Shadow = true
	for _, tt := range []struct {
		name string
		old  policy.Rule
		next []policy.Rule
		rule string // that refuses
		wait time.Duration
	}{
		{"same rule", pause, []policy.Rule{pause}, "pause", 50 * s},
		{"another length", pause, []policy.Rule{{Name: "p", Actions: send, Limit: policy.Gap{Min: s, Max: s, Every: 2}}}, "p", 50 * s},
		{"another every", pause, []policy.Rule{{Name: "p", Actions: send, Limit: policy.Gap{Min: s, Max: s}}}, "p", 50 * s},
		{"other actions", pause, []policy.Rule{{Name: "p", Limit: policy.Gap{Min: s, Max: s}}}, "hold", 50 * s},
		{"a shadow", pause, []policy.Rule{{Name: "p", Actions: send, Shadow: true, Limit: policy.Gap{Min: s, Max: s}}}, "hold", 50 * s},
		{"no gap", pause, []policy.Rule{{Name: "w", Limit: policy.SlidingWindow{Max: 9, Window: s}}}, "hold", 50 * s},
		{"no rule", pause, nil, "hold", 50 * s},
		{"from a shadow", shadow, nil, "", 0},
		{"from a shadow to a gap", shadow, []policy.Rule{{Name: "p", Actions: send, Limit: policy.Gap{Min: s, Max: s}}}, "p", 0},
	} {
		l := newLimiter(t, policy.Policy{Rules: []policy.Rule{tt.old}})
		for range 2 {
			require.Equal(t, limiter.Allowed, l.Allow(monday, request(1)).Answer, tt.name)
		}
		setPolicy(t, l, monday, policy.Policy{Rules: tt.next})
		d := l.Check(monday, request(1))
		require.Equal(t, tt.rule, d.Rule, tt.name)
		require.Equal(t, tt.wait, d.RetryAfter, tt.name)
		if tt.wait == 0 {
			require.Equal(t, limiter.Allowed, d.Answer, tt.name)
			continue
		}
		require.Equal(t, limiter.Later, d.Answer, tt.name)
		if tt.rule == "hold" {
			require.Equal(t, "a pause of the policy before", d.Reason())
			require.ErrorContains(t, d.Err(), "a pause of the policy before")
		}
		require.Equal(t, limiter.Allowed, l.Check(monday.Add(50*s), request(1)).Answer, tt.name)
	}
}

// The count to the next pause goes on, through other policies too.
func TestCountToThePauseGoesOn(t *testing.T) {
	t.Parallel()
	every := func(n int64, length time.Duration) policy.Policy {
		return only(policy.Gap{Min: length, Max: length, Every: n})
	}
	l := newLimiter(t, every(5, time.Minute))
	for range 3 {
		l.Allow(monday, request(1))
	}
	setPolicy(t, l, monday, policy.Unlimited())
	setPolicy(t, l, monday, every(3, time.Second))
	l.Allow(monday, request(1))
	setPolicy(t, l, monday, every(5, time.Hour))
	require.Equal(t, int64(1), l.Allow(monday, request(1)).Remaining)
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(1)).Answer)
	require.Equal(t, time.Hour, l.Allow(monday, request(1)).RetryAfter)
	setPolicy(t, l, monday, every(3, time.Second))
	require.Equal(t, time.Hour, l.Check(monday, request(1)).RetryAfter)
	require.Equal(t, int64(1), l.Check(monday.Add(time.Hour), request(1)).Remaining)
}

// Permits in flight count under the new rules, and are settled under them.
func TestPermitsInFlightCountUnderTheNewRules(t *testing.T) {
	t.Parallel()
	const s = time.Second
	gap := policy.Gap{Min: 10 * s, Max: 10 * s}
	for _, tt := range []struct {
		name string
		old  policy.Limit
		next policy.Limit
	}{
		{"window to concurrency", policy.SlidingWindow{Max: 5, Window: s}, policy.Concurrency{Max: 2}},
		{"concurrency to concurrency", policy.Concurrency{Max: 5}, policy.Concurrency{Max: 2}},
		{"concurrency to gap", policy.Concurrency{Max: 5}, gap},
		{"bucket to gap", policy.TokenBucket{Max: 5, Per: s, Burst: 5}, gap},
	} {
		l := newLimiter(t, only(tt.old))
		first, _ := l.Take(monday, request(1))
		second, _ := l.Take(monday, request(1))
		setPolicy(t, l, monday.Add(s), only(tt.next))
		require.Equal(t, limiter.Busy, l.Check(monday.Add(s), request(1)).Answer, tt.name)
		first.Settle(monday.Add(2*s), limiter.Sent)
		if tt.next != gap {
			require.Equal(t, limiter.Allowed, l.Check(monday.Add(2*s), request(1)).Answer, tt.name)
			second.Settle(monday.Add(2*s), limiter.Unsent)
			require.Equal(t, int64(1), l.Check(monday.Add(2*s), request(1)).Remaining, tt.name)
			continue
		}
		// The second's end must not cut the first's pause short.
		require.Equal(t, 10*s, l.Check(monday.Add(2*s), request(1)).RetryAfter, tt.name)
		second.Settle(monday.Add(3*s), limiter.Unsent)
		require.Equal(t, 9*s, l.Check(monday.Add(3*s), request(1)).RetryAfter, tt.name)
	}
}

// A gap that a change of policy brings several sends under is busy until the last of
// them is settled, and then waits for the longest of their pauses; also where the
// account is restored or its policy changes again in between.
func TestGapIsBusyUntilTheLastSendIsSettled(t *testing.T) {
	t.Parallel()
	const m = time.Minute
	gap, other := policy.Gap{Min: m, Max: m}, policy.Gap{Min: m, Max: m, Every: 2}
	same := func(l *limiter.Limiter) { setPolicy(t, l, monday.Add(time.Second), only(gap)) }
	for name, between := range map[string]func(*limiter.Limiter){
		"nothing":           func(*limiter.Limiter) {},
		"another length":    func(l *limiter.Limiter) { setPolicy(t, l, monday, only(policy.Gap{Min: m, Max: m + 1})); same(l) },
		"another every":     func(l *limiter.Limiter) { setPolicy(t, l, monday, only(other)); same(l) },
		"gone and back":     func(l *limiter.Limiter) { setPolicy(t, l, monday, policy.Unlimited()); same(l) },
		"a snapshot, twice": func(l *limiter.Limiter) { snapshot(t, l, monday); snapshot(t, l, monday) },
	} {
		l := newLimiter(t, only(policy.SlidingWindow{Max: 9, Window: time.Hour}))
		var permits []limiter.Permit
		for range 3 {
			p, d := l.Take(monday, request(1))
			require.Equal(t, limiter.Allowed, d.Answer)
			permits = append(permits, p)
		}
		setPolicy(t, l, monday, only(gap))
		permits[0].Settle(monday, limiter.Sent)
		between(l)
		for _, at := range []time.Time{monday, monday.Add(m), monday.Add(time.Hour)} {
			require.Equal(t, limiter.Busy, l.Check(at, request(1)).Answer, name)
		}
		require.Equal(t, m, l.Check(monday, request(1)).RetryAfter, name)
		permits[1].Settle(monday.Add(10*time.Second), limiter.Sent)
		require.Equal(t, limiter.Busy, l.Check(monday.Add(2*m), request(1)).Answer, name)
		permits[2].Settle(monday.Add(20*time.Second), limiter.Unsent)
		d := l.Check(monday.Add(20*time.Second), request(1))
		require.Equal(t, limiter.Later, d.Answer, name)
		require.Equal(t, 50*time.Second, d.RetryAfter, name)
		require.Equal(t, limiter.Allowed, l.Allow(monday.Add(70*time.Second), request(1)).Answer, name)
	}
}

// Sends in flight under a gap are still so where the account is restored: it waits
// until all have run out.
func TestRestoredGapIsBusyUntilTheLastSendRunsOut(t *testing.T) {
	t.Parallel()
	const m = time.Minute
	l := newLimiter(t, only(policy.SlidingWindow{Max: 9, Window: time.Hour}))
	first, _ := l.Take(monday, request(1))
	l.Take(monday.Add(m), request(1))
	l.Take(monday.Add(2*m), request(1))
	setPolicy(t, l, monday.Add(2*m), only(policy.Gap{Min: m, Max: m}))
	first.Settle(monday.Add(2*m), limiter.Sent)
	again := withTTL(t, policy.Unlimited(), 10*m)
	require.NoError(t, again.Restore(monday.Add(2*m), snapshot(t, l, monday.Add(2*m))))
	for _, at := range []time.Duration{2 * m, 3 * m, 11 * m, 12*m - 1} {
		require.Equal(t, limiter.Busy, again.Check(monday.Add(at), request(1)).Answer, "%v", at)
	}
	require.Equal(t, m, again.Check(monday.Add(12*m), request(1)).RetryAfter)
	require.Equal(t, limiter.Allowed, again.Allow(monday.Add(13*m), request(1)).Answer)
}

// A permit that was taken under one rule is given back under another only where
// that can tell its charge from the others.
func TestUnsentAfterAChangeOfPolicyGivesBackNoMore(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for from, old := range kinds(t, 2000) {
		for to, next := range kinds(t, 2000) {
			for _, later := range []time.Duration{0, 20 * time.Minute} { // over midnight
				l := newLimiter(t, only(old))
				now := monday.Truncate(day).Add(23*time.Hour + 50*time.Minute)
				l.Allow(now.Add(-time.Minute), request(40))
				permit, d := l.Take(now, request(50))
				require.Equal(t, limiter.Allowed, d.Answer)
				now = now.Add(later)
				setPolicy(t, l, now, only(next))
				l.Allow(now, request(3))
				before := usedOf(l, now)
				permit.Settle(now, limiter.Unsent)
				after := usedOf(l, now)
				says := fmt.Sprintf("%s to %s after %v: %d, then %d", from, to, later, before, after)
				require.GreaterOrEqual(t, before-after, int64(0), says)
				require.LessOrEqual(t, before-after, int64(50), says)
				require.GreaterOrEqual(t, after, int64(3), says)
				tells := func(s string) bool { return s == "exact" || s == "chunked" }
				if from == to && tells(to) || tells(from) && tells(to) {
					require.Equal(t, int64(50), before-after, says)
				}
				if later > 0 && (to == "calendar") {
					require.Equal(t, before, after, says)
				}
			}
		}
	}
}

// Recipients and new contacts count on, in either scope.
func TestRecipientsAreCarried(t *testing.T) {
	t.Parallel()
	rules := func(n int64) policy.Policy {
		return policy.Policy{Rules: []policy.Rule{
			{Name: "people", Limit: policy.UniqueRecipients{Max: n, Window: time.Hour}},
			{Name: "pair", Scope: policy.ScopeRecipient, Limit: policy.SlidingWindow{Max: n, Window: time.Hour}},
			{Name: "contacts", Limit: policy.NewContacts{Max: 5 * n, Window: time.Hour}},
		}}
	}
	l := newLimiter(t, rules(3))
	to := func(who string) limiter.Request {
		req := request(1)
		req.Recipient, req.NewContact = who, true
		return req
	}
	for _, who := range []string{"a", "b", "c"} {
		require.Equal(t, limiter.Allowed, l.Allow(monday, to(who)).Answer)
	}
	require.Equal(t, "people", l.Check(monday, to("d")).Rule)
	setPolicy(t, l, monday, rules(4))
	require.Equal(t, limiter.Allowed, l.Allow(monday, to("d")).Answer)
	require.Equal(t, "people", l.Check(monday, to("e")).Rule)
	for range 3 {
		require.Equal(t, limiter.Allowed, l.Allow(monday, to("a")).Answer)
	}
	require.Equal(t, "pair", l.Check(monday, to("a")).Rule)
	setPolicy(t, l, monday, rules(1))
	for _, g := range l.Gates(monday, to("b")) {
		if g.Rule == "contacts" {
			require.Equal(t, limiter.Later, g.Answer) // 7 of 5
		}
	}
	setPolicy(t, l, monday, rules(9))
	for _, g := range l.Gates(monday, to("b")) {
		require.Equal(t, map[string]int64{"people": 5, "pair": 7, "contacts": 37}[g.Rule], g.Remaining, g.Rule)
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

// Policies that decide alike are one plan, wherever they were read, so that any
// number of accounts may have a policy of their own.
func TestPoliciesThatAreAlikeShareAPlan(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Unlimited())
	text, err := json.Marshal(everyKind())
	require.NoError(t, err)
	for i := range 50 {
		var read policy.Policy
		require.NoError(t, json.Unmarshal(text, &read))
		read.ID, read.Slug = policy.Unlimited().ID, fmt.Sprint("slug", i)
		require.NoError(t, l.SetPolicy(monday, fmt.Sprint(i), read))
	}
	require.Equal(t, 2, l.Plans())
}

// Rules that count the same in records of different kinds each get their own back
// when a policy without them has passed, whatever their order.
func TestEachRuleGetsItsOwnRestBack(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	limits := []policy.Limit{
		policy.TokenBucket{Max: 1000, Per: day, Burst: 9},
		policy.TokenBucket{Max: 2, Per: day, Burst: 9},
		policy.SlidingWindow{Max: 9, Window: day},
		policy.SlidingWindow{Max: 2000, Window: day},
		policy.CalendarWindow{Max: 10, Unit: policy.Day, Location: time.UTC},
		policy.CalendarWindow{Max: 11, Unit: policy.Day, Location: zone(t, "Asia/Kolkata")},
	}
	rng := rand.New(rand.NewPCG(6, 7))
	for range 200 {
		var p policy.Policy
		for i, k := range rng.Perm(len(limits))[:2+rng.IntN(len(limits)-1)] {
			p.Rules = append(p.Rules, policy.Rule{Name: fmt.Sprint(i), Limit: limits[k]})
		}
		l, now := newLimiter(t, p), monday
		for range 5 {
			l.Allow(now, request(1))
			now = now.Add(time.Duration(rng.Int64N(int64(3 * time.Hour))))
		}
		want := l.Gates(now, request(1))
		setPolicy(t, l, now, policy.Unlimited())
		back := p
		back.Rules = slices.Clone(p.Rules)
		if rng.IntN(2) == 0 {
			rng.Shuffle(len(back.Rules), func(i, j int) { back.Rules[i], back.Rules[j] = back.Rules[j], back.Rules[i] })
		}
		setPolicy(t, l, now, back)
		require.ElementsMatch(t, want, l.Gates(now, request(1)), "%+v", p.Rules)
	}
}

// A pause that goes on in another gap shortens none that runs there.
func TestAPauseThatGoesOnShortensNone(t *testing.T) {
	t.Parallel()
	long := policy.Rule{Name: "long", Limit: policy.Gap{Min: 100 * time.Second, Max: 100 * time.Second}}
	short := policy.Rule{Name: "short", Limit: policy.Gap{Min: 50 * time.Second, Max: 50 * time.Second, Every: 2}}
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{long, short}})
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(1)).Answer)
	now := monday.Add(100 * time.Second)
	require.Equal(t, limiter.Allowed, l.Allow(now, request(1)).Answer)
	setPolicy(t, l, now.Add(10*time.Second), policy.Policy{Rules: []policy.Rule{long}})
	require.Equal(t, 90*time.Second, l.Check(now.Add(10*time.Second), request(1)).RetryAfter)
}
