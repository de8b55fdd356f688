package policy

import "time"

// A UniqueRecipients allows at most Max distinct recipients in any Window. A
// recipient who is counted already is admitted free, whatever the cost, and
// counts from then on anew: until exactly Window after the last send to it.
type UniqueRecipients struct {
	// Max is the most recipients that any Window may hold. Zero refuses
	// everything; a negative Max is an error.
	Max int64

	// Window is the window's length. It must be positive.
	Window time.Duration
}

func (UniqueRecipients) kind() string { return "unique_recipients" }

func (UniqueRecipients) scopes() []Scope { return []Scope{ScopeAccount, ScopePortfolio} }

func (u UniqueRecipients) check(report func(field string, value any, remedy string)) {
	checkMax(report, u.Max)
	checkPeriod(report, "window", u.Window)
}

func (u UniqueRecipients) most(time.Duration) int64 { return refusing(u.Max) }

// distinct is the most recipients within w.
func (u UniqueRecipients) distinct(w time.Duration) int64 {
	return multiply(u.Max, ceil(w, u.Window))
}

func (u UniqueRecipients) encode(o *object) {
	o.number("max", u.Max)
	o.duration("window", u.Window)
}

func decodeUniqueRecipients(f *fields) Limit {
	return UniqueRecipients{Max: f.number("max", required), Window: f.duration("window")}
}
