package limiter_test

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestUniqueRecipientsStepByStep(t *testing.T) {
	t.Parallel()
	const s = time.Second
	two := policy.UniqueRecipients{Max: 2, Window: 10 * s}
	tell(t, []story{
		{
			name: "a recipient counts until one window after its last send", limit: two,
			steps: []step{
				{0, allow(1).to("a"), yes(2, 1, 10*s)},
				{s, allow(1).to("b"), yes(2, 0, 9*s)},
				{s, allow(1).to("c"), wait(9*s, 2, 0, 9*s)},
				{5 * s, allow(1).to("a"), yes(2, 0, 6*s)}, // b leaves first now
				{10 * s, allow(1).to("c"), wait(s, 2, 0, s)},
				{11 * s, allow(1).to("c"), yes(2, 0, 4*s)},
				{11 * s, allow(1).to("d"), wait(4*s, 2, 0, 4*s)},
				{15 * s, allow(1).to("d"), yes(2, 0, 6*s)},
			},
		},
		{
			name: "one who counts already goes free, whatever the cost", limit: two,
			steps: []step{
				{0, allow(5).to("a"), yes(2, 1, 10*s)},
				{0, allow(math.MaxInt64).to("a"), yes(2, 1, 10*s)},
				{0, allow(1).to("b"), yes(2, 0, 10*s)},
				{10*s - 1, allow(1).to("a"), yes(2, 0, 1)},
				{10*s - 1, allow(1).to("b"), yes(2, 0, 10*s)},
				{20*s - 2, allow(1).to("c"), wait(1, 2, 0, 1)},
			},
		},
		{
			name: "what is kept back is for others", limit: policy.UniqueRecipients{Max: 3, Window: 10 * s},
			steps: []step{
				{0, allow(1).to("a").keeping(2), yes(3, 2, 10*s)},
				{s, allow(1).to("b").keeping(2), wait(9*s, 3, 2, 9*s)},
				{s, allow(1).to("a").keeping(2), yes(3, 2, 10*s)},
				{s, allow(1).to("b").keeping(3), no(3, 2)},
				{s, allow(1).to("b").keeping(math.MaxInt64), no(3, 2)},
				{s, allow(1).to("b"), yes(3, 1, 10*s)},
				{2 * s, allow(1).to("c"), yes(3, 0, 9*s)},
				{3 * s, allow(1).to("d").keeping(1), wait(8*s, 3, 0, 8*s)},
				{3 * s, allow(1).to("d").keeping(2), wait(9*s, 3, 0, 9*s)},
			},
		},
		{
			name: "a recipient who was not reached is given back", limit: two,
			steps: []step{
				{0, take("a", 1).to("a"), yes(2, 1, 10*s)},
				{s, take("b", 1).to("b"), yes(2, 0, 9*s)},
				{2 * s, settle("a", limiter.Refused), limiter.Gate{}},
				{2 * s, take("c", 1).to("c"), yes(2, 0, 9*s)},
				{2 * s, settle("b", limiter.Unsent), limiter.Gate{}},
				{3 * s, allow(1).to("d"), yes(2, 0, 9*s)},
				{3 * s, settle("c", limiter.Sent), limiter.Gate{}},
				{3 * s, allow(1).to("e"), wait(9*s, 2, 0, 9*s)},
			},
		},
		{
			name: "one taken at the instant of another's second send is given back", limit: two,
			steps: []step{
				{0, take("a", 1).to("a"), yes(2, 1, 10*s)},
				{0, take("again", 1).to("a"), yes(2, 1, 10*s)},
				{0, take("b", 1).to("b"), yes(2, 0, 10*s)},
				{0, settle("b", limiter.Unsent), limiter.Gate{}},
				{0, settle("a", limiter.Unsent), limiter.Gate{}},
				{0, allow(1).to("c"), yes(2, 0, 10*s)},
				{0, allow(1).to("b"), wait(10*s, 2, 0, 10*s)},
			},
		},
		{
			name: "one sent to again is not given back", limit: policy.UniqueRecipients{Max: 1, Window: 10 * s},
			steps: []step{
				{0, take("a", 1).to("a"), yes(1, 0, 10*s)},
				{4 * s, take("again", 1).to("a"), yes(1, 0, 10*s)},
				{5 * s, settle("a", limiter.Unsent), limiter.Gate{}},
				{5 * s, settle("again", limiter.Unsent), limiter.Gate{}},
				{5 * s, allow(1).to("b"), wait(9*s, 1, 0, 9*s)},
			},
		},
		{
			name: "a late settle takes nothing of a later count", limit: policy.UniqueRecipients{Max: 1, Window: 10 * s},
			steps: []step{
				{0, take("a", 1).to("a"), yes(1, 0, 10*s)},
				{10 * s, take("later", 1).to("a"), yes(1, 0, 10*s)},
				{11 * s, settle("a", limiter.Unsent), limiter.Gate{}},
				{11 * s, allow(1).to("b"), wait(9*s, 1, 0, 9*s)},
				{12 * s, settle("later", limiter.Unsent), limiter.Gate{}},
				{12 * s, allow(1).to("b"), yes(1, 0, 10*s)},
			},
		},
		{
			name: "a step back of a second reads as the latest time", limit: policy.UniqueRecipients{Max: 1, Window: 10 * s},
			steps: []step{
				{10 * s, take("a", 1).to("a"), yes(1, 0, 10*s)},
				{9 * s, allow(1).to("b"), wait(11*s, 1, 0, 11*s)},
				{9 * s, settle("a", limiter.Unsent), limiter.Gate{}},
				{9 * s, allow(1).to("b"), yes(1, 0, 11*s)},
			},
		},
		{
			name: "a clock set back starts every window again, once", limit: two,
			steps: []step{
				{100 * s, take("a", 1).to("a"), yes(2, 1, 10*s)},
				{105 * s, allow(1).to("b"), yes(2, 0, 5*s)},
				{50 * s, check(1).to("c"), wait(10*s, 2, 0, 10*s)},
				{51 * s, check(1).to("c"), wait(9*s, 2, 0, 9*s)},
				{51 * s, settle("a", limiter.Unsent), limiter.Gate{}}, // cannot be told apart any more
				{52 * s, allow(1).to("b"), yes(2, 0, 8*s)},
				{60 * s, allow(1).to("c"), yes(2, 0, 2*s)},
			},
		},
		{
			name: "one who goes free now may have to wait once another rule lets go",
			rules: []policy.Rule{
				{Name: "people", Limit: two},
				{Name: "gap", Limit: policy.Gap{Min: 7 * s, Max: 7 * s}},
			},
			steps: []step{
				{0, allow(1).to("a"), by("gap", yes(1, 0, 0))},
				{7 * s, allow(1).to("b"), by("people", yes(2, 0, 3*s))},
				// At 14 s the pause is over, but a no longer counts, and one is kept.
				{8 * s, allow(1).to("a").keeping(1), by("people", wait(9*s, 2, 1, 9*s))},
				{8 * s, allow(1).to("a"), by("gap", wait(6*s, 1, 0, 6*s))},
				{17 * s, allow(1).to("a").keeping(1), by("gap", yes(1, 0, 0))},
			},
		},
		{
			name: "max 0 refuses everything", limit: policy.UniqueRecipients{Window: s},
			steps: []step{{0, allow(1).to("a"), no(0, 0)}},
		},
		{
			name: "the largest max and the longest window", limit: policy.UniqueRecipients{Max: math.MaxInt64, Window: policy.MaxDuration},
			steps: []step{
				{0, allow(1).to("a"), yes(math.MaxInt64, math.MaxInt64-1, policy.MaxDuration)},
				{0, allow(1).to("b").keeping(math.MaxInt64), no(math.MaxInt64, math.MaxInt64-1)},
				{0, allow(1).to("b").keeping(math.MaxInt64 - 2), yes(math.MaxInt64, math.MaxInt64-2, policy.MaxDuration)},
			},
		},
		{
			name: "a window of 1 ns", limit: policy.UniqueRecipients{Max: 1, Window: 1},
			steps: []step{
				{0, allow(1).to("a"), yes(1, 0, 1)},
				{0, allow(1).to("b"), wait(1, 1, 0, 1)},
				{1, allow(1).to("b"), yes(1, 0, 1)},
			},
		},
	})
}

// A reach is one admitted send in the memory of an audience.
type reach struct {
	who   string
	at    time.Time
	first bool // it was not counted just before
	gone  bool // given back
}

// An audience is all sends ever admitted under a rule: the model, which looks
// through all of them each time it is asked.
type audience struct {
	policy.UniqueRecipients
	sends []*reach
}

func (a *audience) counts(who string, at time.Time) bool {
	return slices.ContainsFunc(a.sends, func(r *reach) bool {
		return r.who == who && !r.gone && r.at.Add(a.Window).After(at)
	})
}

func (a *audience) distinct(at time.Time) int64 {
	seen := map[string]bool{}
	for _, r := range a.sends {
		if !r.gone && r.at.Add(a.Window).After(at) {
			seen[r.who] = true
		}
	}
	return int64(len(seen))
}

func (a *audience) allows(at time.Time, c call) bool {
	return a.counts(c.recipient, at) || a.distinct(at)+1+c.keep <= a.Max
}

func (a *audience) ask(now time.Time, c call) (answer limiter.Answer, retry time.Duration, remaining int64) {
	remaining = a.Max - a.distinct(now)
	switch {
	case a.allows(now, c):
		if !a.counts(c.recipient, now) {
			remaining--
		}
		return limiter.Allowed, 0, remaining
	case 1+c.keep > a.Max:
		return limiter.Never, 0, remaining
	}
	retry = math.MaxInt64
	for _, r := range a.sends {
		if end := r.at.Add(a.Window); end.After(now) && a.allows(end, c) {
			retry = min(retry, end.Sub(now))
		}
	}
	return limiter.Later, retry, remaining
}

func (a *audience) add(now time.Time, who string) *reach {
	r := &reach{who: who, at: now, first: !a.counts(who, now)}
	a.sends = append(a.sends, r)
	return r
}

// settle gives a first send back that reached nobody, unless the recipient was
// sent to again since.
func (a *audience) settle(r *reach, o limiter.Outcome) {
	i := slices.Index(a.sends, r)
	again := slices.ContainsFunc(a.sends[i+1:], func(later *reach) bool { return later.who == r.who })
	r.gone = r.first && !again && (o == limiter.Unsent || o == limiter.Refused)
}

// most is the largest number of distinct recipients in any window, wherever it
// ends.
func (a *audience) most() (most int) {
	for _, end := range a.sends {
		seen := map[string]bool{}
		for _, r := range a.sends {
			if !r.gone && !r.at.After(end.at) && r.at.Add(a.Window).After(end.at) {
				seen[r.who] = true
			}
		}
		most = max(most, len(seen))
	}
	return most
}

// gathering is a limiter and its audience side by side.
type gathering struct {
	rapid.TB
	audience
	limiter *limiter.Limiter
	open    []pledge
	now     time.Time
}

type pledge struct {
	permit limiter.Permit
	reach  *reach
}

// meet checks the answer against all sends, and RetryAfter by bisection.
func (c *gathering) meet(call call, allow bool) limiter.Decision {
	req := call.request()
	answer, retry, remaining := c.ask(c.now, call)
	d := c.limiter.Check(c.now, req)
	require.Equal(c, answer, d.Answer, "%v at %v", call, c.now)
	require.Equal(c, retry, d.RetryAfter, "%v at %v", call, c.now)
	require.Equal(c, remaining, d.Remaining, "%v at %v", call, c.now)
	if answer == limiter.Later {
		found := sort.Search(int(min(int64(c.Window), math.MaxInt)), func(after int) bool {
			return c.limiter.Check(c.now.Add(time.Duration(after)), req).Answer == limiter.Allowed
		})
		require.Equal(c, retry, time.Duration(found), "by bisection")
	}
	switch {
	case call.verb == "check":
	case allow:
		require.Equal(c, d, c.limiter.Allow(c.now, req))
		if answer == limiter.Allowed {
			c.add(c.now, call.recipient)
		}
	default:
		p, got := c.limiter.Take(c.now, req)
		require.Equal(c, d, got)
		if answer == limiter.Allowed {
			c.open = append(c.open, pledge{p, c.add(c.now, call.recipient)})
		}
	}
	return d
}

func (c *gathering) settleOne(i int, o limiter.Outcome) {
	p := c.open[i]
	c.open = slices.Delete(c.open, i, i+1)
	p.permit.Settle(c.now, o)
	c.settle(p.reach, o)
}

func newGathering(t rapid.TB, most int64, window time.Duration) *gathering {
	rule := policy.UniqueRecipients{Max: most, Window: window}
	return &gathering{TB: t, audience: audience{UniqueRecipients: rule}, limiter: newLimiter(t, only(rule)), now: monday}
}

func TestUniqueRecipientsAgainstAllSends(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newGathering(t, rapid.Int64Range(0, 6).Draw(t, "max"), rapid.SampledFrom([]time.Duration{1, 5, 10, time.Second}).Draw(t, "window"))
		who := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i"})
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			call := call{
				verb:      rapid.SampledFrom([]string{"take", "take", "take", "check"}).Draw(t, "verb"),
				recipient: who.Draw(t, "who"),
				keep:      rapid.SampledFrom([]int64{0, 0, 0, 1, 2, 9}).Draw(t, "keep"),
				cost:      rapid.SampledFrom([]int64{0, 1, 7}).Draw(t, "cost"),
			}
			d := c.meet(call, rapid.Bool().Draw(t, "allow"))
			if n := len(c.open); n > 0 && rapid.Bool().Draw(t, "settle") {
				i := rapid.IntRange(0, n-1).Draw(t, "which")
				c.settleOne(i, rapid.SampledFrom([]limiter.Outcome{limiter.Sent, limiter.Refused, limiter.Unsent}).Draw(t, "outcome"))
			}
			switch rapid.IntRange(0, 4).Draw(t, "pass") {
			case 0:
				c.now = c.now.Add(d.RetryAfter)
			case 1:
				c.now = c.now.Add(max(0, d.RetryAfter-1))
			case 2:
				c.now = c.now.Add(1)
			case 3:
				c.now = c.now.Add(time.Duration(rapid.Int64Range(0, 2*int64(c.Window)).Draw(t, "ns")))
			}
		}
		require.LessOrEqual(t, int64(c.most()), c.Max)
	})
}

// TestTwoPermitsForOneRecipient settles two in every order, with every outcome, at
// one instant and at several, with others in between.
func TestTwoPermitsForOneRecipient(t *testing.T) {
	t.Parallel()
	outcomes := []limiter.Outcome{limiter.Sent, limiter.Refused, limiter.Unsent}
	for _, order := range []string{"tstS", "ttsS", "ttSs"} { // t takes, s settles the first, S the second
		for _, pass := range []time.Duration{0, 1, 4, 10} {
			for _, between := range []bool{false, true} {
				for _, first := range outcomes {
					for _, second := range outcomes {
						c := newGathering(t, 2, 10)
						for n, op := range order {
							switch op {
							case 't':
								c.meet(take("", 1).to("a"), false)
							case 's':
								c.settleOne(slices.IndexFunc(c.open, isTo("a")), first)
							case 'S':
								last := len(c.open) - 1
								for !isTo("a")(c.open[last]) {
									last--
								}
								c.settleOne(last, second)
							}
							if between && n == 0 {
								c.meet(take("", 1).to("b"), false)
							}
							if between && n == 2 {
								c.settleOne(slices.IndexFunc(c.open, isTo("b")), limiter.Unsent)
							}
							c.meet(check(1).to("c"), false)
							c.meet(check(1).to("c").keeping(1), false)
							c.meet(check(1).to("a"), false)
							c.now = c.now.Add(pass)
						}
						require.Empty(t, c.open, fmt.Sprint(order, pass, between, first, second))
					}
				}
			}
		}
	}
}

func isTo(who string) func(pledge) bool {
	return func(p pledge) bool { return p.reach.who == who }
}
