package policy

import (
	"reflect"
	"slices"
	"time"
)

// A Limit is one kind of bound with its numbers. The kinds are [TokenBucket],
// [SlidingWindow], [CalendarWindow], [Gap], [Concurrency], [UniqueRecipients],
// [NewContacts] and [ActiveHours]: small values that compare with ==. The
// interface is sealed: no other package can add a kind, and a rule holds the kinds
// themselves, not pointers to them.
type Limit interface {
	// kind is the limit's name in JSON.
	kind() string

	// scopes are those that a rule with this limit may have, [ScopeAccount] among
	// them.
	scopes() []Scope

	// check reports every number that cannot be, by its name in JSON.
	check(report func(field string, value any, remedy string))

	// most is the most requests of cost 1 that the limit alone lets into any span
	// of time, which is positive.
	most(span time.Duration) int64

	// encode writes the limit's numbers in JSON order.
	encode(o *object)
}

// A kind is one row of the table of limits: its zero value and its reader.
type kind struct {
	zero   Limit
	decode func(f *fields) Limit
}

func (k kind) name() string { return k.zero.kind() }

// kinds is the table of limits. A new kind is one file and one row here.
func kinds() []kind {
	return []kind{
		{TokenBucket{}, decodeTokenBucket},
		{SlidingWindow{}, decodeSlidingWindow},
		{CalendarWindow{}, decodeCalendarWindow},
		{Gap{}, decodeGap},
		{Concurrency{}, decodeConcurrency},
		{UniqueRecipients{}, decodeUniqueRecipients},
		{NewContacts{}, decodeNewContacts},
		{ActiveHours{}, decodeActiveHours},
	}
}

// isKind reports whether l is a value of one of the kinds. A pointer to one and
// a struct that embeds one have the methods too, but no limiter knows them.
func isKind(l Limit) bool {
	return slices.ContainsFunc(kinds(), func(k kind) bool {
		return reflect.TypeOf(k.zero) == reflect.TypeOf(l)
	})
}

// MaxDuration is the longest period, window or pause that a policy may have,
// 100 years of 365.25 days. It keeps every sum of a time and a duration that a
// limiter makes inside 64 bits for as long as it matters.
const MaxDuration = 876_600 * time.Hour
