package policy

import "time"

// A Limit is one kind of bound with its numbers. The kinds are [TokenBucket],
// [SlidingWindow], [CalendarWindow], [Gap] and [Concurrency]: small values that
// compare with ==. The interface is sealed: no other package can add a kind.
type Limit interface {
	// kind is the limit's name in JSON.
	kind() string

	// check reports every number that cannot be, by its name in JSON.
	check(report func(field string, value any, remedy string))

	// encode writes the limit's numbers in JSON order.
	encode(o *object)
}

// A kind is one row of the table of limits: its name in JSON and its reader.
type kind struct {
	name   string
	decode func(f *fields) Limit
}

// kinds is the table of limits. A new kind is one file and one row here.
func kinds() [5]kind {
	return [...]kind{
		{"token_bucket", decodeTokenBucket},
		{"sliding_window", decodeSlidingWindow},
		{"calendar_window", decodeCalendarWindow},
		{"gap", decodeGap},
		{"concurrency", decodeConcurrency},
	}
}

// MaxDuration is the longest period, window or pause that a policy may have,
// 100 years of 365.25 days. It keeps every sum of a time and a duration that a
// limiter makes inside 64 bits for as long as it matters.
const MaxDuration = 876_600 * time.Hour
