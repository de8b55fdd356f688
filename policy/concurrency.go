package policy

import "time"

// A Concurrency allows at most Max requests that are admitted and not settled
// yet. It counts requests, whatever their cost.
type Concurrency struct {
	// Max is the most that may be in flight. Zero refuses everything; a negative
	// Max is an error.
	Max int64
}

func (Concurrency) kind() string { return "concurrency" }

func (Concurrency) scopes() []Scope { return []Scope{ScopeAccount, ScopeRecipient} }

func (c Concurrency) check(report func(field string, value any, remedy string)) {
	checkMax(report, c.Max)
}

func (c Concurrency) most(time.Duration) int64 { return refusing(c.Max) }

func (c Concurrency) encode(o *object) { o.number("max", c.Max) }

func decodeConcurrency(f *fields) Limit {
	return Concurrency{Max: f.number("max", required)}
}
