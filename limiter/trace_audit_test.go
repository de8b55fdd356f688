package limiter_test

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// audit holds what went out against what was promised: the rules of portfolios over
// all of it, and each account's others over the reign of their policy, with what a
// rule that counts the same had counted in earlier reigns.
//
// Time is what has passed in truth. A clock that is set back makes waits longer,
// never shorter. Calendar windows and hours go by what the clock showed, so they are
// audited from one setting of the clock to the next, without the calls of which it is
// not certain what the clock showed.
func (p *player) audit() string {
	for _, rule := range p.trace.policies[0].Rules {
		if rule.Scope != policy.ScopePortfolio {
			continue
		}
		if wrong := p.found(rule, nil, p.shared); wrong != "" {
			return wrong
		}
	}
	for _, b := range p.books {
		for reign := range b.reigns {
			for _, rule := range p.policy(b, reign).Rules {
				if rule.Shadow || rule.Scope == policy.ScopePortfolio {
					continue
				}
				if wrong := p.reign(b, reign, rule); wrong != "" {
					return wrong
				}
			}
		}
	}
	return ""
}

// reign audits one rule of a reign.
func (p *player) reign(b *book, reign int, rule policy.Rule) string {
	if p.familiar(b, reign, rule) {
		return ""
	}
	counts, rule := p.counts(b, reign, rule)
	var before, now []*entry
	for i := range b.entries {
		switch e := &b.entries[i]; {
		case e.reign == reign:
			now = append(now, e)
		case e.reign < reign && counts(e):
			before = append(before, e)
		}
	}
	if _, ok := rule.Limit.(policy.Gap); ok && b.lifted || len(now) == 0 {
		return ""
	}
	return p.found(rule, before, now)
}

// familiar reports whether a rule knows recipients from a shadow, which may go free: a
// shadow does not count those that it would have refused, so who they are is not said.
func (p *player) familiar(b *book, number int, rule policy.Rule) bool {
	_, unique := rule.Limit.(policy.UniqueRecipients)
	_, meaning := recordOf(rule)
	return unique && slices.ContainsFunc(b.reigns[:number], func(before reign) bool {
		return slices.ContainsFunc(p.trace.policies[before.policy].Rules, func(r policy.Rule) bool {
			_, m := recordOf(r)
			return r.Shadow && r.Scope == rule.Scope && m == meaning
		})
	})
}

// counts says which calls of earlier reigns a rule counts, and the rule with the
// numbers that then hold.
func (p *player) counts(b *book, reign int, rule policy.Rule) (func(*entry) bool, policy.Rule) {
	mine, meaning := recordOf(rule)
	known := make([]bool, reign)
	// What is in flight counts however it came there, unless it was let through by the
	// rule's own shadow.
	flies := func(e *entry) bool {
		return (rule.Scope != policy.ScopeRecipient || e.pair) && !slices.ContainsFunc(p.policy(b, e.reign).Rules, func(r policy.Rule) bool {
			_, m := recordOf(r)
			return r.Shadow && r.Scope == rule.Scope && m == meaning
		})
	}
	if _, ok := rule.Limit.(policy.Concurrency); ok {
		return flies, rule
	}
	for k := reign - 1; k >= 0 && mine != ""; k-- {
		alike, forgets := false, false
		for _, r := range p.policy(b, k).Rules {
			record, m := recordOf(r)
			if r.Scope != rule.Scope || m != meaning {
				continue
			}
			alike = true
			if _, ok := r.Limit.(policy.TokenBucket); ok || !windowed(rule) {
				forgets = true // it is told in another way, which is coarser
			}
			if record == mine && !r.Shadow {
				known[k] = true
				if gap, ok := r.Limit.(policy.Gap); ok { // whose pauses go on as they were drawn
					least, _ := rule.Limit.(policy.Gap)
					least.Min = min(least.Min, gap.Min)
					rule.Limit = least
				}
			}
		}
		if alike && !known[k] && forgets {
			break
		}
	}
	if _, ok := rule.Limit.(policy.Gap); !ok {
		return func(e *entry) bool { return known[e.reign] }, rule
	}
	// A gap counts what ends under it, also what came before it.
	return func(e *entry) bool {
		end := b.ended(e, reign)
		return (end == reign || known[end]) && (known[e.reign] || flies(e))
	}, rule
}

// windowed reports whether a rule counts in a window that slides. What has been told to
// another window in between comes back to it.
func windowed(r policy.Rule) bool {
	switch r.Limit.(type) {
	case policy.SlidingWindow, policy.NewContacts:
		return true
	}
	return false
}

// ended is the reign in which a call ended, or the one given, if it did not before.
func (b *book) ended(e *entry, reign int) int {
	for reign > e.reign && e.endedBefore(b.reigns[reign]) {
		reign--
	}
	return reign
}

func (e *entry) endedBefore(r reign) bool {
	if e.ended != math.MaxInt {
		return e.ended < r.act
	}
	return !e.Done.IsZero() && !e.Done.After(r.at) // it ran out
}

// recordOf is what a rule counts, and in what kind of record; rules of one record
// count on exactly where the other left off.
func recordOf(r policy.Rule) (record, meaning string) {
	actions := slices.Sorted(slices.Values(r.Actions))
	family, period, kind := "charges", time.Duration(0), ""
	switch l := r.Limit.(type) {
	case policy.TokenBucket:
		period, kind = l.Per, fmt.Sprint("bucket", l.Max)
	case policy.SlidingWindow:
		period, kind = l.Window, "window"
	case policy.CalendarWindow:
		period = map[policy.Unit]time.Duration{
			policy.Minute: time.Minute, policy.Hour: time.Hour, policy.Day: 24 * time.Hour,
			policy.Week: 7 * 24 * time.Hour, policy.Month: 30 * 24 * time.Hour,
		}[l.Unit]
		kind = fmt.Sprint("calendar", l.Unit, l.Zone())
	case policy.Gap:
		family, period, kind = "pauses", time.Duration(l.Period()), "gap"
	case policy.UniqueRecipients:
		family, period, kind = "recipients", l.Window, "set"
	case policy.NewContacts:
		family, period, kind = "contacts", l.Window, "window"
	case policy.Concurrency:
		family, kind = "flights", "count"
	case policy.ActiveHours:
		return "", "" // nothing is counted
	}
	meaning = fmt.Sprint(actions, family, period)
	return meaning + kind, meaning
}

// found is what the audit of a rule finds in the calls, beyond what it finds in those
// before them.
func (p *player) found(rule policy.Rule, before, now []*entry) string {
	only := policy.Policy{Rules: []policy.Rule{rule}}
	audit := func(entries []*entry, at func(*entry) queuetest.Call) []queuetest.Violation {
		calls := make([]queuetest.Call, len(entries))
		for i, e := range entries {
			calls[i] = at(e)
		}
		return queuetest.Audit(only, calls)
	}
	more := func(before, now []*entry, at func(*entry) queuetest.Call) string {
		found := audit(append(slices.Clip(before), now...), at)
		if len(found) == 0 || len(found) == len(audit(before, at)) {
			return ""
		}
		return fmt.Sprintf("%v: %+v", found[len(found)-1], rule)
	}
	switch rule.Limit.(type) {
	case policy.CalendarWindow, policy.ActiveHours:
		onTheWall := func(e *entry) queuetest.Call {
			c := e.Call
			c.At, c.Done = e.wall, e.wall
			if e.Done.IsZero() {
				c.Done = time.Time{}
			}
			return c
		}
		for epoch := range p.epoch + 1 {
			other := func(e *entry) bool { return e.vague || e.epoch != epoch }
			if wrong := more(slices.DeleteFunc(slices.Clone(before), other), slices.DeleteFunc(slices.Clone(now), other), onTheWall); wrong != "" {
				return wrong
			}
		}
		return ""
	default:
		return more(before, now, func(e *entry) queuetest.Call { return e.Call })
	}
}
