package limiter_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

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
