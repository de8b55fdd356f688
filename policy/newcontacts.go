package policy

import "time"

// A NewContacts allows at most Max requests to new contacts in any Window. What
// is a new contact is said by the request; others pass, and are not counted. It
// counts requests, whatever their cost, and each until exactly Window after it.
type NewContacts struct {
	// Max is the most new contacts that any Window may hold. Zero refuses every
	// new contact; a negative Max is an error.
	Max int64

	// Window is the window's length. It must be positive.
	Window time.Duration
}

func (NewContacts) kind() string { return "new_contacts" }

func (NewContacts) scopes() []Scope { return []Scope{ScopeAccount, ScopePortfolio} }

func (n NewContacts) check(report func(field string, value any, remedy string)) {
	checkMax(report, n.Max)
	checkPeriod(report, "window", n.Window)
}

func (NewContacts) most(time.Duration) int64 { return unbounded }

func (n NewContacts) encode(o *object) {
	o.number("max", n.Max)
	o.duration("window", n.Window)
}

func decodeNewContacts(f *fields) Limit {
	return NewContacts{Max: f.number("max", required), Window: f.duration("window")}
}
