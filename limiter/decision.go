package limiter

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wapace/wapace/internal/mask"
)

// An Answer says whether a request may go.
type Answer uint8

// The four answers.
const (
	// Allowed: the request may go now.
	Allowed Answer = iota + 1

	// Later: the request may go after RetryAfter.
	Later

	// Busy: the request may go once a permit of the account is settled, and not
	// before RetryAfter.
	Busy

	// Never: no waiting helps, because the request asks for more than the rule
	// can ever give, or because the request itself is wrong.
	Never
)

// String is the answer in lower case.
func (a Answer) String() string {
	switch a {
	case Allowed:
		return "allowed"
	case Later:
		return "later"
	case Busy:
		return "busy"
	case Never:
		return "never"
	}
	return fmt.Sprintf("Answer(%d)", uint8(a))
}

// A Gate is one rule as it stands for one request now.
type Gate struct {
	// Rule is the rule's name. It is empty where no rule covers the request,
	// "request" where the request itself is wrong, "hold" where it is held, and
	// "capacity" where there is no room for a new account.
	Rule string

	// Answer is what this rule alone says.
	Answer Answer

	// Shadow says that the rule only counts: whatever its Answer, it refuses
	// nothing.
	Shadow bool

	// RetryAfter is how long to wait before the answer can change: exact where
	// Answer is Later, a lower bound where it is Busy, otherwise 0.
	RetryAfter time.Duration

	// Limit is the rule's size: the most that a window, a bucket or concurrency
	// holds, the number of sends from pause to pause of a gap. It is
	// math.MaxInt64 where no rule covers the request.
	Limit int64

	// Remaining is how much of Limit is left: after this request where it is
	// allowed, as things stand where it is refused. For a gap it is the number
	// of sends before the next pause.
	Remaining int64

	// Reset is how long it takes until the rule gives more: the next boundary of
	// a calendar window, the time until a sliding window has given back what
	// this request asks for, until a bucket is full, until a pause is over. It
	// is 0 where only a settled permit can tell.
	Reset time.Duration

	// Narrow says that the rule is about the request's recipient, campaign or being
	// a first contact: another request of the account may go where this one is
	// refused. A [Decision] is narrow too where the request waits for such a rule
	// first, and then for Rule, which will have shut.
	Narrow bool

	hold *stop // what refuses, where Rule is "hold"
}

// Reason is why a request is held, where Rule is "hold". Otherwise it is empty.
func (g Gate) Reason() string {
	if g.hold == nil {
		return ""
	}
	return g.hold.reason
}

// A Decision is the answer to a request: the [Gate] that binds. Where several
// rules refuse, that is the one that frees last; where all allow, the one with
// the smallest share of its limit left. It is a value and stays true only for the
// time it was asked for.
type Decision struct {
	Gate

	// ShadowRule is the shadow rule that would have refused the request, the
	// binding one of several, or one that needs a key which the request does not
	// have. It is empty where none would have.
	ShadowRule string

	problem *RequestError
}

// ErrRefused is wrapped by the error of every request that was not allowed.
var ErrRefused = errors.New("limiter: refused")

// Err is nil where the request was allowed. Otherwise it wraps [ErrRefused] and
// is a [*RequestError], which names the field, value and remedy of a wrong
// request, or a [*RefusedError].
func (d Decision) Err() error {
	switch {
	case d.Answer == Allowed:
		return nil
	case d.problem != nil:
		return d.problem
	}
	return &RefusedError{Gate: d.Gate}
}

// A RefusedError says which rule refused a request. It wraps [ErrRefused].
type RefusedError struct {
	Gate
}

// Error names the rule, its limit and when to try again.
func (e *RefusedError) Error() string {
	when := "no waiting helps"
	switch e.Answer {
	case Later:
		when = "try again in " + e.RetryAfter.String()
	case Busy:
		when = "try again when a request in flight has ended"
	case Allowed, Never:
	}
	if e.hold != nil {
		if e.Answer == Busy {
			when = "wait until it is released"
		}
		return fmt.Sprintf("limiter: held (%s): %s", shorten(mask.Text(e.hold.reason)), when)
	}
	return fmt.Sprintf("limiter: refused by rule %q (limit %d, remaining %d): %s", e.Rule, e.Limit, e.Remaining, when)
}

// Unwrap makes errors.Is(err, [ErrRefused]) true.
func (e *RefusedError) Unwrap() error { return ErrRefused }

// shorten keeps an error to a few lines, whatever reason it quotes.
func shorten(reason string) string {
	const most = 256
	if len(reason) <= most {
		return reason
	}
	return strings.ToValidUTF8(reason[:most], "") + "..."
}

func wrong(p *RequestError) Decision {
	return Decision{Gate: Gate{Rule: "request", Answer: Never}, problem: p}
}
