package queuetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wapace/wapace/policy"
)

// Audit says where a log breaks a policy: every call that went over a rule, in the
// order of the calls. Nil means that the policy was kept.
//
// Audit shares no code with package limiter. It takes the whole log and asks of
// each rule whether the promise in its limit's doc comment holds, for each account,
// pair of account and recipient, or portfolio, as the rule's scope says. Shadow
// rules refuse nothing and are not audited.
//
// A [policy.Gap] is kept when every pause is at least its Min and no two of its
// calls were in flight at once. A refill of a [policy.TokenBucket] may come 1 ns
// early. A recipient counts for a [policy.UniqueRecipients] from a call that
// reached it, or may have; a call to one who counts already breaks nothing. A
// [policy.ActiveHours] is kept when every call that went out was taken inside it,
// whenever it ended. A call that breaks a rule counts like any other, so calls
// after it may be found too.
//
// The calls may come in any order, and stay as they are; those of one instant
// are taken in the order given. Times compare as in package time, so give all of
// them a monotonic reading or none, and no log of a clock that went back.
// Calendar windows and hours go by the wall clock.
//
// A policy that is not valid gives one violation without a rule, and nothing is
// audited. A call that no limiter may admit, without an account or a time, with a
// negative cost, or without a key that a rule counts by, gives a violation of the
// rule "request" and counts for nothing.
//
// The time is O(n log n) for n calls and one rule, but O(n m) for gaps and
// concurrency with m calls in flight. For days, weeks and months a calendar window
// also walks through the log hour by hour, but over at most two days for each call.
// Any goroutine may call it.
func Audit(p policy.Policy, calls []Call) []Violation {
	if err := p.Validate(); err != nil {
		return []Violation{{Text: "nothing was audited: " + strings.ReplaceAll(err.Error(), "\n", "; ")}}
	}
	var found []Violation
	sound := make([]Call, 0, len(calls))
	for _, c := range calls {
		if fault, ok := c.fault(p); ok {
			found = append(found, fault)
			continue
		}
		sound = append(sound, c)
	}
	slices.SortStableFunc(sound, func(a, b Call) int { return a.At.Compare(b.At) })
	for _, rule := range p.Rules {
		if !rule.Shadow {
			found = append(found, auditRule(rule, sound)...)
		}
	}
	slices.SortStableFunc(found, func(a, b Violation) int { return a.At.Compare(b.At) })
	return found
}

// A check finds where the calls of one budget, in the order of their times, break
// a limit. It leaves the rule and the scope's keys to its caller.
type check func(calls []Call) []Violation

// checkOf is the table of checks. A new kind of limit is one file and one row
// here.
func checkOf(limit policy.Limit) check {
	switch limit := limit.(type) {
	case policy.TokenBucket:
		return with(limit, auditTokenBucket)
	case policy.SlidingWindow:
		return with(limit, auditSlidingWindow)
	case policy.CalendarWindow:
		return with(limit, auditCalendarWindow)
	case policy.Gap:
		return with(limit, auditGap)
	case policy.Concurrency:
		return with(limit, auditConcurrency)
	case policy.UniqueRecipients:
		return with(limit, auditUniqueRecipients)
	case policy.NewContacts:
		return with(limit, auditNewContacts)
	case policy.ActiveHours:
		return with(limit, auditActiveHours)
	}
	return nil
}

func with[L policy.Limit](limit L, audit func(L, []Call) []Violation) check {
	return func(calls []Call) []Violation { return audit(limit, calls) }
}

func auditRule(rule policy.Rule, calls []Call) (found []Violation) {
	audit := checkOf(rule.Limit)
	if audit == nil {
		return []Violation{{Rule: rule.Name, Text: fmt.Sprintf("nothing was audited: Audit does not know the limit %T", rule.Limit)}}
	}
	for _, b := range budgets(rule, calls) {
		for _, v := range audit(b.calls) {
			v.Rule, v.Recipient, v.Portfolio = rule.Name, b.recipient, b.portfolio
			found = append(found, v)
		}
	}
	return found
}

// An owner is whose budget a rule is: keys that the rule's scope does not name are
// empty.
type owner struct{ account, recipient, portfolio string }

func ownerOf(scope policy.Scope, c Call) owner {
	switch scope {
	case policy.ScopeRecipient:
		return owner{account: c.Account, recipient: c.Recipient}
	case policy.ScopePortfolio:
		return owner{portfolio: c.Portfolio}
	default:
		return owner{account: c.Account}
	}
}

// A budget is the calls that drew on it, in their order.
type budget struct {
	owner
	calls []Call
}

// budgets are those of a rule, in the order in which the log names them.
func budgets(rule policy.Rule, calls []Call) (all []budget) {
	places := map[owner]int{}
	for _, c := range calls {
		if !c.asks(rule) {
			continue
		}
		whose := ownerOf(rule.Scope, c)
		place, known := places[whose]
		if !known {
			place = len(all)
			places[whose] = place
			all = append(all, budget{owner: whose})
		}
		all[place].calls = append(all[place].calls, c)
	}
	return all
}
