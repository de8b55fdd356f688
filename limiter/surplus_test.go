package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A window that is smaller for a while forgets nothing that it cannot hold.
func TestWindowThatShrinksForgetsNothing(t *testing.T) {
	t.Parallel()
	for _, small := range []int64{0, 1, 10, 1024} {
		l := newLimiter(t, only(policy.SlidingWindow{Max: 4000, Window: time.Hour}))
		require.Equal(t, limiter.Allowed, l.Allow(monday, request(3000)).Answer)
		require.Equal(t, limiter.Allowed, l.Allow(monday.Add(time.Minute), request(500)).Answer)
		now := monday.Add(2 * time.Minute)
		setPolicy(t, l, now, only(policy.SlidingWindow{Max: small, Window: time.Hour}))
		require.NotEqual(t, limiter.Allowed, l.Check(now, request(1)).Answer, small)
		require.Zero(t, l.Check(now, request(1)).Remaining, small)
		setPolicy(t, l, now, only(policy.SlidingWindow{Max: 4000, Window: time.Hour}))
		require.Equal(t, int64(3500), usedOf(l, now), small)
		require.Equal(t, int64(500), usedOf(l, monday.Add(time.Hour)), small)
	}
}

// What a small window cannot hold is kept for a larger one, however much it is, over
// any number of changes, a restart and a clock that is set back.
func TestWindowThatShrinksForgetsNothingOfAnySize(t *testing.T) {
	t.Parallel()
	large := only(policy.SlidingWindow{Max: 1e12, Window: time.Hour})
	for name, smaller := range map[string][]policy.Limit{
		"exact":            {policy.SlidingWindow{Max: 10, Window: time.Hour}},
		"exact twice":      {policy.SlidingWindow{Max: 10, Window: time.Hour}, policy.SlidingWindow{Max: 1024, Window: time.Hour}},
		"none at all":      {policy.SlidingWindow{Max: 10, Window: time.Hour}, policy.Concurrency{Max: 1}, policy.Concurrency{Max: 2}},
		"chunked":          {policy.SlidingWindow{Max: 2000, Window: time.Hour}},
		"chunked, exact":   {policy.SlidingWindow{Max: 2000, Window: time.Hour}, policy.SlidingWindow{Max: 10, Window: time.Hour}},
		"calendar":         {policy.CalendarWindow{Max: 10, Unit: policy.Hour}},
		"calendar, exact":  {policy.CalendarWindow{Max: 10, Unit: policy.Hour}, policy.SlidingWindow{Max: 10, Window: time.Hour}},
		"calendar, others": {policy.CalendarWindow{Max: 10, Unit: policy.Hour}, policy.CalendarWindow{Max: 10, Unit: policy.Hour, Location: zone(t, "Asia/Kolkata")}},
		"calendar, none":   {policy.CalendarWindow{Max: 10, Unit: policy.Hour}, policy.Concurrency{Max: 1}},
	} {
		l, now := newLimiter(t, large), monday
		require.Equal(t, limiter.Allowed, l.Allow(now.Add(-20*time.Minute), request(1e11)).Answer)
		require.Equal(t, limiter.Allowed, l.Allow(now.Add(-10*time.Minute), request(10_000)).Answer)
		require.Equal(t, limiter.Allowed, l.Allow(now, request(100)).Answer)
		for _, limit := range smaller {
			setPolicy(t, l, now, only(limit))
			if _, ok := limit.(policy.Concurrency); !ok {
				require.NotEqual(t, limiter.Allowed, l.Check(now, request(1)).Answer, name)
			}
			moved := newLimiter(t, large)
			require.NoError(t, moved.Restore(now, snapshot(t, l, now)))
			l = moved
		}
		setPolicy(t, l, now, large)
		require.Equal(t, int64(1e11+10_100), usedOf(l, now), name)
		require.GreaterOrEqual(t, usedOf(l, now.Add(45*time.Minute)), int64(10_100), name)
		require.GreaterOrEqual(t, usedOf(l, now.Add(55*time.Minute)), int64(100), name)
		require.Zero(t, usedOf(l, now.Add(time.Hour)), name)

		back := now.Add(-24 * time.Hour)
		setPolicy(t, l, now, only(smaller[0]))
		setPolicy(t, l, back, large)
		require.Equal(t, int64(1e11+10_100), usedOf(l, back), name)
		require.Zero(t, usedOf(l, back.Add(time.Hour)), name)
	}
}

// New contacts too, and those of a portfolio that a restart brings under other rules.
func TestWindowOfNewContactsThatShrinksForgetsNothing(t *testing.T) {
	t.Parallel()
	for _, scope := range []policy.Scope{policy.ScopeAccount, policy.ScopePortfolio} {
		of := func(most int64) policy.Policy {
			return policy.Policy{Rules: []policy.Rule{{Name: "only", Scope: scope, Limit: policy.NewContacts{Max: most, Window: time.Hour}}}}
		}
		l := newLimiter(t, of(5000))
		req := limiter.Request{Account: alice, Action: policy.SendMessage, Portfolio: "p", NewContact: true}
		for range 4500 {
			require.Equal(t, limiter.Allowed, l.Allow(monday, req).Answer)
		}
		for _, p := range []policy.Policy{of(10), of(1000), of(5000)} {
			next := newLimiter(t, p)
			b, err := l.SnapshotPortfolio(monday, "p")
			if scope == policy.ScopeAccount {
				setPolicy(t, l, monday, p)
				b, err = l.Snapshot(monday, alice)
			}
			require.NoError(t, err)
			require.NoError(t, next.Restore(monday, b))
			l = next
		}
		require.Equal(t, int64(499), l.Check(monday, req).Remaining, scope)
		require.Equal(t, int64(4999), l.Check(monday.Add(time.Hour), req).Remaining, scope)
	}
}

// What two windows of one meaning cannot hold stays with each, whatever they are
// called by then.
func TestEachWindowKeepsWhatItCannotHold(t *testing.T) {
	t.Parallel()
	of := func(names string, most ...int64) (p policy.Policy) {
		for i, n := range most {
			p.Rules = append(p.Rules, policy.Rule{Name: names[i : i+1], Limit: policy.SlidingWindow{Max: n, Window: time.Hour}})
		}
		return p
	}
	l := newLimiter(t, of("ab", 50_000, 60_000))
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(30_000)).Answer)
	setPolicy(t, l, monday, of("a", 50_000)) // b is put aside
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(5_000)).Answer)
	setPolicy(t, l, monday, of("ab", 10, 20))
	setPolicy(t, l, monday, of("ba", 20, 10))
	setPolicy(t, l, monday, of("cd", 20, 10))
	setPolicy(t, l, monday, of("cd", 60_000, 50_000))
	for _, g := range l.Gates(monday, request(1)) {
		require.GreaterOrEqual(t, g.Limit-g.Remaining-1, int64(35_000), "%+v", g)
		require.LessOrEqual(t, g.Limit-g.Remaining-1, int64(70_000), "%+v", g)
	}
	setPolicy(t, l, monday, of("c", 60_000))
	setPolicy(t, l, monday, of("ce", 60_000, 80_000))
	for _, g := range l.Gates(monday, request(1)) {
		require.GreaterOrEqual(t, g.Limit-g.Remaining-1, int64(35_000), "%+v", g)
	}
}
