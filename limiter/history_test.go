package limiter_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// drawPolicy is a policy of 1 to 5 rules of all kinds, with numbers small enough
// to meet each other.
func drawPolicy(t *rapid.T) policy.Policy {
	var p policy.Policy
	for i := range rapid.IntRange(1, 5).Draw(t, "rules") {
		p.Rules = append(p.Rules, policy.Rule{
			Name:    fmt.Sprint("r", i),
			Actions: rapid.SampledFrom([][]policy.Action{nil, nil, {"send"}, {"look"}, {"s*"}, {"*"}, {"send", "look"}}).Draw(t, "actions"),
			Limit:   drawLimit(t),
		})
	}
	return p
}

func drawLimit(t *rapid.T) policy.Limit {
	period := rapid.SampledFrom([]time.Duration{1, 7, 100, time.Second, 3*time.Second + 1, time.Minute, time.Hour, 26 * time.Hour})
	size := rapid.SampledFrom([]int64{0, 1, 1, 2, 3, 5, 9})
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return policy.TokenBucket{Max: size.Draw(t, "max"), Per: period.Draw(t, "per"), Burst: size.Draw(t, "burst")}
	case 1:
		return policy.SlidingWindow{Max: size.Draw(t, "max"), Window: period.Draw(t, "window")}
	case 2:
		return policy.CalendarWindow{
			Max:      size.Draw(t, "max"),
			Unit:     rapid.SampledFrom([]policy.Unit{policy.Minute, policy.Hour, policy.Day, policy.Week, policy.Month}).Draw(t, "unit"),
			Location: zone(t, rapid.SampledFrom([]string{"UTC", "Europe/London", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe"}).Draw(t, "zone")),
		}
	case 3:
		least := rapid.SampledFrom([]time.Duration{0, 1, 5 * time.Second, 30 * time.Second}).Draw(t, "min")
		return policy.Gap{
			Min: least, Max: least + rapid.SampledFrom([]time.Duration{0, 1, 4 * time.Second}).Draw(t, "more"),
			Every: rapid.SampledFrom([]int64{0, 1, 2, 3}).Draw(t, "every"),
		}
	default:
		return policy.Concurrency{Max: rapid.SampledFrom([]int64{0, 1, 1, 2, 3, 5}).Draw(t, "max")}
	}
}

// drawStart is a time at which clocks change, a new year, long ago or any other.
func drawStart(t *rapid.T) time.Time {
	return rapid.SampledFrom([]time.Time{
		monday,
		time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC), // London
		time.Date(2026, 10, 25, 0, 59, 0, 0, time.UTC),
		time.Date(2018, 11, 4, 2, 59, 0, 0, time.UTC), // Sao Paulo
		time.Date(2018, 2, 18, 1, 59, 0, 0, time.UTC),
		time.Date(2026, 4, 4, 14, 59, 0, 0, time.UTC), // Lord Howe
		time.Date(2026, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Unix(-1, 0),
		time.Date(1901, 1, 1, 0, 0, 0, 0, time.UTC),
	}).Draw(t, "start")
}

func drawPass(t *rapid.T, retry time.Duration) time.Duration {
	most := rapid.SampledFrom([]time.Duration{0, 0, 1, 10, time.Second, 10 * time.Second, time.Minute, 3 * time.Hour, 50 * time.Hour, -1, -2}).Draw(t, "pass at most")
	switch most {
	case -1:
		return retry // the last that was refused may go now
	case -2:
		return max(0, retry-1)
	case 0:
		return 0
	}
	return time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, "pass"))
}

func drawRequest(t *rapid.T) limiter.Request {
	return limiter.Request{
		Account: rapid.SampledFrom([]string{alice, alice, bob}).Draw(t, "account"),
		Action:  rapid.SampledFrom([]policy.Action{"send", "send", "look"}).Draw(t, "action"),
		Cost:    rapid.SampledFrom([]int64{0, 1, 1, 1, 2, 3, 10}).Draw(t, "cost"),
	}
}

func drawOutcome(t *rapid.T) limiter.Outcome {
	return rapid.SampledFrom([]limiter.Outcome{limiter.Sent, limiter.Sent, limiter.Refused, limiter.Unsent}).Draw(t, "outcome")
}

// history is a limiter and the model side by side.
type history struct {
	*rapid.T
	policy  policy.Policy
	limiter *limiter.Limiter
	model   map[string][]*modelRule
	open    []flight
	log     []queuetest.Call
	now     time.Time
	retry   time.Duration // what the last refusal said
	ttl     time.Duration // of permits; negative: for ever
}

// flight is a permit with what the model and the log know of it.
type flight struct {
	permit limiter.Permit
	req    limiter.Request
	calls  map[*modelRule]*modelCall
	log    int
}

func newHistory(t *rapid.T, p policy.Policy, start time.Time, ttl time.Duration) *history {
	h := &history{T: t, policy: p, limiter: withTTL(t, p, ttl), model: map[string][]*modelRule{}, now: start, ttl: ttl}
	for _, account := range []string{alice, bob} {
		for _, r := range p.Rules {
			h.model[account] = append(h.model[account], &modelRule{name: r.Name, limit: r.Limit})
		}
	}
	return h
}

func (h *history) covering(req limiter.Request) (rules []*modelRule) {
	for i, r := range h.policy.Rules {
		if r.Covers(req.Action) {
			rules = append(rules, h.model[req.Account][i])
		}
	}
	return rules
}

// lapse tells the model which permits have run out by now.
func (h *history) lapse() {
	if h.ttl < 0 {
		return
	}
	h.open = slices.DeleteFunc(h.open, func(f flight) bool {
		end := h.log[f.log].At.Add(h.ttl)
		if end.After(h.now) {
			return false
		}
		h.settled(f, limiter.Sent, end)
		return true
	})
}

// compare asks limiter and model the same, and returns the limiter's answer.
func (h *history) compare(req limiter.Request) limiter.Decision {
	h.lapse()
	cost := max(1, req.Cost)
	gates := h.limiter.Gates(h.now, req)
	d := h.limiter.Check(h.now, req)
	byName := map[string]limiter.Gate{}
	for _, g := range gates {
		byName[g.Rule] = g
	}
	rules := h.covering(req)
	require.Len(h, gates, len(rules))
	worst := modelGate{answer: limiter.Allowed}
	wait := time.Duration(0)
	for _, m := range rules {
		want, got := m.ask(h.now, cost), byName[m.name]
		require.Equal(h, want.answer, got.Answer, "%s %+v at %v", m.name, m.limit, h.now)
		require.Equal(h, want.remaining, got.Remaining, "%s %+v at %v", m.name, m.limit, h.now)
		if want.answer == limiter.Later {
			if want.free.IsZero() {
				want.free = h.now.Add(got.RetryAfter)
				require.True(h, m.judge(h.now, want.free), "%s %+v does not free %v after %v", m.name, m.limit, got.RetryAfter, h.now)
			}
			require.Equal(h, want.free.Sub(h.now), got.RetryAfter, "%s %+v at %v", m.name, m.limit, h.now)
			wait = max(wait, got.RetryAfter)
		} else {
			require.Zero(h, got.RetryAfter)
		}
		worst.answer = max(worst.answer, want.answer)
	}
	if len(rules) > 0 {
		require.Equal(h, gates[0].Rule, d.Rule)
		require.Equal(h, gates[0].Answer, d.Answer)
	}
	require.Equal(h, worst.answer, d.Answer)
	if d.Answer == limiter.Later || d.Answer == limiter.Busy {
		require.Equal(h, wait, d.RetryAfter)
	}
	if d.Answer == limiter.Later {
		require.Equal(h, limiter.Allowed, h.limiter.Check(h.now.Add(wait), req).Answer, "refused after RetryAfter %v", wait)
		require.NotEqual(h, limiter.Allowed, h.limiter.Check(h.now.Add(wait-1), req).Answer, "allowed before RetryAfter %v", wait)
	}
	return d
}

// ask is one Take or Allow.
func (h *history) ask(req limiter.Request, keep bool) {
	before := h.limiter.State(req.Account)
	foretold := h.compare(req)
	require.Equal(h, before, h.limiter.State(req.Account), "Check or Gates wrote")
	var f flight
	var d limiter.Decision
	if keep {
		f.permit, d = h.limiter.Take(h.now, req)
	} else {
		d = h.limiter.Allow(h.now, req)
	}
	require.Equal(h, foretold, d)
	h.retry = d.RetryAfter
	if d.Answer != limiter.Allowed {
		if after := h.limiter.State(req.Account); len(after.Flights) == len(before.Flights) { // else some have run out
			require.Equal(h, before, after, "a refused request wrote")
		}
		require.Equal(h, limiter.Permit{}, f.permit)
		return
	}
	f.req, f.calls, f.log = req, map[*modelRule]*modelCall{}, len(h.log)
	h.log = append(h.log, queuetest.Call{Account: req.Account, Action: req.Action, Cost: req.Cost, At: h.now})
	for _, m := range h.covering(req) {
		c := &modelCall{at: h.now, cost: max(1, req.Cost), flying: true}
		m.calls = append(m.calls, c)
		f.calls[m] = c
	}
	if keep {
		h.open = append(h.open, f)
		return
	}
	h.settled(f, limiter.Sent, h.now)
}

// settle settles one open permit, and now and then one that was settled before.
func (h *history) settle() {
	h.lapse()
	if len(h.open) == 0 {
		return
	}
	i := rapid.IntRange(0, len(h.open)-1).Draw(h.T, "permit")
	f, o := h.open[i], drawOutcome(h.T)
	h.open = append(h.open[:i:i], h.open[i+1:]...)
	f.permit.Settle(h.now, o)
	h.settled(f, o, h.now)
	if rapid.IntRange(0, 3).Draw(h.T, "again") == 0 {
		before := h.limiter.State(f.req.Account)
		f.permit.Settle(h.now, drawOutcome(h.T))
		require.Equal(h, before, h.limiter.State(f.req.Account), "a permit was settled twice")
	}
}

// settled tells the model, which has to look how long a pause is.
func (h *history) settled(f flight, o limiter.Outcome, end time.Time) {
	h.log[f.log].Done, h.log[f.log].Unsent = end, o == limiter.Unsent
	for m, c := range f.calls {
		if !m.settle(c, o) {
			continue
		}
		m.due = time.Time{}
		for _, g := range h.limiter.Gates(h.now, f.req) {
			if g.Rule != m.name {
				continue
			}
			limit, ok := m.limit.(policy.Gap)
			require.True(h, ok)
			pause := h.now.Add(g.RetryAfter).Sub(end)
			require.GreaterOrEqual(h, pause, limit.Min)
			if g.Answer == limiter.Later {
				require.LessOrEqual(h, pause, limit.Max)
				m.due = h.now.Add(g.RetryAfter)
			}
		}
	}
}

// Whatever is asked and settled in whatever order, each rule answers as a model
// says that forgets nothing, RetryAfter is exact, refusals and questions change
// nothing, and the log of what went out breaks no rule.
func TestRandomHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ttl := rapid.SampledFrom([]time.Duration{-1, -1, 1, 10 * time.Second, 5 * time.Minute}).Draw(t, "ttl")
		h := newHistory(t, drawPolicy(t), drawStart(t), ttl)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			h.now = h.now.Add(drawPass(t, h.retry))
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0, 1, 2, 3:
				h.ask(drawRequest(t), true)
			case 4, 5:
				h.ask(drawRequest(t), false)
			default:
				h.settle()
			}
		}
		require.Empty(t, queuetest.Audit(h.policy, h.log))
	})
}
