package limiter_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// TestPermitsRunOutOneByOne takes three a second apart and settles none.
func TestPermitsRunOutOneByOne(t *testing.T) {
	t.Parallel()
	const s = time.Second
	l := withTTL(t, only(policy.Concurrency{Max: 3}), 10*s)
	var permits []limiter.Permit
	for i := range 3 {
		p, d := l.Take(monday.Add(time.Duration(i)*s), request(1))
		require.Equal(t, limiter.Allowed, d.Answer)
		permits = append(permits, p)
	}
	left := func(after time.Duration) int64 {
		g := l.Check(monday.Add(after), request(1)).Gate
		if g.Answer == limiter.Busy {
			return 0
		}
		return g.Remaining + 1
	}
	require.Equal(t, int64(0), left(10*s-1))
	require.Equal(t, int64(1), left(10*s))
	require.Equal(t, int64(1), left(11*s-1))
	require.Equal(t, int64(2), left(11*s))
	require.Equal(t, int64(3), left(12*s))
	permits[1].Settle(monday.Add(11*s-1), limiter.Unsent) // in time; the first has run out
	require.Equal(t, int64(2), left(11*s-1))
	permits[0].Settle(monday.Add(11*s-1), limiter.Unsent) // too late
	require.Equal(t, int64(2), left(11*s-1))
	require.Equal(t, int64(2), left(12*s-1))
	require.Equal(t, int64(3), left(12*s))
	permits[2].Settle(monday.Add(20*s), limiter.Sent)
	require.Equal(t, int64(3), left(20*s))
}

// TestAPauseStartsWhenAPermitRunsOut counts it from there, whoever notices, and
// however late.
func TestAPauseStartsWhenAPermitRunsOut(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, scope := range []policy.Scope{policy.ScopeAccount, policy.ScopeRecipient} {
		p := policy.Policy{Rules: []policy.Rule{{Name: "only", Scope: scope, Limit: policy.Gap{Min: 7 * s, Max: 7 * s}}}}
		for _, noticed := range []time.Duration{10 * s, 12 * s, 17*s - 1} {
			l := withTTL(t, p, 10*s)
			req := request(1)
			req.Recipient = "r"
			permit, _ := l.Take(monday, req)
			narrow := scope == policy.ScopeRecipient
			want := busy(1)
			want.Narrow = narrow
			require.Equal(t, want, l.Check(monday.Add(10*s-1), req).Gate)
			_, d := l.Take(monday.Add(noticed), req)
			want = wait(17*s-noticed, 1, 0, 17*s-noticed)
			want.Narrow = narrow
			require.Equal(t, want, d.Gate)
			permit.Settle(monday.Add(noticed), limiter.Unsent)
			require.Equal(t, limiter.Later, l.Check(monday.Add(17*s-1), req).Answer)
			require.Equal(t, limiter.Allowed, l.Check(monday.Add(17*s), req).Answer)
		}
	}
}

// TestWhatRanOutIsNotGivenBack settles as unsent what counts as sent already.
func TestWhatRanOutIsNotGivenBack(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, r := range map[string]policy.Rule{
		"bucket":    {Limit: policy.TokenBucket{Max: 1, Per: time.Hour}},
		"sliding":   {Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}},
		"people":    {Limit: policy.UniqueRecipients{Max: 1, Window: time.Hour}},
		"pair":      {Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}, Scope: policy.ScopeRecipient},
		"portfolio": {Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}, Scope: policy.ScopePortfolio},
		"audience":  {Limit: policy.UniqueRecipients{Max: 1, Window: time.Hour}, Scope: policy.ScopePortfolio},
	} {
		r.Name = "only"
		for _, late := range []bool{false, true} {
			l := withTTL(t, policy.Policy{Rules: []policy.Rule{r}}, 10*s)
			req := request(1)
			req.Recipient, req.Portfolio = "r", "p"
			p, d := l.Take(monday, req)
			require.Equal(t, limiter.Allowed, d.Answer, name)
			after := 10*s - 1
			if late {
				after = 10 * s
			}
			p.Settle(monday.Add(after), limiter.Unsent)
			if name == "people" || name == "audience" {
				req.Recipient = "s"
			}
			require.Equal(t, !late, l.Check(monday.Add(11*s), req).Answer == limiter.Allowed, "%s, late: %v", name, late)
		}
	}
}

// TestANegativePermitTTLIsForEver leaves a permit for a century, and before 1970.
func TestANegativePermitTTLIsForEver(t *testing.T) {
	t.Parallel()
	for _, start := range []time.Time{monday, time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC)} {
		l := withTTL(t, only(policy.Concurrency{Max: 1}), -1)
		p, _ := l.Take(start, request(1))
		now := start.AddDate(200, 0, 0)
		require.Equal(t, busy(1), l.Check(now, request(1)).Gate)
		p.Settle(now, limiter.Unsent)
		require.Equal(t, limiter.Allowed, l.Check(now, request(1)).Answer)
	}
	l := withTTL(t, only(policy.Concurrency{Max: 1}), 1<<62) // runs out beyond the end of time
	l.Take(monday.AddDate(200, 0, 0), request(1))
	require.Equal(t, busy(1), l.Check(monday.AddDate(230, 0, 0), request(1)).Gate)
}

// TestRunningOutIsASettleAsSent holds a limiter whose permits run out against one
// whose permits are settled as sent, by hand, when they would.
func TestRunningOutIsASettleAsSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawAnyPolicy(t)
		ttl := rapid.SampledFrom([]time.Duration{1, 3 * time.Second, time.Minute}).Draw(t, "ttl")
		alone, byHand := withTTL(t, p, ttl), withTTL(t, p, -1)
		now := drawStart(t)
		type taken struct {
			alone, byHand limiter.Permit
			out           time.Time
		}
		var open []taken
		var retry time.Duration
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(drawPass(t, retry))
			if rapid.IntRange(0, 3).Draw(t, "to the end") == 0 && len(open) > 0 && open[0].out.After(now) {
				now = open[0].out.Add(-rapid.SampledFrom([]time.Duration{0, 0, 1}).Draw(t, "before"))
			}
			for len(open) > 0 && !open[0].out.After(now) {
				open[0].byHand.Settle(open[0].out, limiter.Sent)
				open = open[1:]
			}
			if len(open) > 0 && rapid.IntRange(0, 2).Draw(t, "settle") == 0 {
				i, o := rapid.IntRange(0, len(open)-1).Draw(t, "permit"), drawOutcome(t)
				open[i].alone.Settle(now, o)
				open[i].byHand.Settle(now, o)
				open = slices.Delete(open, i, i+1)
				continue
			}
			req := drawAnyRequest(t)
			require.Equal(t, byHand.Gates(now, req), alone.Gates(now, req))
			a, d := alone.Take(now, req)
			b, want := byHand.Take(now, req)
			require.Equal(t, want, d)
			retry = d.RetryAfter
			if d.Answer == limiter.Allowed {
				open = append(open, taken{a, b, now.Add(ttl)})
			}
		}
	})
}

// A permit that has run out starts the pause of its own recipient alone, also for who
// only looks.
func TestAPermitRunsOutForItsRecipient(t *testing.T) {
	t.Parallel()
	l := withTTL(t, policy.Policy{Rules: []policy.Rule{
		{Name: "each", Scope: policy.ScopeRecipient, Limit: policy.Gap{Min: time.Minute, Max: time.Minute}},
	}}, 10*time.Second)
	require.Equal(t, limiter.Allowed, l.Allow(monday.Add(-50*time.Second), to("b")).Answer)
	_, d := l.Take(monday, to("a"))
	require.Equal(t, limiter.Allowed, d.Answer)
	now := monday.Add(20 * time.Second)
	require.Equal(t, 50*time.Second, l.Check(now, to("a")).RetryAfter)
	require.Equal(t, limiter.Allowed, l.Check(now, to("b")).Answer)
	require.Equal(t, limiter.Allowed, l.Allow(now, to("b")).Answer)
}
