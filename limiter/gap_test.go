package limiter_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestGapStepByStep(t *testing.T) {
	t.Parallel()
	const s = time.Second
	five := policy.Gap{Min: 5 * s, Max: 5 * s}
	tell(t, []story{
		{
			name: "a pause after each", limit: five,
			steps: []step{
				{0, allow(1), yes(1, 0, 0)},
				{0, allow(1), wait(5*s, 1, 0, 5*s)},
				{5*s - 1, allow(1), wait(1, 1, 0, 1)},
				{5 * s, allow(1), yes(1, 0, 0)},
				{5*s + 1, allow(1), wait(5*s-1, 1, 0, 5*s-1)},
				{100 * s, allow(1), yes(1, 0, 0)},
			},
		},
		{
			name: "the pause counts from the end of the send", limit: five,
			steps: []step{
				{0, take("a", 1), yes(1, 0, 0)},
				{s, check(1), busy(1)},
				{100 * s, check(1), busy(1)},
				{100 * s, settle("a", limiter.Sent), limiter.Gate{}},
				{100 * s, check(1), wait(5*s, 1, 0, 5*s)},
				{105*s - 1, take("b", 1), wait(1, 1, 0, 1)},
				{105 * s, take("b", 1), yes(1, 0, 0)},
				{106 * s, settle("b", limiter.Refused), limiter.Gate{}}, // refused counts as sent
				{106 * s, check(1), wait(5*s, 1, 0, 5*s)},
			},
		},
		{
			name: "unsent asks for no pause and counts as no send", limit: policy.Gap{Min: 5 * s, Max: 5 * s, Every: 2},
			steps: []step{
				{0, take("a", 1), yes(2, 1, 0)},
				{s, settle("a", limiter.Unsent), limiter.Gate{}},
				{s, take("b", 1), yes(2, 1, 0)},
				{2 * s, settle("b", limiter.Sent), limiter.Gate{}},
				{2 * s, take("c", 1), yes(2, 0, 0)},
				{2 * s, check(1), busy(2)},
				{3 * s, settle("c", limiter.Unsent), limiter.Gate{}},
				{3 * s, take("d", 1), yes(2, 0, 0)},
				{4 * s, settle("d", limiter.Sent), limiter.Gate{}},
				{4 * s, check(1), wait(5*s, 2, 0, 5*s)},
				{9 * s, allow(1), yes(2, 1, 0)},
			},
		},
		{
			name: "a pause after every third", limit: policy.Gap{Min: 5 * s, Max: 5 * s, Every: 3},
			steps: []step{
				{0, allow(1), yes(3, 2, 0)},
				{0, allow(1), yes(3, 1, 0)},
				{0, allow(1), yes(3, 0, 0)},
				{0, allow(1), wait(5*s, 3, 0, 5*s)},
				{5 * s, allow(1), yes(3, 2, 0)},
				{72 * time.Hour, allow(1), yes(3, 1, 0)}, // days do not reset the count
				{72 * time.Hour, allow(1), yes(3, 0, 0)},
				{72 * time.Hour, allow(1), wait(5*s, 3, 0, 5*s)},
			},
		},
		{
			name: "requests count, whatever their cost", limit: policy.Gap{Min: 5 * s, Max: 5 * s, Every: 2},
			steps: []step{
				{0, allow(math.MaxInt64), yes(2, 1, 0)},
				{0, allow(7), yes(2, 0, 0)},
				{0, allow(1), wait(5*s, 2, 0, 5*s)},
			},
		},
		{
			name: "no pause still means one at a time", limit: policy.Gap{},
			steps: []step{
				{0, allow(1), yes(1, 0, 0)},
				{0, take("a", 1), yes(1, 0, 0)},
				{0, check(1), busy(1)},
				{0, settle("a", limiter.Sent), limiter.Gate{}},
				{0, allow(1), yes(1, 0, 0)},
			},
		},
		{
			name: "the longest pause", limit: policy.Gap{Min: policy.MaxDuration, Max: policy.MaxDuration},
			steps: []step{
				{0, allow(1), yes(1, 0, 0)},
				{policy.MaxDuration - 1, allow(1), wait(1, 1, 0, 1)},
				{policy.MaxDuration, allow(1), yes(1, 0, 0)},
			},
		},
		{
			name: "the largest every", limit: policy.Gap{Min: s, Max: s, Every: math.MaxInt64},
			steps: []step{
				{0, allow(1), yes(math.MaxInt64, math.MaxInt64-1, 0)},
				{0, allow(1), yes(math.MaxInt64, math.MaxInt64-2, 0)},
			},
		},
		{
			name: "before 1970", limit: five, start: time.Date(1901, 2, 3, 4, 5, 6, 7, time.UTC),
			steps: []step{
				{0, allow(1), yes(1, 0, 0)},
				{5*s - 1, allow(1), wait(1, 1, 0, 1)},
				{5 * s, allow(1), yes(1, 0, 0)},
			},
		},
	})
}

// pauses are the n pauses that a gap asks for, one after the other.
func pauses(t require.TestingT, l *limiter.Limiter, account string, n int) []time.Duration {
	req := limiter.Request{Account: account, Action: policy.SendMessage}
	now := monday
	var out []time.Duration
	for range n {
		for l.Check(now, req).Answer == limiter.Allowed {
			require.Equal(t, limiter.Allowed, l.Allow(now, req).Answer)
		}
		d := l.Check(now, req)
		require.Equal(t, limiter.Later, d.Answer)
		out = append(out, d.RetryAfter)
		now = now.Add(d.RetryAfter)
	}
	return out
}

func TestPausesFollowSeedAccountRuleAndCountAlone(t *testing.T) {
	t.Parallel()
	g := policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}
	named := func(name string, more ...policy.Rule) policy.Policy {
		return policy.Policy{Rules: append(more, policy.Rule{Name: name, Limit: g})}
	}
	drawn := func(p policy.Policy, seed uint64, account string) []time.Duration {
		l, err := limiter.New(p, &limiter.Options{Seed: seed})
		require.NoError(t, err)
		return pauses(t, l, account, 50)
	}
	first := drawn(named("pace"), 1, alice)
	require.Equal(t, first, drawn(named("pace"), 1, alice), "a rebuilt limiter draws others")
	require.Equal(t, first, drawn(named("pace", policy.Rule{Name: "more", Limit: policy.Concurrency{Max: 9}}), 1, alice), "another rule before it changes them")
	require.NotEqual(t, first, drawn(named("pace"), 2, alice), "another seed draws the same")
	require.NotEqual(t, first, drawn(named("pace"), 1, bob), "another account draws the same")
	require.NotEqual(t, first, drawn(named("rest"), 1, alice), "another rule draws the same")
	require.NotEqual(t, drawn(named("pace"), 0, alice), drawn(named("pace"), 0, alice), "two secret seeds draw the same")

	seen := map[time.Duration]bool{}
	for _, p := range first {
		require.GreaterOrEqual(t, p, g.Min)
		require.LessOrEqual(t, p, g.Max)
		seen[p] = true
	}
	require.Len(t, seen, len(first), "a pause was drawn twice")
}

// Nothing that asks draws again, and neither does a send that never went out.
func TestPauseIsDrawnOnce(t *testing.T) {
	t.Parallel()
	p := only(policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second})
	plain := pauses(t, newLimiter(t, p), alice, 3)
	l := newLimiter(t, p)
	now := monday
	for _, pause := range plain {
		for range 3 {
			unsent, d := l.Take(now, request(1))
			require.Equal(t, limiter.Allowed, d.Answer)
			unsent.Settle(now, limiter.Unsent)
		}
		require.Equal(t, limiter.Allowed, l.Allow(now, request(1)).Answer)
		for part := range time.Duration(5) {
			at := now.Add(pause / 5 * part)
			require.Equal(t, now.Add(pause).Sub(at), l.Check(at, request(1)).RetryAfter)
			require.Equal(t, now.Add(pause).Sub(at), l.Allow(at, request(1)).RetryAfter)
			require.Equal(t, now.Add(pause).Sub(at), l.Gates(at, request(1))[0].RetryAfter)
		}
		now = now.Add(pause)
	}
}

// Pauses are spread evenly: each tenth of the span gets its share, to 5 sigma.
func TestPausesAreEven(t *testing.T) {
	t.Parallel()
	const n, tenths = 5_000, 10
	g := policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}
	var count [tenths]int
	for _, p := range pauses(t, newLimiter(t, only(g)), alice, n) {
		count[min(tenths-1, int((p-g.Min)*tenths/(g.Max-g.Min)))]++
	}
	for i, c := range count {
		sigma := math.Sqrt(n * (1.0 / tenths) * (1 - 1.0/tenths))
		require.InDelta(t, n/tenths, c, 5*sigma, "tenth %d: %v", i, count)
	}
}

// The count to Every goes on through days, pauses of the same and of other gaps.
func TestOfSeveralGapsTheLongestHolds(t *testing.T) {
	t.Parallel()
	short := policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}
	long := policy.Gap{Min: 30 * time.Second, Max: 60 * time.Second, Every: 4}
	alone := pauses(t, newLimiter(t, policy.Policy{Rules: []policy.Rule{{Name: "short", Limit: short}}}), alice, 12)
	rests := pauses(t, newLimiter(t, policy.Policy{Rules: []policy.Rule{{Name: "long", Limit: long}}}), alice, 3)
	both := newLimiter(t, policy.Policy{Rules: []policy.Rule{{Name: "short", Limit: short}, {Name: "long", Limit: long}}})
	now := monday
	for i, pause := range alone {
		rule := "short"
		if (i+1)%4 == 0 {
			rule, pause = "long", rests[i/4]
		}
		require.Equal(t, limiter.Allowed, both.Allow(now, request(1)).Answer)
		d := both.Check(now, request(1))
		require.Equal(t, rule, d.Rule, "after send %d", i+1)
		require.Equal(t, pause, d.RetryAfter, "after send %d", i+1)
		now = now.Add(pause)
		if i%3 == 2 {
			now = now.Add(48 * time.Hour)
		}
	}
}

// A send in flight when the clock is set back leaves nothing of the later time
// behind: neither outcome makes the next send wait for it.
func TestGapForgetsATimeThatTheClockTookBack(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[limiter.Outcome]limiter.Gate{
		limiter.Unsent: yes(3, 2, 0),
		limiter.Sent:   yes(3, 1, 0),
	} {
		l := newLimiter(t, only(policy.Gap{Min: time.Second, Max: time.Second, Every: 3}))
		p, d := l.Take(monday.AddDate(1, 0, 0), request(1))
		require.Equal(t, limiter.Allowed, d.Answer)
		p.Settle(monday, outcome)
		require.Equal(t, want, l.Check(monday, request(1)).Gate, "%v", outcome)
	}
}

// TestWhoIsRefusedInAPauseChangesNothing gives two limiters one history, and asks one of
// them in between.
func TestWhoIsRefusedInAPauseChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := policy.Policy{Rules: []policy.Rule{
			{Name: "gap", Limit: policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}},
			{Name: "pause", Limit: policy.Gap{Min: 30 * time.Second, Max: time.Minute, Every: rapid.Int64Range(1, 3).Draw(t, "every")}},
		}}
		p.Rules = p.Rules[:rapid.IntRange(1, 2).Draw(t, "rules")]
		asked, left := newLimiter(t, p), newLimiter(t, p)
		now := monday
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(40*time.Second)).Draw(t, "step")))
			for range rapid.IntRange(0, 2).Draw(t, "questions") {
				asked.Check(now.Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "ahead"))), request(1))
			}
			if left.Check(now, request(1)).Answer != limiter.Allowed {
				require.NotEqual(t, limiter.Allowed, asked.Allow(now, request(1)).Answer)
				continue
			}
			if rapid.Bool().Draw(t, "at once") {
				require.Equal(t, left.Allow(now, request(1)), asked.Allow(now, request(1)))
				continue
			}
			one, d := left.Take(now, request(1))
			other, e := asked.Take(now, request(1))
			require.Equal(t, d, e)
			now = now.Add(time.Second)
			outcome := limiter.Outcome(rapid.IntRange(1, 3).Draw(t, "outcome"))
			one.Settle(now, outcome)
			other.Settle(now, outcome)
		}
		want, err := left.Snapshot(now, alice)
		require.NoError(t, err)
		got, err := asked.Snapshot(now, alice)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
