package limiter_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A pause that runs when its rule goes goes on: in another gap on the same actions,
// or as a hold.
func TestPausesThatRunStay(t *testing.T) {
	t.Parallel()
	const s = time.Second
	send := []policy.Action{policy.SendMessage}
	pause := policy.Rule{Name: "pause", Actions: send, Limit: policy.Gap{Min: 50 * s, Max: 50 * s, Every: 2}}
	shadow := pause
	shadow.Shadow = true
	for _, tt := range []struct {
		name string
		old  policy.Rule
		next []policy.Rule
		rule string // that refuses
		wait time.Duration
	}{
		{"same rule", pause, []policy.Rule{pause}, "pause", 50 * s},
		{"another length", pause, []policy.Rule{{Name: "p", Actions: send, Limit: policy.Gap{Min: s, Max: s, Every: 2}}}, "p", 50 * s},
		{"another every", pause, []policy.Rule{{Name: "p", Actions: send, Limit: policy.Gap{Min: s, Max: s}}}, "p", 50 * s},
		{"other actions", pause, []policy.Rule{{Name: "p", Limit: policy.Gap{Min: s, Max: s}}}, "hold", 50 * s},
		{"a shadow", pause, []policy.Rule{{Name: "p", Actions: send, Shadow: true, Limit: policy.Gap{Min: s, Max: s}}}, "hold", 50 * s},
		{"no gap", pause, []policy.Rule{{Name: "w", Limit: policy.SlidingWindow{Max: 9, Window: s}}}, "hold", 50 * s},
		{"no rule", pause, nil, "hold", 50 * s},
		{"from a shadow", shadow, nil, "", 0},
		{"from a shadow to a gap", shadow, []policy.Rule{{Name: "p", Actions: send, Limit: policy.Gap{Min: s, Max: s}}}, "p", 0},
	} {
		l := newLimiter(t, policy.Policy{Rules: []policy.Rule{tt.old}})
		for range 2 {
			require.Equal(t, limiter.Allowed, l.Allow(monday, request(1)).Answer, tt.name)
		}
		setPolicy(t, l, monday, policy.Policy{Rules: tt.next})
		d := l.Check(monday, request(1))
		require.Equal(t, tt.rule, d.Rule, tt.name)
		require.Equal(t, tt.wait, d.RetryAfter, tt.name)
		if tt.wait == 0 {
			require.Equal(t, limiter.Allowed, d.Answer, tt.name)
			continue
		}
		require.Equal(t, limiter.Later, d.Answer, tt.name)
		if tt.rule == "hold" {
			require.Equal(t, "a pause of the policy before", d.Reason())
			require.ErrorContains(t, d.Err(), "a pause of the policy before")
		}
		require.Equal(t, limiter.Allowed, l.Check(monday.Add(50*s), request(1)).Answer, tt.name)
	}
}

// The count to the next pause goes on, through other policies too.
func TestCountToThePauseGoesOn(t *testing.T) {
	t.Parallel()
	every := func(n int64, length time.Duration) policy.Policy {
		return only(policy.Gap{Min: length, Max: length, Every: n})
	}
	l := newLimiter(t, every(5, time.Minute))
	for range 3 {
		l.Allow(monday, request(1))
	}
	setPolicy(t, l, monday, policy.Unlimited())
	setPolicy(t, l, monday, every(3, time.Second))
	l.Allow(monday, request(1))
	setPolicy(t, l, monday, every(5, time.Hour))
	require.Equal(t, int64(1), l.Allow(monday, request(1)).Remaining)
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(1)).Answer)
	require.Equal(t, time.Hour, l.Allow(monday, request(1)).RetryAfter)
	setPolicy(t, l, monday, every(3, time.Second))
	require.Equal(t, time.Hour, l.Check(monday, request(1)).RetryAfter)
	require.Equal(t, int64(1), l.Check(monday.Add(time.Hour), request(1)).Remaining)
}

// Permits in flight count under the new rules, and are settled under them.
func TestPermitsInFlightCountUnderTheNewRules(t *testing.T) {
	t.Parallel()
	const s = time.Second
	gap := policy.Gap{Min: 10 * s, Max: 10 * s}
	for _, tt := range []struct {
		name string
		old  policy.Limit
		next policy.Limit
	}{
		{"window to concurrency", policy.SlidingWindow{Max: 5, Window: s}, policy.Concurrency{Max: 2}},
		{"concurrency to concurrency", policy.Concurrency{Max: 5}, policy.Concurrency{Max: 2}},
		{"concurrency to gap", policy.Concurrency{Max: 5}, gap},
		{"bucket to gap", policy.TokenBucket{Max: 5, Per: s, Burst: 5}, gap},
	} {
		l := newLimiter(t, only(tt.old))
		first, _ := l.Take(monday, request(1))
		second, _ := l.Take(monday, request(1))
		setPolicy(t, l, monday.Add(s), only(tt.next))
		require.Equal(t, limiter.Busy, l.Check(monday.Add(s), request(1)).Answer, tt.name)
		first.Settle(monday.Add(2*s), limiter.Sent)
		if tt.next != gap {
			require.Equal(t, limiter.Allowed, l.Check(monday.Add(2*s), request(1)).Answer, tt.name)
			second.Settle(monday.Add(2*s), limiter.Unsent)
			require.Equal(t, int64(1), l.Check(monday.Add(2*s), request(1)).Remaining, tt.name)
			continue
		}
		// The second's end must not cut the first's pause short.
		require.Equal(t, 10*s, l.Check(monday.Add(2*s), request(1)).RetryAfter, tt.name)
		second.Settle(monday.Add(3*s), limiter.Unsent)
		require.Equal(t, 9*s, l.Check(monday.Add(3*s), request(1)).RetryAfter, tt.name)
	}
}

// A gap that a change of policy brings several sends under is busy until the last of
// them is settled, and then waits for the longest of their pauses; also where the
// account is restored or its policy changes again in between.
func TestGapIsBusyUntilTheLastSendIsSettled(t *testing.T) {
	t.Parallel()
	const m = time.Minute
	gap, other := policy.Gap{Min: m, Max: m}, policy.Gap{Min: m, Max: m, Every: 2}
	same := func(l *limiter.Limiter) { setPolicy(t, l, monday.Add(time.Second), only(gap)) }
	for name, between := range map[string]func(*limiter.Limiter){
		"nothing":           func(*limiter.Limiter) {},
		"another length":    func(l *limiter.Limiter) { setPolicy(t, l, monday, only(policy.Gap{Min: m, Max: m + 1})); same(l) },
		"another every":     func(l *limiter.Limiter) { setPolicy(t, l, monday, only(other)); same(l) },
		"gone and back":     func(l *limiter.Limiter) { setPolicy(t, l, monday, policy.Unlimited()); same(l) },
		"a snapshot, twice": func(l *limiter.Limiter) { snapshot(t, l, monday); snapshot(t, l, monday) },
	} {
		l := newLimiter(t, only(policy.SlidingWindow{Max: 9, Window: time.Hour}))
		var permits []limiter.Permit
		for range 3 {
			p, d := l.Take(monday, request(1))
			require.Equal(t, limiter.Allowed, d.Answer)
			permits = append(permits, p)
		}
		setPolicy(t, l, monday, only(gap))
		permits[0].Settle(monday, limiter.Sent)
		between(l)
		for _, at := range []time.Time{monday, monday.Add(m), monday.Add(time.Hour)} {
			require.Equal(t, limiter.Busy, l.Check(at, request(1)).Answer, name)
		}
		require.Equal(t, m, l.Check(monday, request(1)).RetryAfter, name)
		permits[1].Settle(monday.Add(10*time.Second), limiter.Sent)
		require.Equal(t, limiter.Busy, l.Check(monday.Add(2*m), request(1)).Answer, name)
		permits[2].Settle(monday.Add(20*time.Second), limiter.Unsent)
		d := l.Check(monday.Add(20*time.Second), request(1))
		require.Equal(t, limiter.Later, d.Answer, name)
		require.Equal(t, 50*time.Second, d.RetryAfter, name)
		require.Equal(t, limiter.Allowed, l.Allow(monday.Add(70*time.Second), request(1)).Answer, name)
	}
}

// Sends in flight under a gap are still so where the account is restored: it waits
// until all have run out.
func TestRestoredGapIsBusyUntilTheLastSendRunsOut(t *testing.T) {
	t.Parallel()
	const m = time.Minute
	l := newLimiter(t, only(policy.SlidingWindow{Max: 9, Window: time.Hour}))
	first, _ := l.Take(monday, request(1))
	l.Take(monday.Add(m), request(1))
	l.Take(monday.Add(2*m), request(1))
	setPolicy(t, l, monday.Add(2*m), only(policy.Gap{Min: m, Max: m}))
	first.Settle(monday.Add(2*m), limiter.Sent)
	again := withTTL(t, policy.Unlimited(), 10*m)
	require.NoError(t, again.Restore(monday.Add(2*m), snapshot(t, l, monday.Add(2*m))))
	for _, at := range []time.Duration{2 * m, 3 * m, 11 * m, 12*m - 1} {
		require.Equal(t, limiter.Busy, again.Check(monday.Add(at), request(1)).Answer, "%v", at)
	}
	require.Equal(t, m, again.Check(monday.Add(12*m), request(1)).RetryAfter)
	require.Equal(t, limiter.Allowed, again.Allow(monday.Add(13*m), request(1)).Answer)
}

// A permit that was taken under one rule is given back under another only where
// that can tell its charge from the others.
func TestUnsentAfterAChangeOfPolicyGivesBackNoMore(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for from, old := range kinds(t, 2000) {
		for to, next := range kinds(t, 2000) {
			for _, later := range []time.Duration{0, 20 * time.Minute} { // over midnight
				l := newLimiter(t, only(old))
				now := monday.Truncate(day).Add(23*time.Hour + 50*time.Minute)
				l.Allow(now.Add(-time.Minute), request(40))
				permit, d := l.Take(now, request(50))
				require.Equal(t, limiter.Allowed, d.Answer)
				now = now.Add(later)
				setPolicy(t, l, now, only(next))
				l.Allow(now, request(3))
				before := usedOf(l, now)
				permit.Settle(now, limiter.Unsent)
				after := usedOf(l, now)
				says := fmt.Sprintf("%s to %s after %v: %d, then %d", from, to, later, before, after)
				require.GreaterOrEqual(t, before-after, int64(0), says)
				require.LessOrEqual(t, before-after, int64(50), says)
				require.GreaterOrEqual(t, after, int64(3), says)
				tells := func(s string) bool { return s == "exact" || s == "chunked" }
				if from == to && tells(to) || tells(from) && tells(to) {
					require.Equal(t, int64(50), before-after, says)
				}
				if later > 0 && (to == "calendar") {
					require.Equal(t, before, after, says)
				}
			}
		}
	}
}

// A pause that goes on in another gap shortens none that runs there.
func TestAPauseThatGoesOnShortensNone(t *testing.T) {
	t.Parallel()
	long := policy.Rule{Name: "long", Limit: policy.Gap{Min: 100 * time.Second, Max: 100 * time.Second}}
	short := policy.Rule{Name: "short", Limit: policy.Gap{Min: 50 * time.Second, Max: 50 * time.Second, Every: 2}}
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{long, short}})
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(1)).Answer)
	now := monday.Add(100 * time.Second)
	require.Equal(t, limiter.Allowed, l.Allow(now, request(1)).Answer)
	setPolicy(t, l, now.Add(10*time.Second), policy.Policy{Rules: []policy.Rule{long}})
	require.Equal(t, 90*time.Second, l.Check(now.Add(10*time.Second), request(1)).RetryAfter)
}
