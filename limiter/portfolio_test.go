package limiter_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// shared is a policy of one rule that all accounts of a portfolio share.
func shared(limit policy.Limit) []policy.Rule {
	return []policy.Rule{{Name: "only", Scope: policy.ScopePortfolio, Limit: limit}}
}

func TestAccountsShareAPortfolio(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tell(t, []story{
		{
			name: "a window", rules: shared(policy.SlidingWindow{Max: 3, Window: 10 * s}),
			steps: []step{
				{0, allow(1).in("p"), yes(3, 2, 10*s)},
				{s, allow(2).of(bob).in("p"), yes(3, 0, 10*s)},
				{s, allow(1).in("p"), wait(9*s, 3, 0, 9*s)},
				{s, allow(3).in("q"), yes(3, 0, 10*s)},
				{10 * s, allow(1).in("p"), yes(3, 0, s)},
			},
		},
		{
			name: "a recipient counts once, whoever sends", rules: shared(policy.UniqueRecipients{Max: 2, Window: 10 * s}),
			steps: []step{
				{0, allow(1).to("a").in("p"), yes(2, 1, 10*s)},
				{s, allow(1).to("a").of(bob).in("p"), yes(2, 1, 10*s)},
				{s, take("b", 1).to("b").of(bob).in("p"), yes(2, 0, 10*s)},
				{s, allow(1).to("c").in("p"), wait(10*s, 2, 0, 10*s)},
				{2 * s, settle("b", limiter.Refused), limiter.Gate{}},
				{2 * s, allow(1).to("c").in("p"), yes(2, 0, 9*s)},
				{2 * s, allow(1).to("b").in("q"), yes(2, 1, 10*s)},
			},
		},
		{
			name: "a bucket is given back to", rules: shared(policy.TokenBucket{Max: 1, Per: s, Burst: 2}),
			steps: []step{
				{0, take("a", 2).in("p"), yes(2, 0, 2*s)},
				{0, allow(1).of(bob).in("p"), wait(s, 2, 0, 2*s)},
				{0, settle("a", limiter.Unsent), limiter.Gate{}},
				{0, allow(2).of(bob).in("p"), yes(2, 0, 2*s)},
			},
		},
		{
			name: "new contacts of all", rules: shared(policy.NewContacts{Max: 1, Window: 10 * s}),
			steps: []step{
				{0, allow(1).first().in("p"), yes(1, 0, 10*s)},
				{0, allow(1).of(bob).first().in("p"), wait(10*s, 1, 0, 10*s)},
				{0, allow(1).of(bob), free},
			},
		},
		{
			name: "a day of all", rules: shared(policy.CalendarWindow{Max: 1, Unit: policy.Day}),
			steps: []step{
				{0, allow(1).in("p"), yes(1, 0, 16*time.Hour)},
				{0, allow(1).of(bob).in("p"), wait(16*time.Hour, 1, 0, 16*time.Hour)},
			},
		},
		{
			name: "it has one name with an account and is another", rules: []policy.Rule{
				{Name: "mine", Limit: policy.SlidingWindow{Max: 2, Window: 10 * s}},
				{Name: "only", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 1, Window: 10 * s}},
			},
			steps: []step{
				{0, allow(1).of(bob).in(alice), yes(1, 0, 10*s)},
				{0, allow(1).in(bob), yes(1, 0, 10*s)},
				{0, allow(1).in(alice), wait(10*s, 1, 0, 10*s)},
				{0, allow(1).in("p"), by("mine", yes(2, 0, 10*s))},
			},
		},
		{
			name: "who settles last moves all on", rules: shared(policy.UniqueRecipients{Max: 2, Window: 10 * s}),
			steps: []step{
				{0, allow(1).to("a").in("p"), yes(2, 1, 10*s)},
				{5 * s, take("b", 1).to("b").in("p"), yes(2, 0, 5*s)},
				{10*s + s/2, settle("b", limiter.Unsent), limiter.Gate{}},
				// Half a second behind, a has left the window for everybody already.
				{10 * s, allow(1).to("c").of(bob).in("p"), yes(2, 1, 10*s+s/2)},
				{10 * s, allow(1).to("d").of(bob).in("p"), yes(2, 0, 10*s+s/2)},
				{20 * s, allow(1).to("e").in("p"), wait(s/2, 2, 0, s/2)},
			},
		},
	})
}

// What an account has seen of a clock that trembles is its own: whoever gives back to
// a portfolio brings the time it was told, and a clock that was set back restarts the
// portfolio's waits then. What ends as sent brings none.
func TestAPortfolioHasAClockOfItsOwn(t *testing.T) {
	t.Parallel()
	const s = time.Second
	mine := policy.Rule{Name: "mine", Actions: []policy.Action{"look"}, Limit: policy.SlidingWindow{Max: 9, Window: s}}
	ours := policy.Rule{Name: "only", Actions: []policy.Action{"send_message"}, Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 3, Window: 10 * s}}
	for _, tt := range []struct {
		name        string
		settle      time.Duration // from monday, after the account has seen 900 ms
		outcome     limiter.Outcome
		ask         time.Duration // and charge once more
		first, last time.Duration // until the charges have left the window
	}{
		{"ahead", 0, limiter.Unsent, 0, 10 * s, 10 * s},
		{"refused", 0, limiter.Refused, 0, 10 * s, 10 * s},
		{"as sent", 2 * s, limiter.Sent, s / 2, 9*s + s/2, 10 * s},
		{"given back later", 2 * s, limiter.Unsent, s + s/2, 8*s + s/2, 10*s + s/2},
		{"set back", -2 * s, limiter.Unsent, 0, 8 * s, 10 * s},
		{"no time", -1 << 62, limiter.Unsent, 0, 10 * s, 10 * s},
	} {
		l := newLimiter(t, policy.Policy{Rules: []policy.Rule{mine, ours}})
		req := limiter.Request{Account: alice, Action: policy.SendMessage, Portfolio: "p"}
		require.Equal(t, limiter.Allowed, l.Allow(monday, req).Answer)
		p, d := l.Take(monday, req)
		require.Equal(t, limiter.Allowed, d.Answer)
		require.Equal(t, limiter.Allowed, l.Allow(monday.Add(900*time.Millisecond), limiter.Request{Account: alice, Action: "look"}).Answer)
		at := monday.Add(tt.settle)
		if tt.settle < -time.Hour {
			at = time.Time{}
		}
		p.Settle(at, tt.outcome)
		req.Account, req.Cost = bob, 3
		now := monday.Add(tt.ask)
		l.Allow(now, limiter.Request{Account: bob, Action: policy.SendMessage, Portfolio: "p"})
		require.Equal(t, tt.last, l.Check(now, req).RetryAfter, tt.name)
		if req.Cost = 2; tt.outcome != limiter.Unsent {
			req.Cost = 1
		}
		require.Equal(t, tt.first, l.Check(now, req).RetryAfter, tt.name)
	}
}

// TestPortfoliosAreSharedByAllAtOnce has many callers at a few accounts and
// portfolios, each account in each portfolio, so that locks are taken in every
// combination. No budget is passed, and once all is quiet none is short of what
// was admitted: a request that one of its rules refused took nothing of the others.
func TestPortfoliosAreSharedByAllAtOnce(t *testing.T) {
	t.Parallel()
	const (
		accounts   = 16
		portfolios = 5
		mine, ours = 23, 61
	)
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
		{Name: "mine", Limit: policy.SlidingWindow{Max: mine, Window: time.Hour}},
		{Name: "pair", Scope: policy.ScopeRecipient, Limit: policy.SlidingWindow{Max: 9, Window: time.Hour}},
		{Name: "ours", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: ours, Window: time.Hour}},
		{Name: "people", Scope: policy.ScopePortfolio, Limit: policy.UniqueRecipients{Max: 1000, Window: time.Hour}},
	}})
	req := func(account, portfolio, recipient int) limiter.Request {
		return limiter.Request{
			Account: fmt.Sprint("a", account), Portfolio: fmt.Sprint("p", portfolio), Recipient: fmt.Sprint("r", recipient),
			Action: policy.SendMessage,
		}
	}
	var byAccount [accounts]atomic.Int64
	var byPortfolio [portfolios]atomic.Int64
	crowd(func(caller int) {
		for i := range 120 {
			n := caller*7919 + i*31
			a, p, r := n%accounts, (n/accounts+caller)%portfolios, (n/7)%40
			switch i % 8 {
			case 0:
				l.Check(monday, req(a, p, r))
				continue
			case 1:
				l.Gates(monday, req(a, p, r))
				continue
			}
			permit, d := l.Take(monday, req(a, p, r))
			if d.Answer != limiter.Allowed {
				continue
			}
			if i%3 == 0 {
				permit.Settle(monday, limiter.Unsent)
				continue
			}
			byAccount[a].Add(1)
			byPortfolio[p].Add(1)
			if i%3 == 1 {
				permit.Settle(monday, limiter.Sent)
			}
		}
	})
	remaining := func(req limiter.Request, rule string) int64 {
		for _, g := range l.Gates(monday, req) {
			if g.Rule == rule {
				if g.Answer == limiter.Allowed {
					g.Remaining++
				}
				return g.Remaining
			}
		}
		t.Fatal("no rule", rule)
		return 0
	}
	for a := range accounts {
		require.Equal(t, mine-byAccount[a].Load(), remaining(req(a, 0, 1000), "mine"), "account %d", a)
	}
	total := int64(0)
	for p := range portfolios {
		total += byPortfolio[p].Load()
		require.Equal(t, ours-byPortfolio[p].Load(), remaining(req(0, p, 1000), "ours"), "portfolio %d", p)
	}
	require.Positive(t, total)
}

// TestARestoredPortfolioIsNotGivenBackTo settles permits of before as unsent: what
// they took is not in what was restored.
func TestARestoredPortfolioIsNotGivenBackTo(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]policy.Limit{
		"calendar": policy.CalendarWindow{Max: 5, Unit: policy.Day},
		"sliding":  policy.SlidingWindow{Max: 5, Window: time.Hour},
		"chunked":  policy.SlidingWindow{Max: 5000, Window: time.Hour},
		"bucket":   policy.TokenBucket{Max: 1, Per: time.Hour, Burst: 5},
		"people":   policy.UniqueRecipients{Max: 5, Window: time.Hour},
	} {
		l := newLimiter(t, policy.Policy{Rules: shared(limit)})
		req := limiter.Request{Account: alice, Action: policy.SendMessage, Portfolio: "p", Recipient: "r"}
		require.Equal(t, limiter.Allowed, l.Allow(monday, req).Answer)
		b, err := l.SnapshotPortfolio(monday, "p")
		require.NoError(t, err)
		req.Recipient = "s"
		p, _ := l.Take(monday.Add(1), req)
		require.NoError(t, l.Restore(monday.Add(2), b))
		left := l.Check(monday.Add(2), req).Remaining
		p.Settle(monday.Add(2), limiter.Unsent)
		require.Equal(t, left, l.Check(monday.Add(2), req).Remaining, name)
		q, _ := l.Take(monday.Add(3), req)
		require.Equal(t, left-1, l.Check(monday.Add(3), limiter.Request{Account: bob, Action: policy.SendMessage, Portfolio: "p", Recipient: "t"}).Remaining)
		q.Settle(monday.Add(3), limiter.Unsent)
		require.Equal(t, left, l.Check(monday.Add(3), req).Remaining, "%s: one of after is given back", name)
	}
}

// TestARestoredAccountLetsItsPortfolioGo restores an account over a permit in
// flight, which is void then and holds no portfolio.
func TestARestoredAccountLetsItsPortfolioGo(t *testing.T) {
	t.Parallel()
	l := roomFor(t, 1, time.Minute, policy.Rule{Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 9, Window: time.Second}})
	_, d := l.Take(monday, of(alice))
	require.Equal(t, limiter.Allowed, d.Answer)
	b, err := l.Snapshot(monday, alice)
	require.NoError(t, err)
	require.NoError(t, l.Restore(monday, b))
	req := of(alice)
	req.Portfolio = "q"
	require.Equal(t, limiter.Allowed, l.Allow(monday.Add(time.Hour), req).Answer)
}
