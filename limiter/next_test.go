package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// TestNextIsThreeCalls compares a limiter that is asked for what comes next with one that
// is asked step by step.
func TestNextIsThreeCalls(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		switch rapid.IntRange(0, 3).Draw(t, "preset") {
		case 0:
			p = policy.Standard()
		case 1:
			p = policy.Policy{Rules: []policy.Rule{
				{Name: "minute", Limit: policy.SlidingWindow{Max: 3, Window: time.Minute}},
				{Name: "hour", Limit: policy.CalendarWindow{Max: 5, Unit: policy.Hour}},
				{Name: "gap", Limit: policy.Gap{Min: time.Second, Max: 9 * time.Second, Every: rapid.Int64Range(0, 3).Draw(t, "every")}},
				{Name: "one_at_a_time", Limit: policy.Concurrency{Max: rapid.Int64Range(1, 2).Draw(t, "at a time")}},
			}}
		}
		ttl := rapid.SampledFrom([]time.Duration{-1, -1, time.Minute}).Draw(t, "ttl")
		now := drawStart(t)
		if rapid.Bool().Draw(t, "steady") {
			now = steady().Add(now.Sub(monday))
		}
		one, other := withTTL(t, p, ttl), withTTL(t, p, ttl)
		take := func(req limiter.Request) (a, b limiter.Permit, d limiter.Decision) {
			a, d = one.Take(now, req)
			b, want := other.Take(now, req)
			require.Equal(t, want, d)
			return a, b, d
		}
		var a, b limiter.Permit
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			req := drawRequest(t)
			if rapid.IntRange(0, 9).Draw(t, "account") > 0 {
				req.Account = alice
			}
			if rapid.IntRange(0, 3).Draw(t, "message") > 0 {
				req.Action = policy.SendMessage
			}
			req.Keep = rapid.SampledFrom([]int64{0, 0, 0, 1}).Draw(t, "keep")
			now = now.Add(drawPass(t, time.Second))
			switch rapid.IntRange(0, 19).Draw(t, "trouble") {
			case 0:
				now = now.Add(-drawPass(t, time.Second))
			case 1:
				take(req) // whose permit nobody settles
			}
			lead, before := max(0, drawPass(t, time.Second)), now.Add(drawPass(t, time.Second))
			if rapid.IntRange(0, 3).Draw(t, "whenever") > 0 {
				before = now.Add(100 * 365 * 24 * time.Hour)
			}
			next, at, rule, ok := a.Next(now, req, lead, before)
			b.Settle(now, limiter.Sent)
			b = limiter.Permit{}
			if !ok {
				require.Zero(t, next)
				var d limiter.Decision
				a, b, d = take(req)
				now = now.Add(min(d.RetryAfter, 50*time.Hour))
				continue
			}
			d := other.Check(now, req)
			if d.Answer == limiter.Later {
				require.Equal(t, d.Rule, rule)
			} else {
				require.Equal(t, limiter.Allowed, d.Answer)
				require.Empty(t, rule)
			}
			now = now.Add(d.RetryAfter + lead)
			require.True(t, now.Equal(at), "%v, not %v", at, now)
			require.True(t, at.Before(before))
			a = next
			b, d = other.Take(now, req)
			require.Equal(t, limiter.Allowed, d.Answer)
			want, err := other.Snapshot(now, alice)
			require.NoError(t, err)
			got, err := one.Snapshot(now, alice)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		a.Settle(now, limiter.Unsent)
		b.Settle(now, limiter.Unsent)
		require.Equal(t, other.Gates(now, request(1)), one.Gates(now, request(1)))
	})
}

// Under pauses and counts of the account the next one is taken at once, until the day is
// full.
func TestNextOfADay(t *testing.T) {
	t.Parallel()
	l, pairs := newLimiter(t, policy.Standard()), 0
	p, d := l.Take(monday, request(1))
	require.Equal(t, limiter.Allowed, d.Answer)
	tomorrow := monday.Truncate(24 * time.Hour).Add(24 * time.Hour)
	for now := monday; ; pairs++ {
		next, at, rule, ok := p.Next(now.Add(time.Second), request(1), time.Second, tomorrow)
		if !ok {
			break
		}
		require.Equal(t, map[bool]string{false: "gap", true: "pause"}[pairs%20 == 19], rule)
		require.Greater(t, at.Sub(now), 7*time.Second)
		p, now = next, at
	}
	require.Equal(t, 499, pairs)
}

// A permit that is over, or is none, is followed by nothing.
func TestNextAfterNothing(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Standard())
	never := monday.Add(1000 * time.Hour)
	_, _, _, ok := limiter.Permit{}.Next(monday, request(1), 0, never)
	require.False(t, ok)
	p, _ := l.Take(monday, request(1))
	_, _, _, ok = p.Next(time.Time{}, request(1), 0, never)
	require.False(t, ok, "at a time that no request may have")
	_, _, _, ok = p.Next(monday, request(1), 0, never)
	require.False(t, ok, "it is settled")

	p, _ = l.Take(monday.Add(time.Hour), request(1))
	require.NoError(t, l.Hold(monday, limiter.Target{Account: alice}, monday.Add(2*time.Hour), "a test"))
	_, _, _, ok = p.Next(monday.Add(time.Hour), request(1), 0, never)
	require.False(t, ok, "it is held")
	require.True(t, l.Release(monday, limiter.Target{Account: alice}))
	require.Equal(t, limiter.Later, l.Check(monday.Add(time.Hour), request(1)).Answer, "it is settled all the same")
}
