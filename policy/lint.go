package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Trap is a way in which numbers that can all be say something else than they
// seem to.
type Trap string

// The traps that [Policy.Lint] knows.
const (
	// NeverBinds: another rule is so much stricter that this one never refuses.
	// Wawp's strict policy has 8 sends a minute beside a pause of 60 s, which lets
	// 1 through; an hour cap of 5,000 beside 60 a minute is never reached.
	NeverBinds Trap = "never_binds"

	// HiddenPause: a pause after some sends is no longer than the gap after each.
	// Gaps that are due at once do not add up, so it is never noticed.
	HiddenPause Trap = "hidden_pause"

	// Outpaces: gaps alone send faster than a cap of less than an hour allows, so
	// sends come in lumps: at the pace of the gaps until the cap is reached, then
	// none. Gaps of 5 to 9 s are 8.6 a minute, more than a cap of 8.
	Outpaces Trap = "outpaces"

	// UsedUpEarly: at the pace of the other rules a cap of an hour or longer is
	// used up in less than half of its time. 500 a day at 5 to 9 s are gone in 74
	// minutes; 1,000 an hour at 60 a minute in 17.
	UsedUpEarly Trap = "used_up_early"

	// Doubles: a calendar cap of a day or longer starts anew at its boundary, so
	// that twice as much can go out around midnight.
	Doubles Trap = "doubles"

	// ManyChecks: more than 20 number checks may go out in a minute. Users report
	// that 17 at once were answered with rate-overlimit, and numbers banned for
	// checks alone (whatsmeow issue 478, whatsapp-web.js issue 2213).
	ManyChecks Trap = "many_checks"

	// UncappedChecks: sends are capped and number checks are not. Where each
	// recipient is checked before a send, checks are as many as messages, and
	// need a budget of their own.
	UncappedChecks Trap = "uncapped_checks"

	// PerNumber: unique recipients in 24 hours are counted for each number apart.
	// Since October 2025 all numbers of a portfolio share Meta's limit.
	PerNumber Trap = "per_number"
)

// A Warning is one trap that a policy is in.
type Warning struct {
	Trap Trap

	// Rules are the names of the rules concerned: first the one that does not do
	// what it says, then those that are the reason. They may be none.
	Rules []string

	// Text says in a sentence what happens, with the numbers.
	Text string
}

// String is the warning's text.
func (w Warning) String() string { return w.Text }

// Lint is the traps that the policy is in, in the order of its rules, or nil. It
// warns of nothing that [Policy.Validate] refuses, and is nil for a policy that
// Validate refuses. Shadow rules are left out. It takes every request to cost 1
// and every pause for its mean.
func (p Policy) Lint() []Warning {
	if p.Validate() != nil {
		return nil
	}
	l := linter{rules: slices.DeleteFunc(slices.Clone(p.Rules), func(r Rule) bool { return r.Shadow })}
	l.deadRules()
	for _, r := range l.rules {
		if l.dead[r.Name] {
			continue
		}
		l.pace(r)
		l.doubles(r)
		l.perNumber(r)
	}
	l.checks()
	slices.SortStableFunc(l.found, func(a, b Warning) int { return l.place(a) - l.place(b) })
	return l.found
}

type linter struct {
	rules []Rule          // without shadow rules
	dead  map[string]bool // the names of those that never bind
	found []Warning
}

func (l *linter) warn(t Trap, rules []string, format string, values ...any) {
	l.found = append(l.found, Warning{Trap: t, Rules: rules, Text: fmt.Sprintf(format, values...)})
}

// place orders warnings by the rule that they are about; those about none come last.
func (l *linter) place(w Warning) int {
	if len(w.Rules) == 0 {
		return len(l.rules)
	}
	return slices.IndexFunc(l.rules, func(r Rule) bool { return r.Name == w.Rules[0] })
}

// above is the rules, but for r and those that never bind, which every request that
// draws on r draws on too, with budgets that are no smaller a part of the whole.
func (l *linter) above(r Rule) []Rule {
	var those []Rule
	for _, other := range l.rules {
		if other.Name == r.Name || l.dead[other.Name] || other.Scope.width() < r.Scope.width() || !coversAll(other.Actions, r.Actions) {
			continue
		}
		if other.Scope == ScopeRecipient { // and so is r's, so that both count the same requests
			other.Scope = ScopeAccount
		}
		those = append(those, other)
	}
	return those
}

// width orders scopes by how many requests share a budget.
func (s Scope) width() int {
	switch s {
	case ScopeRecipient:
		return 0
	case ScopePortfolio:
		return 2
	default:
		return 1
	}
}

// coversAll reports whether every action that one of inner matches is matched by
// one of outer.
func coversAll(outer, inner []Action) bool {
	if len(outer) == 0 || slices.Contains(outer, "*") {
		return true
	}
	if len(inner) == 0 {
		return false
	}
	for _, a := range inner {
		if !slices.ContainsFunc(outer, a.within) {
			return false
		}
	}
	return true
}

// within reports whether pattern matches all that a matches.
func (a Action) within(pattern Action) bool {
	if narrow, isPattern := strings.CutSuffix(string(a), "*"); isPattern {
		wide, isPattern := strings.CutSuffix(string(pattern), "*")
		return isPattern && strings.HasPrefix(narrow, wide)
	}
	return pattern.Matches(a)
}

// deadRules finds the rules that never bind, the last first: of two that say the
// same the first stands.
func (l *linter) deadRules() {
	l.dead = make(map[string]bool)
	for _, r := range slices.Backward(l.rules) {
		trap, by, why := r.hiddenBy(l.above(r))
		if trap != "" {
			l.dead[r.Name] = true
			l.warn(trap, append([]string{r.Name}, by...), "rule %q never refuses: %s", r.Name, why)
		}
	}
}

// pace finds caps that the other rules run into long before they are over.
func (l *linter) pace(r Rule) {
	most, period := r.cap()
	if most <= 1 || !r.Covers(SendMessage) || r.Scope.width() != ScopeAccount.width() {
		return
	}
	each, by, gaps := meanPace(l.above(r), period)
	until := time.Duration(multiply(int64(each), most))
	_, refills := r.Limit.(TokenBucket)
	long := period >= time.Hour && !refills
	allows := fmt.Sprintf("rule %q allows %d in %s, and", r.Name, most, formatDuration(period))
	switch {
	case long && len(by) == 0:
		l.warn(UsedUpEarly, []string{r.Name}, "%s nothing spreads them: all can go at once", allows)
	case long && until < period/2:
		l.warn(UsedUpEarly, append([]string{r.Name}, by...), "%s at the pace of %s they are used up in %s",
			allows, quotedList(by), formatDuration(until.Round(time.Second)))
	case gaps && period < time.Hour && until < period:
		l.warn(Outpaces, append([]string{r.Name}, by...), "%s at the pace of %s it would be %.1f: sends go in lumps",
			allows, quotedList(by), period.Seconds()/each.Seconds())
	}
}

// doubles finds calendar caps of which two fit into the time of one.
func (l *linter) doubles(r Rule) {
	c, ok := r.Limit.(CalendarWindow)
	if !ok || c.Max == 0 || !r.Covers(SendMessage) || c.Unit == Minute || c.Unit == Hour {
		return
	}
	period := c.Unit.longest(time.UTC)
	n, _ := worstCase(append(l.above(r), r), period)
	if n > c.Max {
		l.warn(Doubles, []string{r.Name}, "rule %q allows %d per %s, and up to %d in %s around the boundary; a sliding_window would not",
			r.Name, c.Max, c.Unit, n, formatDuration(period))
	}
}

func (l *linter) perNumber(r Rule) {
	u, ok := r.Limit.(UniqueRecipients)
	if ok && r.Scope.width() == ScopeAccount.width() && u.Window == wholeDay && u.Max > 0 {
		l.warn(PerNumber, []string{r.Name}, "rule %q counts recipients for each number apart; Meta counts them for the portfolio since October 2025: use scope portfolio", r.Name)
	}
}

// mostChecks is how many number checks a minute are not warned of.
const mostChecks = 20

func (l *linter) checks() {
	n, by := worstCase(covering(l.rules, CheckNumber), time.Minute)
	sends, _ := worstCase(covering(l.rules, SendMessage), time.Minute)
	switch {
	case n == unbounded && sends < unbounded:
		l.warn(UncappedChecks, nil, "sends are capped and number checks are not: give check_number a rule of its own")
	case n > mostChecks && n < unbounded:
		l.warn(ManyChecks, by, "%s allows %d number checks in a minute; numbers have been restricted for fewer, so stay at %d", quotedList(by), n, mostChecks)
	}
}

func quotedList(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return list(quoted, "and")
}
