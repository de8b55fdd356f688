package queuetest

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/policy"
)

// A Call is one admitted request as a log has it, for [Audit]. The account and
// the recipient stand in it unmasked.
type Call struct {
	// Account is whose budget the call spent. It must not be empty.
	Account string

	// Action is what was done.
	Action policy.Action

	// Recipient is who it was for. It may be empty: no rule in the account scope
	// looks at it.
	Recipient string

	// Cost is what the call took from windows and buckets. Zero means 1; it must
	// not be negative.
	Cost int64

	// At is when the permit was taken. Its year must be 1 to 9999, and it must
	// not be the zero time.
	At time.Time

	// Done is when the permit was settled. Zero means that the call is still in
	// flight; a Done before At counts as At. A limiter takes a permit that is
	// never settled for sent after a while: log that time.
	Done time.Time

	// Unsent says that the call was settled as never having gone out. It then
	// counts for nothing but the time it was in flight. While Done is zero it is
	// not looked at.
	Unsent bool
}

// Audit says where a log breaks a policy: every call of every account that went
// over a rule, in the order of the calls. Nil means that the policy was kept.
//
// Audit shares no code with package limiter. It takes the whole log and asks of
// each rule whether the promise in its limit's doc comment holds. A [policy.Gap]
// is kept when every pause is at least its Min and no two of its calls were in
// flight at once. A refill of a [policy.TokenBucket] may come 1 ns early. A call
// that breaks a rule counts like any other, so calls after it may be found too.
//
// The calls may come in any order, and stay as they are; those of one instant
// are taken in the order given. Times compare as in package time, so give all of
// them a monotonic reading or none, and no log of a clock that went back.
// Calendar windows go by the wall clock.
//
// A policy that is not valid gives one violation without a rule, and nothing is
// audited. A call that no limiter may admit, without an account or a time or with
// a negative cost, gives a violation of the rule "request" and counts for nothing.
//
// The time is O(n log n) for n calls and one rule, but O(n m) for gaps and
// concurrency with m calls in flight. For days, weeks and months a calendar window
// also walks through the log minute by minute, but over at most two days for each
// call: a month takes some hundredths of a second. Any goroutine may call it.
func Audit(p policy.Policy, calls []Call) []Violation {
	if err := p.Validate(); err != nil {
		return []Violation{{Text: "nothing was audited: " + strings.ReplaceAll(err.Error(), "\n", "; ")}}
	}
	var found []Violation
	sound := make([]Call, 0, len(calls))
	for _, c := range calls {
		if fault, ok := c.fault(); ok {
			fault.Rule = "request"
			found = append(found, fault)
			continue
		}
		sound = append(sound, c)
	}
	slices.SortStableFunc(sound, func(a, b Call) int { return a.At.Compare(b.At) })
	for _, rule := range p.Rules {
		for _, v := range auditRule(rule, sound) {
			v.Rule = rule.Name
			found = append(found, v)
		}
	}
	slices.SortStableFunc(found, func(a, b Violation) int { return a.At.Compare(b.At) })
	return found
}

// A Violation is one call that broke one rule.
type Violation struct {
	// Rule is the rule's name: "request" for a call that no limiter may admit,
	// empty for a policy that is not valid.
	Rule string

	// Account is the call's account, unmasked.
	Account string

	// At is when the call that broke the rule was admitted.
	At time.Time

	// Limit is what the rule allowed, and Got what the log holds instead: summed
	// costs for windows and buckets, calls in flight for a concurrency. For a gap
	// they are the pauses in nanoseconds, and Got is the smaller one. A call that
	// came while another was in flight has Limit 0 and a negative Got, the smallest
	// int64 where the other has no end. A sum that does not fit into an int64 is
	// the largest one.
	Limit, Got int64

	// Text says what was broken and by how much. It names no account.
	Text string
}

// String is the violation in one sentence, with the account masked.
func (v Violation) String() string {
	var parts []string
	if v.Rule != "" {
		parts = append(parts, fmt.Sprintf("rule %q", v.Rule))
	}
	if v.Account != "" {
		parts = append(parts, fmt.Sprintf("account %q", mask.Phone(v.Account)))
	}
	if !v.At.IsZero() {
		parts = append(parts, stamp(v.At))
	}
	if len(parts) == 0 {
		return v.Text
	}
	return strings.Join(parts, ", ") + ": " + v.Text
}

// auditRule leaves the Rule of what it finds to its caller.
func auditRule(rule policy.Rule, calls []Call) []Violation {
	if rule.Scope != "" && rule.Scope != policy.ScopeAccount {
		return []Violation{{Text: fmt.Sprintf("nothing was audited: Audit does not know the scope %q", rule.Scope)}}
	}
	var taken, sent []Call
	for _, c := range calls {
		if !rule.Covers(c.Action) {
			continue
		}
		taken = append(taken, c)
		if c.sent() {
			sent = append(sent, c)
		}
	}
	switch limit := rule.Limit.(type) {
	case policy.SlidingWindow:
		return perAccount(sent, func(calls []Call) []Violation { return auditSlidingWindow(limit, calls) })
	case policy.TokenBucket:
		return perAccount(sent, func(calls []Call) []Violation { return auditTokenBucket(limit, calls) })
	case policy.CalendarWindow:
		return auditCalendarWindow(limit, sent)
	case policy.Gap:
		return perAccount(taken, func(calls []Call) []Violation { return auditGap(limit, calls) })
	case policy.Concurrency:
		return perAccount(taken, func(calls []Call) []Violation { return auditConcurrency(limit, calls) })
	default:
		return []Violation{{Text: fmt.Sprintf("nothing was audited: Audit does not know the limit %T", limit)}}
	}
}

// perAccount audits the calls of each account alone.
func perAccount(calls []Call, audit func([]Call) []Violation) (found []Violation) {
	var accounts []string // in the order that the log names them
	byAccount := map[string][]Call{}
	for _, c := range calls {
		if byAccount[c.Account] == nil {
			accounts = append(accounts, c.Account)
		}
		byAccount[c.Account] = append(byAccount[c.Account], c)
	}
	for _, account := range accounts {
		found = append(found, audit(byAccount[account])...)
	}
	return found
}

// auditSlidingWindow sums, at each call, the window that ends with it. The
// fullest of all windows is among these.
func auditSlidingWindow(w policy.SlidingWindow, calls []Call) (found []Violation) {
	sum, first := new(big.Int), 0
	for _, c := range calls {
		sum.Add(sum, c.cost())
		for !c.At.Before(calls[first].At.Add(w.Window)) {
			sum.Sub(sum, calls[first].cost())
			first++
		}
		if sum.Cmp(big.NewInt(w.Max)) > 0 {
			found = append(found, c.over(big.NewInt(w.Max), sum,
				fmt.Sprintf("in the %v from %s", w.Window, stamp(calls[first].At))))
		}
	}
	return found
}

// auditTokenBucket asks for every two calls i <= j, at times t, whether
//
//	sum of the costs from i to j <= Size + Max * (t(j) - t(i) + 1ns) / Per
//
// which, times Per and with "spent" for the sum of all costs from the log's
// start, is
//
//	(Per*spent(up to j) - Max*t(j)) + (Max*t(i) - Per*spent(before i)) <= Per*Size + Max*1ns
//
// The second term depends on i alone: its largest value so far decides for j.
func auditTokenBucket(b policy.TokenBucket, calls []Call) (found []Violation) {
	per, rate, size := big.NewInt(int64(b.Per)), big.NewInt(b.Max), big.NewInt(b.Size())
	if b.Max == 0 {
		size = new(big.Int)
	}
	room := add(mul(per, size), rate)
	t, spent := new(big.Int), new(big.Int)
	var worst, worstT, worstSpent *big.Int // the second term, t and spent of the i that it is largest for
	var worstAt time.Time
	for j, c := range calls {
		if j > 0 {
			t = add(t, big.NewInt(int64(c.At.Sub(calls[j-1].At))))
		}
		if before := sub(mul(rate, t), mul(per, spent)); worst == nil || before.Cmp(worst) > 0 {
			worst, worstT, worstSpent, worstAt = before, t, spent, c.At
		}
		spent = add(spent, c.cost())
		if add(sub(mul(per, spent), mul(rate, t)), worst).Cmp(room) <= 0 {
			continue
		}
		where, elapsed := "at once", sub(t, worstT)
		if elapsed.Sign() > 0 {
			where = fmt.Sprintf("in the %v from %s", time.Duration(cut(elapsed)), stamp(worstAt))
		}
		limit := add(size, new(big.Int).Quo(mul(rate, elapsed), per))
		found = append(found, c.over(limit, sub(spent, worstSpent), where))
	}
	return found
}

// auditCalendarWindow takes the calls of all accounts, so that they share one
// walk through the calendar.
func auditCalendarWindow(w policy.CalendarWindow, calls []Call) (found []Violation) {
	type budget struct{ account, window string }
	sums := map[budget]*big.Int{}
	for i, window := range calendarWindows(w, calls) {
		c := calls[i]
		sum := sums[budget{c.Account, window}]
		if sum == nil {
			sum = new(big.Int)
			sums[budget{c.Account, window}] = sum
		}
		sum.Add(sum, c.cost())
		if sum.Cmp(big.NewInt(w.Max)) > 0 {
			found = append(found, c.over(big.NewInt(w.Max), sum,
				fmt.Sprintf("in the %s %s of %s", w.Unit, window, w.Zone())))
		}
	}
	return found
}

// auditGap takes every call that was in flight, also those that count for nothing
// else.
func auditGap(g policy.Gap, calls []Call) (found []Violation) {
	var flying []Call
	var sent int64
	var last Call // the last call that a pause is due after; none before the first
	for _, c := range calls {
		flying = slices.DeleteFunc(flying, func(earlier Call) bool { return !earlier.inFlight(c.At) })
		switch {
		case len(flying) > 0:
			other := flying[0]
			found = append(found, c.early(0, other,
				"while the call of "+stamp(other.At)+" was in flight, where only one may be"))
		case c.sent() && sent >= g.Period() && c.At.Before(last.end().Add(g.Min)):
			found = append(found, c.early(g.Min, last,
				fmt.Sprintf("%v after the call of %s ended, where the pause is at least %v", c.At.Sub(last.end()), stamp(last.At), g.Min)))
		}
		flying = append(flying, c)
		if c.sent() {
			sent++
			if sent%g.Period() == 0 {
				last = c
			}
		}
	}
	return found
}

func auditConcurrency(limit policy.Concurrency, calls []Call) (found []Violation) {
	var flying []Call
	for _, c := range calls {
		flying = slices.DeleteFunc(flying, func(earlier Call) bool { return !earlier.inFlight(c.At) })
		flying = append(flying, c)
		if n := int64(len(flying)); n > limit.Max {
			found = append(found, c.over(big.NewInt(limit.Max), big.NewInt(n), "in flight"))
		}
	}
	return found
}

// fault says why no limiter may admit the call, and whether that is so.
func (c Call) fault() (Violation, bool) {
	v := Violation{Account: c.Account, At: c.At}
	switch {
	case c.Account == "":
		v.Text = "the call has no account; every call spends the budget of one"
	case c.Cost < 0:
		v.Got = c.Cost
		v.Text = fmt.Sprintf("the call has the cost %d; use 1 or more, or 0 for 1", c.Cost)
	case c.At.IsZero() || c.At.Year() < 1 || c.At.Year() > 9999:
		v.Text = "the call has no time of the years 1 to 9999; set At to when its permit was taken"
	}
	return v, v.Text != ""
}

func (c Call) cost() *big.Int { return big.NewInt(max(c.Cost, 1)) }

// sent reports whether the call counts: it went out, or it may have.
func (c Call) sent() bool { return !c.Unsent || c.Done.IsZero() }

// inFlight reports whether a call taken at or before t is unsettled at t.
func (c Call) inFlight(t time.Time) bool { return c.Done.IsZero() || c.end().After(t) }

// end is when a settled call was settled.
func (c Call) end() time.Time {
	if c.Done.Before(c.At) {
		return c.At
	}
	return c.Done
}

// over is the violation of a limit by too much.
func (c Call) over(limit, got *big.Int, where string) Violation {
	return Violation{Account: c.Account, At: c.At, Limit: cut(limit), Got: cut(got),
		Text: fmt.Sprintf("%d %s, where at most %d may be (%d too many)", got, where, limit, sub(got, limit))}
}

// early is the violation of a pause after an earlier call.
func (c Call) early(pause time.Duration, earlier Call, what string) Violation {
	got := int64(math.MinInt64)
	by := "by how much is unknown, that call is not settled"
	if !earlier.Done.IsZero() {
		got = int64(c.At.Sub(earlier.end()))
		by = fmt.Sprintf("%v too early", earlier.end().Add(pause).Sub(c.At))
	}
	return Violation{Account: c.Account, At: c.At, Limit: int64(pause), Got: got,
		Text: fmt.Sprintf("taken %s (%s)", what, by)}
}

func stamp(t time.Time) string { return t.Format(time.RFC3339Nano) }

func add(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) }
func sub(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }
func mul(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) }

// cut is n, or the largest int64 where n does not fit. It is for n >= 0.
func cut(n *big.Int) int64 {
	if n.IsInt64() {
		return n.Int64()
	}
	return math.MaxInt64
}
