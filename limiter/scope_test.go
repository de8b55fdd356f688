package limiter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// each is a policy of one rule that every pair of account and recipient has for
// itself.
func each(limit policy.Limit) []policy.Rule {
	return []policy.Rule{{Name: "only", Scope: policy.ScopeRecipient, Limit: limit}}
}

func TestEachRecipientHasABudgetOfItsOwn(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tell(t, []story{
		{
			name: "a pause after each send", rules: each(policy.Gap{Min: 6 * s, Max: 6 * s}),
			steps: []step{
				{0, allow(1).to("a"), yes(1, 0, 0)},
				{s, allow(1).to("a"), wait(5*s, 1, 0, 5*s)},
				{s, allow(1).to("b"), yes(1, 0, 0)},
				{s, allow(1).to("a").of(bob), yes(1, 0, 0)},
				{6 * s, take("a", 1).to("a"), yes(1, 0, 0)},
				{7 * s, allow(1).to("a"), busy(1)},
				{7 * s, allow(1).to("b"), yes(1, 0, 0)},
				{8 * s, settle("a", limiter.Sent), limiter.Gate{}},
				{8 * s, allow(1).to("a"), wait(6*s, 1, 0, 6*s)},
			},
		},
		{
			name: "a message every 6 s, 45 at once", rules: each(policy.TokenBucket{Max: 1, Per: 6 * s, Burst: 45}),
			steps: []step{
				{0, allow(45).to("a"), yes(45, 0, 270*s)},
				{0, allow(1).to("a"), wait(6*s, 45, 0, 270*s)},
				{0, allow(44).to("b"), yes(45, 1, 264*s)},
				{0, allow(45).to("a").of(bob), yes(45, 0, 270*s)},
				{6 * s, allow(1).to("a"), yes(45, 0, 270*s)},
				{6 * s, allow(2).to("b"), yes(45, 0, 270*s)},
				{6 * s, allow(46).to("c"), no(45, 45)},
			},
		},
		{
			name: "a window that slides", rules: each(policy.SlidingWindow{Max: 2, Window: 10 * s}),
			steps: []step{
				{0, allow(2).to("a"), yes(2, 0, 10*s)},
				{s, take("b", 2).to("b"), yes(2, 0, 10*s)},
				{s, allow(1).to("a"), wait(9*s, 2, 0, 9*s)},
				{s, settle("b", limiter.Unsent), limiter.Gate{}},
				{s, allow(2).to("b"), yes(2, 0, 10*s)},
				{10 * s, allow(1).to("b"), wait(s, 2, 0, s)},
				{10 * s, allow(1).to("a"), yes(2, 1, 10*s)},
			},
		},
		{
			name: "a calendar day", rules: each(policy.CalendarWindow{Max: 1, Unit: policy.Day}),
			steps: []step{
				{0, allow(1).to("a"), yes(1, 0, 16*time.Hour)},
				{0, allow(1).to("a"), wait(16*time.Hour, 1, 0, 16*time.Hour)},
				{0, allow(1).to("b"), yes(1, 0, 16*time.Hour)},
				{16 * time.Hour, allow(1).to("a"), yes(1, 0, 24*time.Hour)},
			},
		},
		{
			name: "one in flight", rules: each(policy.Concurrency{Max: 1}),
			steps: []step{
				{0, take("a", 1).to("a"), yes(1, 0, 0)},
				{0, take("b", 1).to("b"), yes(1, 0, 0)},
				{0, take("c", 1).to("a"), busy(1)},
				{0, settle("a", limiter.Unsent), limiter.Gate{}},
				{0, take("c", 1).to("a"), yes(1, 0, 0)},
				{0, take("d", 1).to("b"), busy(1)},
			},
		},
		{
			name: "a clock set back starts all of an account's pauses again", rules: each(policy.Gap{Min: 6 * s, Max: 6 * s}),
			steps: []step{
				{100 * s, allow(1).to("a"), yes(1, 0, 0)},
				{105 * s, allow(1).to("b"), yes(1, 0, 0)},
				{50 * s, allow(1).to("b"), wait(6*s, 1, 0, 6*s)},
				{51 * s, allow(1).to("a"), wait(5*s, 1, 0, 5*s)},
				{56 * s, allow(1).to("a"), yes(1, 0, 0)},
				{56 * s, allow(1).to("b"), yes(1, 0, 0)},
			},
		},
	})
}

// TestPausesDifferFromPairToPair draws for many pairs, and again with the same
// seed.
func TestPausesDifferFromPairToPair(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: each(policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second})}
	draw := func() (drawn []time.Duration) {
		l := newLimiter(t, p)
		for _, account := range []string{alice, bob} {
			for i := range 50 {
				req := limiter.Request{Account: account, Action: policy.SendMessage, Recipient: fmt.Sprint(i)}
				require.Equal(t, limiter.Allowed, l.Allow(monday, req).Answer)
				pause := l.Check(monday, req).RetryAfter
				require.GreaterOrEqual(t, pause, 5*time.Second)
				require.LessOrEqual(t, pause, 9*time.Second)
				drawn = append(drawn, pause)
			}
		}
		return drawn
	}
	first := draw()
	require.Equal(t, first, draw())
	seen := map[time.Duration]bool{}
	for _, pause := range first {
		require.False(t, seen[pause], "two pairs with one pause")
		seen[pause] = true
	}
}

// TestAnAccountIsChargedWhileItsRecipientsGrow gives account and recipient records
// of one size, which are kept side by side.
func TestAnAccountIsChargedWhileItsRecipientsGrow(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]func(int64) policy.Limit{
		"sliding":  func(n int64) policy.Limit { return policy.SlidingWindow{Max: n, Window: time.Hour} },
		"bucket":   func(n int64) policy.Limit { return policy.TokenBucket{Max: 1, Per: 100 * time.Hour, Burst: n} },
		"calendar": func(n int64) policy.Limit { return policy.CalendarWindow{Max: n, Unit: policy.Day} },
		"chunked":  func(n int64) policy.Limit { return policy.SlidingWindow{Max: 2000 + n, Window: time.Hour} },
	} {
		l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
			{Name: "account", Limit: limit(300)},
			{Name: "pair", Scope: policy.ScopeRecipient, Limit: limit(1)},
		}})
		for i := range 300 {
			req := request(1)
			req.Recipient = fmt.Sprint(i)
			gates := l.Gates(monday, req)
			for _, g := range gates {
				if g.Rule == "account" {
					require.Equal(t, g.Limit-int64(i)-1, g.Remaining, "%s: request %d was not counted", name, i)
				}
			}
			require.Equal(t, limiter.Allowed, l.Allow(monday, req).Answer, "%s: request %d", name, i)
		}
	}
}

// TestAKeyThatRulesAskForIsNeeded leaves it out, and makes it as wrong as can be.
func TestAKeyThatRulesAskForIsNeeded(t *testing.T) {
	t.Parallel()
	hour := policy.SlidingWindow{Max: 1, Window: time.Hour}
	people := policy.UniqueRecipients{Max: 1, Window: time.Hour}
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
		{Name: "pair", Actions: []policy.Action{"pair"}, Scope: policy.ScopeRecipient, Limit: hour},
		{Name: "people", Actions: []policy.Action{"people"}, Limit: people},
		{Name: "shared", Actions: []policy.Action{"shared"}, Scope: policy.ScopePortfolio, Limit: hour},
		{Name: "audience", Actions: []policy.Action{"audience"}, Scope: policy.ScopePortfolio, Limit: people},
		{Name: "plain", Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}},
	}})
	long := strings.Repeat("4", limiter.MaxKey+1)
	for _, tt := range []struct {
		action               policy.Action
		recipient, portfolio string
		want                 string
	}{
		{"pair", "", "p", `limiter: recipient "": rule "pair" counts by it; name it`},
		{"people", "", "p", `limiter: recipient "": rule "people" counts by it; name it`},
		{"shared", "r", "", `limiter: portfolio "": rule "shared" counts by it; name it`},
		{"audience", "", "p", `limiter: recipient "": rule "audience" counts by it; name it`},
		{"audience", "r", "", `limiter: portfolio "": rule "audience" counts by it; name it`},
		{"pair", "4477009\x00", "", `limiter: recipient`},
		{"pair", long, "", `use at most 256 bytes, not 257`},
		{"shared", "", long, `use at most 256 bytes, not 257`},
		{"shared", "", "447700900001\x00", `leave NUL bytes out`},
	} {
		req := limiter.Request{Account: alice, Action: tt.action, Recipient: tt.recipient, Portfolio: tt.portfolio}
		p, d := l.Take(monday, req)
		require.Equal(t, limiter.Permit{}, p)
		require.Equal(t, limiter.Gate{Rule: "request", Answer: limiter.Never}, d.Gate, "%+v", req)
		require.ErrorContains(t, d.Err(), tt.want)
		require.NotContains(t, d.Err().Error(), "447700900001")
		require.Equal(t, d, l.Check(monday, req))
		require.Equal(t, d, l.Allow(monday, req))
		require.Equal(t, []limiter.Gate{d.Gate}, l.Gates(monday, req))
	}
	require.Zero(t, l.Accounts(), "a wrong request made a record")
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(1)).Answer, "a key that no rule asks for is not needed")
	require.Equal(t, limiter.Allowed, l.Allow(monday, limiter.Request{Account: bob, Action: "send", Recipient: long, Portfolio: "\x00"}).Answer)
}
