package limiter

import (
	"fmt"
	"strings"
	"time"

	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/policy"
)

// MaxKey is the longest account that a limiter accepts, in bytes.
const MaxKey = 256

// A Request is one act that an account wants to do.
type Request struct {
	// Account is the sending number or instance whose budget is spent. Any text
	// of up to [MaxKey] bytes without NUL; it must not be empty.
	Account string

	// Action is what is done. It must not be empty.
	Action policy.Action

	// Recipient is who gets the message, in one spelling for one recipient. It is
	// needed only where a rule counts recipients or has their scope, and then has
	// at most [MaxKey] bytes without NUL. A shadow rule goes without.
	Recipient string

	// Portfolio is whose budget the portfolio's rules draw on. It is needed only
	// where a rule has that scope, and then has at most [MaxKey] bytes without NUL.
	// A shadow rule goes without.
	Portfolio string

	// Campaign is what the request belongs to, for holds. It may be empty.
	Campaign string

	// NewContact says that the recipient has never been written to. The limiter
	// remembers no contacts.
	NewContact bool

	// Cost is how much of each counted budget the request takes. Zero means 1; a
	// negative Cost is an error. Gaps and concurrency count requests, not cost.
	Cost int64

	// Keep is how much of each counted budget has to be left over for others. A
	// negative Keep is an error. Gaps and concurrency keep nothing back.
	Keep int64
}

// A RequestError says what is wrong with a [Request]. It wraps [ErrRefused].
type RequestError struct {
	Field  string // the field's name in lower case
	Value  string // the value, with digits masked and cut to a line
	Remedy string // what to give instead
}

// Error names the field, the value and the remedy.
func (e *RequestError) Error() string {
	return fmt.Sprintf("limiter: %s %s: %s", e.Field, e.Value, e.Remedy)
}

// Unwrap makes errors.Is(err, [ErrRefused]) true.
func (e *RequestError) Unwrap() error { return ErrRefused }

// sound reports whether nothing is wrong with the request, but for NUL bytes in the
// account, which only a new account is searched for: a known one has passed.
func (r *Request) sound() bool {
	return r.Account != "" && len(r.Account) <= MaxKey && r.Action != "" && r.Keep >= 0 && r.Cost >= 0
}

// problem is what is wrong with a request that is not sound.
func (r *Request) problem() *RequestError {
	switch {
	case r.Account == "":
		return &RequestError{"account", `""`, "name the account whose budget is spent"}
	case len(r.Account) > MaxKey:
		return &RequestError{"account", quoted(r.Account), fmt.Sprintf("use at most %d bytes, not %d", MaxKey, len(r.Account))}
	case r.Action == "":
		return &RequestError{"action", `""`, "name the action, such as send_message"}
	case r.Keep < 0:
		return &RequestError{"keep", fmt.Sprint(r.Keep), "use 0 or more"}
	case r.Cost < 0:
		return &RequestError{"cost", fmt.Sprint(r.Cost), "use 1 or more, or 0 for 1"}
	}
	return nil
}

// keyProblem is what is wrong with a key that a rule asks for.
func keyProblem(field, key string, asks policy.Rule) *RequestError {
	switch {
	case key == "":
		return &RequestError{field, `""`, fmt.Sprintf("rule %q counts by it; name it", asks.Name)}
	case len(key) > MaxKey:
		return &RequestError{field, quoted(key), fmt.Sprintf("use at most %d bytes, not %d", MaxKey, len(key))}
	}
	return nulProblem(field, key)
}

func nulProblem(field, key string) *RequestError {
	if strings.IndexByte(key, 0) < 0 {
		return nil
	}
	return &RequestError{field, quoted(key), "leave NUL bytes out"}
}

// timeProblem is for a time that ticks cannot count. The zero time is one.
func timeProblem(now time.Time) *RequestError {
	return &RequestError{"time", now.Format(time.RFC3339), "use a time of the years 1678 to 2261"}
}

func quoted(key string) string { return fmt.Sprintf("%q", mask.Phone(key)) }
