package limiter_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestShadowRulesNeverRefuse(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	for name, tt := range map[string]struct {
		scope policy.Scope
		limit policy.Limit
	}{
		"nothing at all":    {"", policy.SlidingWindow{Window: h}},
		"bucket":            {"", policy.TokenBucket{Max: 1, Per: h, Burst: 100}},
		"sliding":           {"", policy.SlidingWindow{Max: 100, Window: h}},
		"chunked":           {"", policy.SlidingWindow{Max: 1100, Window: h}},
		"calendar":          {"", policy.CalendarWindow{Max: 100, Unit: policy.Day}},
		"gap":               {"", policy.Gap{Min: h, Max: h}},
		"concurrency":       {"", policy.Concurrency{Max: 1}},
		"people":            {"", policy.UniqueRecipients{Max: 1, Window: h}},
		"strangers":         {"", policy.NewContacts{Max: 1, Window: h}},
		"hours":             {"", policy.ActiveHours{From: h, To: 2 * h}},
		"pair bucket":       {policy.ScopeRecipient, policy.TokenBucket{Max: 1, Per: h, Burst: 100}},
		"portfolio sliding": {policy.ScopePortfolio, policy.SlidingWindow{Max: 100, Window: h}},
		"portfolio people":  {policy.ScopePortfolio, policy.UniqueRecipients{Max: 1, Window: h}},
	} {
		l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
			{Name: "shadow", Scope: tt.scope, Limit: tt.limit, Shadow: true},
			{Name: "real", Limit: policy.SlidingWindow{Max: 5000, Window: h}},
		}})
		refused := 0
		for i := range 20 {
			req := request(60)
			req.Recipient, req.Portfolio, req.NewContact = fmt.Sprint(i/10), "p", true
			_, d := l.Take(monday, req)
			require.NoError(t, d.Err(), name)
			require.Equal(t, "real", d.Rule, name)
			if d.ShadowRule != "" {
				require.Equal(t, "shadow", d.ShadowRule)
				refused++
			}
		}
		require.Positive(t, refused, name)
	}
}

// TestAShadowRuleNeedsNoKey has shadow rules count by what requests do not have.
// They report it, and the requests go.
func TestAShadowRuleNeedsNoKey(t *testing.T) {
	t.Parallel()
	window := policy.SlidingWindow{Max: 1, Window: time.Hour}
	for _, r := range []policy.Rule{
		{Name: "pair", Scope: policy.ScopeRecipient, Limit: window},
		{Name: "people", Limit: policy.UniqueRecipients{Max: 1, Window: time.Hour}},
		{Name: "shared", Scope: policy.ScopePortfolio, Limit: window},
		{Name: "audience", Scope: policy.ScopePortfolio, Limit: policy.UniqueRecipients{Max: 1, Window: time.Hour}},
	} {
		r.Shadow = true
		l := newLimiter(t, policy.Policy{Rules: []policy.Rule{r, {Name: "real", Limit: policy.SlidingWindow{Max: 9, Window: time.Hour}}}})
		d := l.Allow(monday, request(1))
		require.Equal(t, by("real", yes(9, 8, time.Hour)), d.Gate, r.Name)
		require.Equal(t, r.Name, d.ShadowRule)
		require.Equal(t, []limiter.Gate{
			by("real", yes(9, 7, time.Hour)),
			{Rule: r.Name, Answer: limiter.Never, Shadow: true},
		}, l.Gates(monday, request(1)))

		req := request(1)
		req.Recipient, req.Portfolio = "r", "p"
		require.Empty(t, l.Allow(monday, req).ShadowRule, "%s counts what has the key", r.Name)
		req.Recipient = "s"
		shared := r.Scope != policy.ScopeRecipient
		require.Equal(t, shared, l.Allow(monday, req).ShadowRule == r.Name, r.Name)

		// A rule in force beside it needs the key all the same.
		both := newLimiter(t, policy.Policy{Rules: []policy.Rule{r, {Name: "real", Scope: r.Scope, Limit: r.Limit}}})
		require.Equal(t, "request", both.Allow(monday, request(1)).Rule, r.Name)
		require.ErrorContains(t, both.Check(monday, request(1)).Err(), `rule "real" counts by it`)
	}
}

func TestShadowGatesComeLast(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
		{Name: "never", Limit: policy.SlidingWindow{Window: time.Hour}, Shadow: true},
		{Name: "hour", Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}, Shadow: true},
		{Name: "minute", Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}},
		{Name: "second", Limit: policy.SlidingWindow{Max: 1, Window: time.Second}},
	}})
	shadow := func(g limiter.Gate) limiter.Gate { g.Shadow = true; return g }
	d := l.Allow(monday, request(1))
	require.Equal(t, by("minute", yes(1, 0, time.Minute)), d.Gate)
	require.Equal(t, "never", d.ShadowRule)
	require.Equal(t, []limiter.Gate{
		by("minute", wait(time.Minute, 1, 0, time.Minute)),
		by("second", wait(time.Second, 1, 0, time.Second)),
		shadow(by("never", no(0, 0))),
		shadow(by("hour", wait(time.Hour, 1, 0, time.Hour))),
	}, l.Gates(monday, request(1)))
	d = l.Check(monday, request(1))
	require.Equal(t, "minute", d.Rule, "a shadow rule that frees later does not bind")
	require.Equal(t, "never", d.ShadowRule, "it is reported for what is refused too")
}

// drawRule is a rule of any kind in any of its scopes.
func drawRule(t *rapid.T, name string) policy.Rule {
	window := rapid.SampledFrom([]time.Duration{1, 10, 25}).Draw(t, "window")
	most := rapid.Int64Range(0, 4).Draw(t, "max")
	scopes := []policy.Scope{policy.ScopeAccount, policy.ScopeRecipient, policy.ScopePortfolio}
	r := policy.Rule{Name: name}
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		r.Limit = policy.TokenBucket{Max: most, Per: window, Burst: most}
	case 1:
		r.Limit = policy.SlidingWindow{Max: most, Window: window}
	case 2:
		r.Limit = policy.CalendarWindow{Max: most, Unit: policy.Minute}
	case 3:
		r.Limit, scopes = policy.UniqueRecipients{Max: most, Window: window}, []policy.Scope{policy.ScopeAccount, policy.ScopePortfolio}
	case 4:
		r.Limit, scopes = policy.NewContacts{Max: most, Window: window}, []policy.Scope{policy.ScopeAccount, policy.ScopePortfolio}
	case 5:
		r.Limit, scopes = policy.Gap{Min: window / 2, Max: window, Every: rapid.Int64Range(0, 3).Draw(t, "every")}, scopes[:2]
	case 6:
		r.Limit, scopes = policy.Concurrency{Max: most}, scopes[:2]
	default:
		r.Limit, scopes = policy.ActiveHours{From: 8*time.Hour + time.Second, To: 9 * time.Hour}, scopes[:1]
	}
	r.Scope = rapid.SampledFrom(scopes).Draw(t, "scope")
	return r
}

// TestAShadowRuleCountsAsIfItWereInForce holds it against a limiter that has that
// rule alone, in force, and is asked for what the other admits. What is admitted
// is what a limiter without the rule admits.
func TestAShadowRuleCountsAsIfItWereInForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := drawRule(t, "shadow")
		alone := newLimiter(t, policy.Policy{Rules: []policy.Rule{r}})
		p := policy.Policy{Rules: []policy.Rule{drawRule(t, "a"), {Name: "gap", Limit: policy.Gap{Max: 5}}}}
		without := newLimiter(t, p)
		at := rapid.IntRange(0, 2).Draw(t, "place")
		shadow := r
		shadow.Shadow = true
		p.Rules = append(p.Rules[:at:at], append([]policy.Rule{shadow}, p.Rules[at:]...)...)
		l := newLimiter(t, p)

		gateOf := func(l *limiter.Limiter, now time.Time, req limiter.Request) *limiter.Gate {
			for _, g := range l.Gates(now, req) {
				if g.Rule == "shadow" {
					g.Shadow = false
					return &g
				}
			}
			return nil
		}
		type permits struct{ main, alone, without limiter.Permit }
		var open []permits
		now := monday
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, 0, 1, 3, 9, 26, time.Second, time.Minute}).Draw(t, "pass"))
			req := limiter.Request{
				Account:    rapid.SampledFrom([]string{alice, bob}).Draw(t, "account"),
				Action:     policy.SendMessage,
				Recipient:  rapid.SampledFrom([]string{"r", "s", "t"}).Draw(t, "recipient"),
				Portfolio:  rapid.SampledFrom([]string{"p", "q"}).Draw(t, "portfolio"),
				NewContact: rapid.Bool().Draw(t, "new"),
				Cost:       rapid.SampledFrom([]int64{0, 1, 1, 2}).Draw(t, "cost"),
				Keep:       rapid.SampledFrom([]int64{0, 0, 1}).Draw(t, "keep"),
			}
			require.Equal(t, gateOf(alone, now, req), gateOf(l, now, req), "%+v for %+v", r, req)
			main, d := l.Take(now, req)
			plain, answer := without.Take(now, req)
			require.Equal(t, answer.Gate, d.Gate)
			want := alone.Check(now, req)
			require.Equal(t, want.Answer != limiter.Allowed, d.ShadowRule == "shadow", "%+v for %+v", r, req)
			if d.Answer == limiter.Allowed {
				only, _ := alone.Take(now, req)
				open = append(open, permits{main, only, plain})
			}
			if n := len(open); n > 0 && rapid.Bool().Draw(t, "settle") {
				o := rapid.SampledFrom([]limiter.Outcome{limiter.Sent, limiter.Refused, limiter.Unsent}).Draw(t, "outcome")
				i := rapid.IntRange(0, n-1).Draw(t, "which")
				open[i].main.Settle(now, o)
				open[i].alone.Settle(now, o)
				open[i].without.Settle(now, o)
			}
		}
	})
}
