package limiter_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestSeveralRulesStepByStep(t *testing.T) {
	t.Parallel()
	const s = time.Second
	send, lookUp := policy.SendMessage, policy.CheckNumber
	tell(t, []story{
		{
			name: "the rule that frees last is named, and nothing is taken by the others",
			rules: []policy.Rule{
				{Name: "second", Limit: policy.TokenBucket{Max: 1, Per: s}},
				{Name: "ten", Limit: policy.SlidingWindow{Max: 2, Window: 10 * s}},
			},
			steps: []step{
				{0, allow(1), by("second", yes(1, 0, s))},
				{0, allow(1), by("second", wait(s, 1, 0, s))},
				{s, allow(1), by("second", yes(1, 0, s))},
				{s, allow(1), by("ten", wait(9*s, 2, 0, 9*s))},
				{2 * s, allow(1), by("ten", wait(8*s, 2, 0, 8*s))},
				{10 * s, allow(1), by("second", yes(1, 0, s))},
				{10 * s, allow(1), by("second", wait(s, 1, 0, s))}, // of two that free at once the first
			},
		},
		{
			name: "allowed names the rule with the smallest share left",
			rules: []policy.Rule{
				{Name: "hundred", Limit: policy.SlidingWindow{Max: 100, Window: 10 * s}},
				{Name: "four", Limit: policy.SlidingWindow{Max: 4, Window: 10 * s}},
				{Name: "large", Limit: policy.CalendarWindow{Max: math.MaxInt64, Unit: policy.Day}},
			},
			steps: []step{
				{0, allow(1), by("four", yes(4, 3, 10*s))},
				{0, allow(3), by("four", yes(4, 0, 10*s))},
				{0, allow(5), by("four", no(4, 0))},
			},
		},
		{
			name: "never is stronger than busy, and busy than later",
			rules: []policy.Rule{
				{Name: "window", Limit: policy.SlidingWindow{Max: 2, Window: 10 * s}},
				{Name: "one", Limit: policy.Concurrency{Max: 1}},
			},
			steps: []step{
				{0, take("a", 1), by("one", yes(1, 0, 0))},
				{s, check(1), by("one", busy(1))},
				{s, check(2), by("one", retry(9*s, busy(1)))}, // the window frees no sooner
				{s, check(3), by("window", no(2, 1))},
				{2 * s, settle("a", limiter.Sent), limiter.Gate{}},
				{2 * s, check(2), by("window", wait(8*s, 2, 1, 8*s))},
			},
		},
		{
			name: "rules cover their own actions",
			rules: []policy.Rule{
				{Name: "sends", Actions: []policy.Action{send}, Limit: policy.SlidingWindow{Max: 1, Window: 10 * s}},
				{Name: "api", Actions: []policy.Action{"POST /api/*", lookUp}, Limit: policy.SlidingWindow{Max: 2, Window: 20 * s}},
			},
			steps: []step{
				{0, allow(1).doing(send), by("sends", yes(1, 0, 10*s))},
				{0, allow(1).doing(send), by("sends", wait(10*s, 1, 0, 10*s))},
				{0, allow(1).doing("POST /api/media"), by("api", yes(2, 1, 20*s))},
				{0, allow(1).doing(lookUp), by("api", yes(2, 0, 20*s))},
				{0, allow(1).doing("POST /api/"), by("api", wait(20*s, 2, 0, 20*s))},
				{0, allow(1).doing("POST /api/*"), by("api", wait(20*s, 2, 0, 20*s))},
				{0, allow(1).doing("POST /api"), free},
				{0, allow(math.MaxInt64).doing("group_info"), free},
			},
		},
		{
			name:  "accounts have budgets of their own",
			rules: []policy.Rule{{Name: "only", Limit: policy.SlidingWindow{Max: 1, Window: 10 * s}}},
			steps: []step{
				{0, allow(1).of("a"), yes(1, 0, 10*s)},
				{0, allow(1).of("a"), wait(10*s, 1, 0, 10*s)},
				{0, allow(1).of("b"), yes(1, 0, 10*s)},
				{0, allow(1).of("A"), yes(1, 0, 10*s)},
			},
		},
		{
			name: "a rolling day and a calendar day",
			rules: []policy.Rule{
				{Name: "rolling", Limit: policy.SlidingWindow{Max: 3, Window: 24 * time.Hour}},
				{Name: "calendar", Limit: policy.CalendarWindow{Max: 2, Unit: policy.Day}},
			},
			start: time.Date(2026, 1, 5, 22, 0, 0, 0, time.UTC),
			steps: []step{
				{0, allow(2), by("calendar", yes(2, 0, 2*time.Hour))},
				{0, allow(1), by("calendar", wait(2*time.Hour, 2, 0, 2*time.Hour))},
				{2 * time.Hour, allow(1), by("rolling", yes(3, 0, 22*time.Hour))},
				{2 * time.Hour, allow(1), by("rolling", wait(22*time.Hour, 3, 0, 22*time.Hour))},
				{24 * time.Hour, allow(1), by("calendar", yes(2, 0, 2*time.Hour))},
			},
		},
		{
			name: "no rules allow everything",
			steps: []step{
				{0, allow(math.MaxInt64), free},
				{0, take("a", 1), free},
				{0, settle("a", limiter.Unsent), limiter.Gate{}},
			},
		},
	})
}

// A request that no rule covers is a send like any other to its caller.
func TestUncoveredRequestHoldsNothing(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Standard())
	req := limiter.Request{Account: alice, Action: "anything"}
	p, d := l.Take(monday, req)
	require.NoError(t, d.Err())
	require.Equal(t, limiter.Permit{}, p)
	require.Nil(t, l.Gates(monday, req))
}

// The strongest refusal comes first, then what frees last, then what is scarcest.
func TestGatesStandInTheOrderInWhichTheyBind(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
		{Name: "roomy", Limit: policy.SlidingWindow{Max: 100, Window: time.Minute}},
		{Name: "scarce", Limit: policy.SlidingWindow{Max: 4, Window: time.Minute}},
		{Name: "soon", Limit: policy.SlidingWindow{Max: 2, Window: time.Second}},
		{Name: "late", Limit: policy.SlidingWindow{Max: 2, Window: time.Hour}},
		{Name: "flying", Limit: policy.Concurrency{Max: 1}},
		{Name: "small", Limit: policy.CalendarWindow{Max: 1, Unit: policy.Hour}},
		{Name: "other", Actions: []policy.Action{policy.CheckNumber}, Limit: policy.Concurrency{}},
	}})
	_, d := l.Take(monday, request(1))
	require.Equal(t, "flying", d.Rule) // the first of those with nothing left
	require.Equal(t, []limiter.Gate{
		by("small", no(1, 0)),
		by("flying", busy(1)),
		by("late", wait(time.Hour, 2, 1, time.Hour)),
		by("soon", wait(time.Second, 2, 1, time.Second)),
		by("scarce", yes(4, 1, time.Minute)),
		by("roomy", yes(100, 97, time.Minute)),
	}, l.Gates(monday, request(2)))
}

// The order of rules breaks ties and changes nothing else.
func TestOrderOfRulesChangesNoAnswer(t *testing.T) {
	t.Parallel()
	rules := policy.Standard().Rules
	turned := make([]policy.Rule, 0, len(rules))
	for i := range rules {
		turned = append(turned, rules[len(rules)-1-i])
	}
	a, b := newLimiter(t, policy.Policy{Rules: rules}), newLimiter(t, policy.Policy{Rules: turned})
	now := monday
	for range 100 {
		p, d := a.Take(now, request(1))
		q, e := b.Take(now, request(1))
		require.Equal(t, d.Answer, e.Answer)
		require.Equal(t, d.RetryAfter, e.RetryAfter)
		now = now.Add(d.RetryAfter + time.Second)
		p.Settle(now, limiter.Sent)
		q.Settle(now, limiter.Sent)
	}
}

func TestNewReportsEveryBadField(t *testing.T) {
	t.Parallel()
	_, err := limiter.New(policy.Policy{Rules: []policy.Rule{
		{Name: "a", Limit: policy.SlidingWindow{Max: -1}},
		{Name: "request", Limit: policy.Concurrency{Max: 1}},
		{Name: "b"},
	}}, nil)
	require.ErrorIs(t, err, policy.ErrInvalid)
	for _, field := range []string{"rules[0].max", "rules[0].window", "rules[1].name", "rules[2].type"} {
		require.ErrorContains(t, err, field)
	}
	require.ErrorContains(t, err, "limiter: ")
}

// A policy may have as many rules as a set holds, and all of them hold.
func TestAsManyRulesAsThereMayBe(t *testing.T) {
	t.Parallel()
	var p policy.Policy
	for i := range policy.MaxRules {
		p.Rules = append(p.Rules, policy.Rule{Name: string(rune('0' + i)), Limit: policy.SlidingWindow{Max: 100 - int64(i), Window: time.Minute}})
	}
	l := newLimiter(t, p)
	for range 100 - policy.MaxRules + 1 {
		require.Equal(t, limiter.Allowed, l.Allow(monday, request(1)).Answer)
	}
	d := l.Allow(monday, request(1))
	require.Equal(t, limiter.Later, d.Answer)
	require.Equal(t, string(rune('0'+policy.MaxRules-1)), d.Rule)
	require.Len(t, l.Gates(monday, request(1)), policy.MaxRules)
}
