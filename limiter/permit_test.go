package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func withTTL(t require.TestingT, p policy.Policy, ttl time.Duration) *limiter.Limiter {
	l, err := limiter.New(p, &limiter.Options{Seed: 7, PermitTTL: ttl})
	require.NoError(t, err)
	return l
}

// A permit that nobody settles counts as sent when it runs out, to the nanosecond,
// and not a moment sooner.
func TestPermitThatRunsOutCountsAsSent(t *testing.T) {
	t.Parallel()
	for ttl, set := range map[time.Duration]time.Duration{5 * time.Minute: 0, 10 * time.Second: 10 * time.Second} {
		l := withTTL(t, policy.Policy{Rules: []policy.Rule{
			{Name: "gap", Actions: []policy.Action{"gap"}, Limit: policy.Gap{Min: time.Second, Max: time.Second}},
			{Name: "flying", Actions: []policy.Action{"flying"}, Limit: policy.Concurrency{Max: 1}},
			{Name: "window", Limit: policy.SlidingWindow{Max: 2, Window: time.Hour}},
		}}, set)
		gap := limiter.Request{Account: alice, Action: "gap"}
		flying := limiter.Request{Account: alice, Action: "flying"}
		p, _ := l.Take(monday, gap)
		q, _ := l.Take(monday, flying)
		require.Equal(t, limiter.Busy, l.Check(monday.Add(ttl-1), gap).Answer)
		require.Equal(t, limiter.Busy, l.Check(monday.Add(ttl-1), flying).Answer)

		p.Settle(monday.Add(ttl), limiter.Unsent) // too late
		q.Settle(monday.Add(ttl), limiter.Unsent)
		require.Equal(t, limiter.Later, l.Check(monday.Add(ttl), gap).Answer)
		require.Equal(t, "window", l.Check(monday.Add(ttl), gap).Rule)
		for _, g := range l.Gates(monday.Add(ttl), gap) {
			if g.Rule == "gap" {
				require.Equal(t, time.Second, g.RetryAfter)
			}
		}
		require.Empty(t, l.State(alice).Flights)
	}
}

// Asking about a time ahead settles nothing.
func TestCheckAheadOfPermitsLeavesThem(t *testing.T) {
	t.Parallel()
	l := withTTL(t, policy.Standard(), time.Minute)
	p, d := l.Take(monday, request(1))
	require.NoError(t, d.Err())
	before := l.State(alice)
	require.Equal(t, limiter.Allowed, l.Check(monday.Add(time.Hour), request(1)).Answer)
	l.Gates(monday.Add(time.Hour), request(1))
	require.Equal(t, before, l.State(alice))
	p.Settle(monday.Add(time.Second), limiter.Unsent)
	require.Equal(t, limiter.Allowed, l.Check(monday.Add(time.Second), request(1)).Answer)
}

// A permit taken while the clock was a year ahead runs out in its time, not in a
// year.
func TestPermitOfAClockThatRanAheadRunsOut(t *testing.T) {
	t.Parallel()
	for _, limit := range []policy.Limit{policy.Concurrency{Max: 1}, policy.Gap{Min: time.Second, Max: time.Second}} {
		l := withTTL(t, only(limit), time.Minute)
		_, d := l.Take(monday.AddDate(1, 0, 0), request(1))
		require.NoError(t, d.Err())
		require.Equal(t, limiter.Busy, l.Check(monday, request(1)).Answer)
		require.Equal(t, limiter.Busy, l.Check(monday.Add(time.Minute-1), request(1)).Answer)
		require.NotEqual(t, limiter.Busy, l.Check(monday.Add(time.Minute), request(1)).Answer)
		require.Equal(t, limiter.Allowed, l.Check(monday.Add(time.Hour), request(1)).Answer)
	}
}
