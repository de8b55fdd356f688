package limiter_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A single rule is driven from the worst instant, an instant before a boundary of
// every calendar, by a sender who sends as soon as he may. He sends exactly what
// WorstCase says.
func TestWorstCaseIsReachedUnderOneRule(t *testing.T) {
	t.Parallel()
	const s = time.Second
	limits := []policy.Limit{
		policy.SlidingWindow{Max: 1, Window: s},
		policy.SlidingWindow{Max: 7, Window: 10 * s},
		policy.SlidingWindow{Max: 3_000, Window: 61 * s}, // kept in chunks
		policy.TokenBucket{Max: 1, Per: 6 * s, Burst: 45},
		policy.TokenBucket{Max: 8, Per: 10 * s},
		policy.TokenBucket{Max: 3, Per: s, Burst: 3},
		policy.CalendarWindow{Max: 3, Unit: policy.Minute},
		policy.CalendarWindow{Max: 40, Unit: policy.Hour},
		policy.CalendarWindow{Max: 50, Unit: policy.Day},
		policy.CalendarWindow{Max: 5, Unit: policy.Week},
		policy.CalendarWindow{Max: 6, Unit: policy.Month},
		policy.Gap{Min: 5 * s, Max: 5 * s},
		policy.Gap{Min: 7 * s, Max: 7 * s, Every: 3},
		policy.Concurrency{},
		policy.UniqueRecipients{Window: s},
	}
	windows := []time.Duration{
		1, 2, s - 1, s, s + 1, 5 * s, 5*s + 1, 7 * s, 10 * s, 10*s + 1, 42 * s, 60 * s, 60*s + 1, 60*s + 2, 61 * s, 61*s + 1,
		time.Hour, time.Hour + 2, 24 * time.Hour, 24*time.Hour + 2, 7*24*time.Hour + 2, 28*24*time.Hour + 1, 28*24*time.Hour + 2,
	}
	// An instant before February, which starts on a Sunday here; an instant before a
	// Monday.
	months := time.Date(2026, time.February, 1, 0, 0, 0, 0, time.UTC).Add(-1)
	weeks := time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC).Add(-1)
	for _, limit := range limits {
		p := only(limit)
		for _, w := range windows {
			want := p.WorstCase(w)
			if want > 6_000 {
				continue
			}
			got := max(greedy(t, p, months, w), greedy(t, p, weeks, w))
			require.Equal(t, want, got, "%T%+v in %v", limit, limit, w)
		}
	}
}

// greedy is how much goes out in [start, start+w), each as soon as it may.
func greedy(t *testing.T, p policy.Policy, start time.Time, w time.Duration) (n int64) {
	t.Helper()
	l := newLimiter(t, p)
	req := toEach(1)
	for now := start; now.Before(start.Add(w)); {
		switch d := l.Allow(now, req); d.Answer {
		case limiter.Allowed:
			n++
		case limiter.Later:
			now = now.Add(d.RetryAfter)
		default:
			return n
		}
	}
	return n
}

// drawSmallLimit draws a limit with small numbers.
func drawSmallLimit(t *rapid.T) policy.Limit {
	n := rapid.Int64Range(1, 12)
	d := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(1, 120).Draw(t, "seconds")) * time.Second
	})
	locations := []*time.Location{nil, time.UTC, zone(t, "Europe/London"), zone(t, "Australia/Lord_Howe")}
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		return policy.TokenBucket{Max: n.Draw(t, "max"), Per: d.Draw(t, "per"), Burst: n.Draw(t, "burst")}
	case 1, 2:
		return policy.SlidingWindow{Max: n.Draw(t, "max"), Window: d.Draw(t, "window")}
	case 3:
		return policy.CalendarWindow{
			Max:      n.Draw(t, "max"),
			Unit:     rapid.SampledFrom([]policy.Unit{policy.Minute, policy.Hour, policy.Day}).Draw(t, "unit"),
			Location: rapid.SampledFrom(locations).Draw(t, "location"),
		}
	case 4, 5:
		g := policy.Gap{Min: d.Draw(t, "min"), Every: rapid.Int64Range(0, 5).Draw(t, "every")}
		g.Max = g.Min + d.Draw(t, "more") - time.Second
		return g
	case 6:
		return policy.UniqueRecipients{Max: n.Draw(t, "max"), Window: d.Draw(t, "window")}
	default:
		return policy.Concurrency{Max: n.Draw(t, "max")}
	}
}

func drawSmallPolicy(t *rapid.T) policy.Policy {
	var p policy.Policy
	for i := range rapid.IntRange(1, 5).Draw(t, "rules") {
		r := policy.Rule{Name: fmt.Sprintf("r%d", i), Limit: drawSmallLimit(t), Shadow: rapid.IntRange(0, 9).Draw(t, "shadow") == 0}
		r.Actions = rapid.SampledFrom([][]policy.Action{nil, {policy.SendMessage}, {policy.SendMessage, policy.UploadMedia}, {"send*"}, {policy.UploadMedia}}).Draw(t, "actions")
		scope := rapid.SampledFrom([]policy.Scope{"", "", policy.ScopeRecipient, policy.ScopePortfolio}).Draw(t, "scope")
		with := r
		with.Scope = scope
		if (policy.Policy{Rules: []policy.Rule{with}}).Validate() == nil {
			r = with
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

// Whatever the rules, and however a sender waits, no window holds more sends than
// WorstCase says.
func TestWorstCaseIsNeverExceeded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawSmallPolicy(t)
		require.NoError(t, p.Validate())
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		l := newLimiter(t, p)
		recipients := rapid.IntRange(1, 20).Draw(t, "recipients")
		now := time.Date(2026, time.March, 29, 0, 59, 30, 0, time.UTC).Add(time.Duration(dice.Int64N(int64(time.Minute))))
		var sent []time.Duration
		start := now
		for range 400 {
			req := toEach(dice.IntN(recipients))
			if dice.IntN(8) == 0 {
				req.Action = policy.UploadMedia
			}
			d := l.Allow(now, req)
			switch {
			case d.Answer == limiter.Allowed && req.Action == policy.SendMessage:
				sent = append(sent, now.Sub(start))
			case d.Answer == limiter.Later:
				now = now.Add(d.RetryAfter)
			}
			if dice.IntN(20) == 0 {
				now = now.Add(time.Duration(dice.Int64N(int64(3 * time.Minute))))
			}
		}
		for _, w := range []time.Duration{1, time.Second, 7 * time.Second, time.Minute, time.Minute + 1, 10 * time.Minute, time.Hour, 24 * time.Hour} {
			require.LessOrEqual(t, int64(most(sent, w)), p.WorstCase(w), "in %v under %+v", w, p.Rules)
		}
	})
}

// A rule that Lint says never refuses never does where the others allow.
func TestWhatLintSaysNeverBindsNeverDoes(t *testing.T) {
	t.Parallel()
	told := 0
	rapid.Check(t, func(t *rapid.T) {
		p := drawSmallPolicy(t)
		var dead []string
		for _, w := range p.Lint() {
			if w.Trap == policy.NeverBinds || w.Trap == policy.HiddenPause {
				dead = append(dead, w.Rules[0])
			}
		}
		if len(dead) == 0 {
			return
		}
		told++
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		l := newLimiter(t, p)
		now := monday
		var open []limiter.Permit
		for range 300 {
			req := toEach(dice.IntN(8))
			req.Account = []string{alice, bob}[dice.IntN(2)]
			req.Action = []policy.Action{policy.SendMessage, policy.SendMessage, policy.UploadMedia}[dice.IntN(3)]
			next := time.Duration(math.MaxInt64)
			alive, ghost := strictest(l.Gates(now, req), dead)
			require.LessOrEqual(t, ghost, alive, "%v refuse alone under %+v", dead, p.Rules)
			permit, d := l.Take(now, req)
			switch d.Answer {
			case limiter.Allowed:
				if open = append(open, permit); len(open) > 3 || dice.IntN(2) == 0 {
					for _, permit := range open {
						permit.Settle(now, limiter.Sent)
					}
					open = nil
				}
			case limiter.Later:
				next = d.RetryAfter
			default:
				for _, permit := range open {
					permit.Settle(now, limiter.Sent)
				}
				open = nil
			}
			if dice.IntN(3) == 0 {
				now = now.Add(min(next, time.Duration(dice.Int64N(int64(time.Minute)))))
			}
		}
	})
	require.Positive(t, told)
}

// strictest is how long the strictest of the gates named and of the others refuse;
// those that wait for a permit or for ever are the longest.
func strictest(gates []limiter.Gate, named []string) (others, those time.Duration) {
	for _, g := range gates {
		if g.Shadow || g.Answer == limiter.Allowed {
			continue
		}
		refuses := g.RetryAfter
		if g.Answer != limiter.Later {
			refuses = math.MaxInt64
		}
		if slices.Contains(named, g.Rule) {
			those = max(those, refuses)
		} else {
			others = max(others, refuses)
		}
	}
	return others, those
}
