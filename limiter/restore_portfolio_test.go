package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A policy of an account's own is restored under the portfolio rules that the
// limiter has by then.
func TestRestoreTakesThePortfolioRulesOfTheDay(t *testing.T) {
	t.Parallel()
	rules := func(n int64) []policy.Rule {
		return []policy.Rule{{Name: "group", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: n, Window: time.Hour}}}
	}
	original := newLimiter(t, policy.Policy{Rules: rules(5)})
	setPolicy(t, original, monday, only(policy.SlidingWindow{Max: 3, Window: time.Hour}))
	req := to("r")
	original.Allow(monday, req)
	l := newLimiter(t, policy.Policy{Rules: rules(8)})
	for _, b := range [][]byte{snapshot(t, original, monday), portfolioOf(t, original)} {
		require.NoError(t, l.Restore(monday, b))
	}
	gates := l.Gates(monday, req)
	require.Len(t, gates, 2)
	require.Equal(t, int64(3), gates[0].Limit)
	require.Equal(t, int64(1), gates[0].Remaining)
	require.Equal(t, int64(8), gates[1].Limit)
	require.Equal(t, int64(6), gates[1].Remaining)
}

func portfolioOf(t testing.TB, l *limiter.Limiter) []byte {
	b, err := l.SnapshotPortfolio(monday, group)
	require.NoError(t, err)
	return b
}

// A permit of a portfolio that is restored meanwhile gives nothing back to it.
func TestUnsentAfterItsPortfolioWasRestored(t *testing.T) {
	t.Parallel()
	for name, limit := range sized(9) {
		l := newLimiter(t, policy.Policy{Rules: []policy.Rule{{Name: "group", Scope: policy.ScopePortfolio, Limit: limit}}})
		require.Equal(t, limiter.Allowed, l.Allow(monday, to("a")).Answer)
		b := portfolioOf(t, l)
		p, d := l.Take(monday, to("b"))
		require.Equal(t, limiter.Allowed, d.Answer)
		require.NoError(t, l.Restore(monday, b))
		p.Settle(monday, limiter.Unsent)
		require.Equal(t, int64(7), l.Check(monday, to("c")).Remaining, name)

		p, _ = l.Take(monday, to("c"))
		p.Settle(monday, limiter.Unsent)
		require.Equal(t, int64(7), l.Check(monday, to("c")).Remaining, name)
		require.Equal(t, b, portfolioOf(t, l), name)
	}
}

// A portfolio of which a permit was in flight when its account was restored can be
// forgotten.
func TestRestoreLetsGoOfPortfolios(t *testing.T) {
	t.Parallel()
	l, err := limiter.New(policy.Policy{Rules: []policy.Rule{
		{Name: "group", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 9, Window: time.Minute}},
	}}, &limiter.Options{MaxAccounts: 1})
	require.NoError(t, err)
	l.Take(monday, to("a"))
	b := snapshot(t, l, monday)
	require.NoError(t, l.Restore(monday, b))
	other := to("a")
	other.Portfolio = "other"
	require.Equal(t, limiter.Busy, l.Allow(monday.Add(time.Second), other).Answer)
	require.Equal(t, limiter.Allowed, l.Allow(monday.Add(10*time.Minute), other).Answer)
}

// What is left of old rules of a portfolio survives another restart.
func TestRestsOfAPortfolioAreInItsSnapshot(t *testing.T) {
	t.Parallel()
	of := func(names ...string) policy.Policy {
		var p policy.Policy
		for i, name := range names {
			p.Rules = append(p.Rules, policy.Rule{
				Name: name, Scope: policy.ScopePortfolio,
				Limit: policy.SlidingWindow{Max: 5, Window: time.Duration(len(name)+i) * time.Hour},
			})
		}
		return p
	}
	l := newLimiter(t, of("one"))
	l.Allow(monday, to("r"))
	for _, p := range []policy.Policy{of("other"), of("other"), of("one")} {
		b := portfolioOf(t, l)
		l = newLimiter(t, p)
		require.NoError(t, l.Restore(monday, b))
	}
	require.Equal(t, int64(3), l.Check(monday, to("r")).Remaining)
}
