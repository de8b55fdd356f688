package headers

import (
	"math/bits"
	"time"
)

// A Kind says how a time to wait was written.
type Kind uint8

// The kinds. The zero Kind is that of a time that was not written.
const (
	// Delta: a length of time, such as 60 or 6m0s.
	Delta Kind = iota + 1

	// Date: a date, as of HTTP or RFC 3339.
	Date

	// Epoch: a time since 1970.
	Epoch

	// Documented: nothing was written, but the provider's documentation says when
	// what was refused is given again.
	Documented
)

// String is the kind in lower case, and empty for the zero Kind.
func (k Kind) String() string {
	switch k {
	case Delta:
		return "delta"
	case Date:
		return "date"
	case Epoch:
		return "epoch"
	case Documented:
		return "documented"
	}
	return ""
}

// Unknown stands for a number that an answer does not tell.
const Unknown = -1

// An Advice is what an answer says about limits, in one form whatever dialect it
// was written in. It is what the other side says and no more: a limit of one's own
// can be tightened by it, and should not be loosened.
type Advice struct {
	// Limited says that the answer refuses the request because of a limit.
	Limited bool

	// Locked says that the answer refuses the request because what it is about is
	// in use by another (Stripe's lock_timeout). That is no limit: try again soon,
	// and slow nothing down.
	Locked bool

	// Cached says that the answer comes from a cache (its Age is above 0), so that
	// its numbers are not about this request.
	Cached bool

	// Wait is how long to wait before the next request, where Kind is not zero; 0
	// is not at all. It is that of Retry-After, else of the body, else of usage
	// headers where access is lost, else the longest Reset of what is exhausted.
	// A Retry-After of a redirect is about the redirect and is not counted.
	Wait time.Duration

	// Kind is how Wait was written. The zero Kind: the answer does not say.
	Kind Kind

	// Name is the name of the service limit that binds: of those that are exhausted
	// the one that is reset last, else the one with the smallest share left. Name
	// is empty where there is none or it has no name.
	Name string

	// Limit, Remaining and Reset are those of the service limit that binds. Limit
	// and Remaining are [Unknown] where the answer does not say; Reset counts where
	// ResetKind is not zero.
	Limit, Remaining int64
	Reset            time.Duration
	ResetKind        Kind

	// Clamped says that Wait or Reset was longer than the longest wait and was cut.
	Clamped bool

	// Code is the error's code in the body: error.code, else error.type, else that
	// of the first of errors, else code, else the last part of a problem's type.
	// Numbers are in the body's spelling.
	Code string

	// Violated are the quotas that a problem names as violated.
	Violated []string

	// Quotas are what the RateLimit-Policy field says, in its order.
	Quotas []Quota

	// ServiceLimits are what the RateLimit field and the limit fields of older
	// dialects say, in that order.
	ServiceLimits []ServiceLimit

	// Usage is what Meta's usage fields say, nil where there are none.
	Usage *Usage

	// Malformed are the fields that were ignored as a whole, because of a syntax error
	// or because they are longer than is read, and "body".
	Malformed []string

	// Notes say what was read in a lenient way, what could not be read and what was
	// cut, for logs: at most [MaxItems], with digits masked.
	Notes []string
}

// A Quota is how much may be used in a window of time.
type Quota struct {
	// Name tells quotas apart. Fields of drafts 04 to 07 have none. To be printed
	// it must be printable ASCII and not empty.
	Name string

	// Limit is how many units there are in a window.
	Limit int64

	// Window is how long the window is. 0: not told. It is printed in whole
	// seconds, rounded up.
	Window time.Duration

	// Unit is what is counted: requests, content-bytes, concurrent-requests or a
	// word of the provider's own. Empty prints nothing, which means requests; read
	// from a field it is never empty.
	Unit string

	// Partition tells apart the callers that each have the quota for themselves.
	// Nil: not told.
	Partition []byte
}

// A ServiceLimit is what is left of a limit now.
type ServiceLimit struct {
	// Name is the name of the quota that it belongs to. It may be empty.
	Name string

	// Partition is that of the quota. Nil: not told.
	Partition []byte

	// Limit and Remaining are [Unknown] where they are not told. Limit is that of the
	// quota where the limit's own field does not tell it.
	Limit, Remaining int64

	// Cost is how many units the request took, 0 where it is not told.
	Cost int64

	// Reset is how long it takes until more is given, where ResetKind is not zero. It
	// is what the field tells, however long that is.
	Reset     time.Duration
	ResetKind Kind

	// Source is the field it was read from, or what the names of its fields begin
	// with: RateLimit, RateLimit-, X-RateLimit-, X-Rate-Limit-.
	Source string
}

// exhausted reports whether nothing is left.
func (s *ServiceLimit) exhausted() bool { return s.Remaining == 0 }

// binds reports whether s binds more than t.
func (s *ServiceLimit) binds(t *ServiceLimit) bool {
	switch {
	case s.exhausted() != t.exhausted():
		return s.exhausted()
	case s.exhausted():
		return s.ResetKind != 0 && (t.ResetKind == 0 || s.Reset > t.Reset)
	case s.Remaining < 0 || t.Remaining < 0:
		return s.Remaining >= 0 && t.Remaining < 0
	case s.Limit <= 0 || t.Limit <= 0:
		return s.Remaining < t.Remaining
	}
	return scarcer(s.Remaining, s.Limit, t.Remaining, t.Limit)
}

// scarcer reports whether a of b is a smaller share than c of d. None is negative.
func scarcer(a, b, c, d int64) bool {
	ad, adLow := bits.Mul64(uint64(a), uint64(d))
	cb, cbLow := bits.Mul64(uint64(c), uint64(b))
	return ad < cb || ad == cb && adLow < cbLow
}
