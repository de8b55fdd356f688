package headers

import (
	"fmt"
	"time"
)

// A ResetForm says what a number in X-RateLimit-Reset is. One name has at least
// six encodings in use; a caller who knows the provider's should say so.
type ResetForm uint8

// The forms.
const (
	// ResetGuess reads a number below 10^9 as seconds to wait, and a larger one as a
	// time since 1970: in seconds below 10^11, in milliseconds below 10^14, in
	// microseconds below 10^16, else in nanoseconds.
	ResetGuess ResetForm = iota

	// ResetEpoch reads every number as a time since 1970, in the unit that its size
	// tells, as [ResetGuess] does.
	ResetEpoch

	// ResetDelta reads every number as seconds to wait.
	ResetDelta

	// ResetDeltaMillis reads every number as milliseconds to wait.
	ResetDeltaMillis
)

// A delay is a time to wait as it was written, saturated and not negative. Nothing was
// where its kind is zero.
type delay struct {
	length time.Duration
	kind   Kind
}

// or is the longer of two delays.
func (d delay) or(e delay) delay {
	if d.kind == 0 || e.kind != 0 && e.length > d.length {
		return e
	}
	return d
}

// until is a delay until a time by the sender's clock, 0 where it is past.
func (r *reader) until(t time.Time, kind Kind) delay { return delay{max(t.Sub(r.clock), 0), kind} }

// numeric is the delay that a number means.
func (r *reader) numeric(n number, form ResetForm) delay {
	switch {
	case form == ResetDeltaMillis:
		return delay{n.in(time.Millisecond), Delta}
	case form == ResetDelta, form == ResetGuess && (n.whole < firstEpoch || n.over):
		return delay{n.in(time.Second), Delta}
	}
	return r.until(n.epoch(), Epoch)
}

// cut shortens a time to the longest one to wait, and tells.
func (r *reader) cut(d time.Duration, what string) (short time.Duration, clamped bool) {
	if d <= r.most {
		return d, false
	}
	r.remark(what, fmt.Sprintf("%v is cut to %v", d, r.most))
	return r.most, true
}
