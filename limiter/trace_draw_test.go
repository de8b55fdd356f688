package limiter_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A drawer draws traces. Its own numbers are few, so that rules of one trace meet
// and policies carry each other's counts on.
type drawer struct {
	*rand.Rand
	zones   []*time.Location
	periods []time.Duration
	actions [][]policy.Action
}

func newDrawer(zones []*time.Location) *drawer { return &drawer{zones: zones} }

func pick[T any](d *drawer, from ...T) T { return from[d.IntN(len(from))] }

// trace is the trace of a seed.
func (d *drawer) trace(seed uint64) *trace {
	d.Rand = rand.New(rand.NewPCG(seed, 81))
	all := []time.Duration{1, 100, time.Second, 3*time.Second + 1, time.Minute, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}
	d.periods = []time.Duration{pick(d, all...), pick(d, all...)}
	d.actions = [][]policy.Action{nil, pick(d, []policy.Action{"send"}, []policy.Action{"send", "look"}, []policy.Action{"s*"})}
	tr := &trace{
		start: pick(d, monday, monday.Add(16*time.Hour-time.Second),
			time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC),    // London
			time.Date(2018, 11, 4, 2, 59, 0, 0, time.UTC),    // Sao Paulo
			time.Date(2028, 12, 30, 12, 59, 0, 0, time.UTC)), // Lord Howe, a leap year's last day
		clock: pick(d, forward, forward, forward, forward, forward, forward, forward, setBack, setBack, trembling),
		most:  pick(d, 0, 0, 0, 2),
		ttl:   -1,
	}
	if tr.clock == forward {
		tr.ttl = pick[time.Duration](d, -1, 10*time.Second, 5*time.Minute)
	}
	shared := d.rules(d.IntN(3)/2+d.IntN(2), policy.ScopePortfolio)
	for i := range 1 + d.IntN(3) {
		rules := d.rules(1+d.IntN(3), policy.ScopeAccount)
		if i == 0 {
			rules = append(rules, shared...)
		} else if d.IntN(2) == 0 {
			rules = d.variant(tr.policies[0].Rules)
		}
		tr.policies = append(tr.policies, policy.Policy{Rules: rules})
	}
	weights := weighted(pick(d, doAllow, doAllow, doSet, doSet, doHold, doKeep, doRestore))
	for range 4 + d.IntN(18) {
		tr.acts = append(tr.acts, d.act(tr, weights))
	}
	return tr
}

// weighted is how often each verb comes in a trace that has one of them more often.
func weighted(more verb) (weights [verbs]int) {
	weights = [verbs]int{doTake: 40, doAllow: 20, doSettle: 25, doSet: 5, doHold: 3, doRelease: 2, doKeep: 3, doRestore: 2, doRestart: 1}
	weights[more] += 15
	return weights
}

// rules draws so many rules of a scope, or of accounts and their recipients.
func (d *drawer) rules(n int, scope policy.Scope) (rules []policy.Rule) {
	for len(rules) < n {
		r := policy.Rule{Scope: scope, Actions: pick(d, d.actions...), Limit: d.limit(), Shadow: d.IntN(12) == 0}
		if scope == policy.ScopeAccount && d.IntN(4) == 0 {
			r.Scope = policy.ScopeRecipient
		}
		kind := strings.TrimPrefix(fmt.Sprintf("%T", r.Limit), "policy.")
		r.Name = fmt.Sprintf("%s/%s/%d", kind, r.Scope, len(rules))
		if (policy.Policy{Rules: []policy.Rule{r}}).Validate() == nil && !twice(rules, r) {
			rules = append(rules, r)
		}
	}
	return rules
}

// variant are the account's rules with other numbers, in other kinds of window or not
// at all.
func (d *drawer) variant(of []policy.Rule) (rules []policy.Rule) {
	for _, r := range of {
		if r.Scope == policy.ScopePortfolio || d.IntN(6) == 0 {
			continue
		}
		most := pick[int64](d, 0, 1, 2, 3, 5, 1200)
		switch limit := r.Limit.(type) {
		case policy.SlidingWindow:
			unit, cut := map[time.Duration]policy.Unit{
				time.Minute: policy.Minute, time.Hour: policy.Hour, 24 * time.Hour: policy.Day, 7 * 24 * time.Hour: policy.Week,
			}[limit.Window]
			if limit.Max = most; cut && d.IntN(2) == 0 {
				r.Limit = policy.CalendarWindow{Max: most, Unit: unit, Location: pick(d, d.zones...)}
			} else {
				r.Limit = limit
			}
		case policy.CalendarWindow:
			period, slides := map[policy.Unit]time.Duration{
				policy.Minute: time.Minute, policy.Hour: time.Hour, policy.Day: 24 * time.Hour, policy.Week: 7 * 24 * time.Hour,
			}[limit.Unit]
			if limit.Max = most; slides && d.IntN(2) == 0 {
				r.Limit = policy.SlidingWindow{Max: most, Window: period}
			} else {
				r.Limit = limit
			}
		case policy.NewContacts:
			limit.Max = most
			r.Limit = limit
		case policy.Concurrency:
			limit.Max = most
			r.Limit = limit
		default:
		}
		rules = append(rules, r)
	}
	return rules
}

// twice reports whether a gap stands beside another that counts the same sends:
// which of them a later one carries on is not said.
func twice(rules []policy.Rule, r policy.Rule) bool {
	gap, ok := r.Limit.(policy.Gap)
	return ok && slices.ContainsFunc(rules, func(o policy.Rule) bool {
		other, ok := o.Limit.(policy.Gap)
		return ok && other.Period() == gap.Period() && o.Scope == r.Scope && slices.Equal(o.Actions, r.Actions)
	})
}

func (d *drawer) limit() policy.Limit {
	most, period := pick[int64](d, 0, 1, 1, 1, 2, 2, 2, 3, 3, 5, 5), pick(d, d.periods...)
	switch d.IntN(9) {
	case 0:
		return policy.TokenBucket{Max: max(1, most), Per: period, Burst: pick[int64](d, 0, 1, 2, 5)}
	case 1, 2:
		return policy.SlidingWindow{Max: most, Window: period}
	case 3:
		return policy.SlidingWindow{Max: 1200, Window: period}
	case 4:
		return policy.CalendarWindow{
			Max:      most,
			Unit:     pick(d, policy.Minute, policy.Hour, policy.Day, policy.Week, policy.Month),
			Location: pick(d, d.zones...),
		}
	case 5:
		least := pick[time.Duration](d, 0, 1, 5*time.Second, time.Minute)
		return policy.Gap{Min: least, Max: least + pick[time.Duration](d, 0, 1, 4*time.Second), Every: pick[int64](d, 0, 1, 2)}
	case 6:
		return policy.Concurrency{Max: most}
	case 7:
		if d.IntN(2) == 0 {
			return policy.NewContacts{Max: most, Window: period}
		}
		return policy.UniqueRecipients{Max: most, Window: period}
	default:
		hour := time.Duration(d.IntN(24)) * time.Hour
		h := policy.ActiveHours{From: hour, To: (hour + time.Duration(8+d.IntN(15))*time.Hour) % (24 * time.Hour), Location: pick(d, d.zones...)}
		if h.To == 0 {
			h.To = 24 * time.Hour
		}
		if d.IntN(3) == 0 {
			h.Days = policy.Days(time.Weekday(d.IntN(7)), time.Weekday(d.IntN(7)), time.Weekday(d.IntN(7)))
		}
		return h
	}
}

func (d *drawer) act(tr *trace, weights [verbs]int) act {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	a := act{req: d.request()}
	for n := d.IntN(sum) - weights[0]; n >= 0; n -= weights[a.verb] {
		a.verb++
	}
	a.pass, a.by = d.pass(tr.clock)
	switch a.verb {
	case doSettle:
		a.n, a.outcome = d.IntN(8), pick(d, limiter.Sent, limiter.Sent, limiter.Refused, limiter.Unsent)
	case doSet:
		a.n = d.IntN(len(tr.policies))
	case doHold:
		a.n, a.target = 1+d.IntN(100_000), d.target(a.req)
	case doRelease:
		a.target = d.target(a.req)
	case doRestore:
		a.n = d.IntN(8)
	default:
	}
	return a
}

func (d *drawer) request() limiter.Request {
	return limiter.Request{
		Account:    pick(d, alice, alice, bob),
		Action:     pick[policy.Action](d, "send", "send", "look"),
		Recipient:  pick(d, "a", "b", "c"),
		Portfolio:  pick(d, "p", "p", "q"),
		Campaign:   pick(d, "", "", "campaign"),
		NewContact: d.IntN(3) == 0,
		Cost:       pick[int64](d, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 600),
		Keep:       pick[int64](d, 0, 0, 0, 0, 0, 1),
	}
}

func (d *drawer) target(req limiter.Request) limiter.Target {
	return pick(d,
		limiter.Target{Account: req.Account},
		limiter.Target{Account: req.Account, Recipient: req.Recipient},
		limiter.Target{Account: req.Account, NewContacts: true},
		limiter.Target{Recipient: req.Recipient},
		limiter.Target{Campaign: "campaign"},
		limiter.Target{},
	)
}

func (d *drawer) pass(c clockwise) (pass, time.Duration) {
	switch n := d.IntN(16); {
	case c == setBack && n < 3:
		return byItself, -time.Second - 1 - time.Duration(d.Int64N(int64(pick(d, time.Minute, 3*time.Hour, 30*time.Hour))))
	case c == trembling && n < 5:
		return byItself, -time.Duration(d.Int64N(int64(time.Second) + 1))
	case n < 6:
		return byItself, 0
	case n < 9:
		return asTold, 0
	case n < 10:
		return nearly, 0
	}
	most := pick(d, 1, 10, time.Second, 10*time.Second, time.Minute, 3*time.Hour, 50*time.Hour)
	most = pick(d, most, most, pick(d, d.periods...))
	return byItself, time.Duration(d.Int64N(int64(most) + 1))
}

// tracezones are the zones of the traces, more than once where they are common.
func tracezones(load func(string) *time.Location) []*time.Location {
	return append(slices.Repeat([]*time.Location{time.UTC}, 4),
		load("Europe/London"), load("America/Sao_Paulo"), load("Australia/Lord_Howe"))
}
