package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/limiter"
)

// MaxChanges is how many changes of an account are remembered. Older ones are
// forgotten.
const MaxChanges = 100

// maxBy is the most bytes that the name of who made a change may have.
const maxBy = 256

// An Account is what a registry knows of one account.
type Account struct {
	// Name is the account, as in limiter.Request: text of 1 to [limiter.MaxKey]
	// bytes without NUL; here it must be UTF-8.
	Name string

	// Policy is the slug of the policy that the account has chosen. Empty means the
	// limiter's own.
	Policy string

	// Paid says that the account has a paid plan.
	Paid bool

	// Changes are how the account came to be so, the oldest first: the last is how
	// it is now. There are at most [MaxChanges], and none for an account that
	// nobody ever changed.
	Changes []Change
}

// A Change is what one act made of an account.
type Change struct {
	// At is when, in UTC.
	At time.Time

	// By is who did it, as the caller of the registry says: 1 to 256 bytes of
	// UTF-8.
	By string

	// Policy and Paid are what the account had from then on.
	Policy string
	Paid   bool
}

// ErrChange is wrapped by the error for a change, or an account kept before, that
// cannot be.
var ErrChange = errors.New("registry: cannot be")

// changed is the account after one more change.
func (a Account) changed(now time.Time, by, policy string, paid bool) Account {
	a.Policy, a.Paid = policy, paid
	changes := append(slices.Clone(a.Changes), Change{At: now.UTC().Round(0), By: by, Policy: policy, Paid: paid})
	a.Changes = changes[max(0, len(changes)-MaxChanges):]
	return a
}

// clone is a copy that shares nothing with a.
func (a Account) clone() Account {
	a.Changes = slices.Clone(a.Changes)
	return a
}

// check finds what no account may have.
func (a Account) check() error {
	switch {
	case a.Name == "":
		return problem("account", a.Name, "name the account")
	case len(a.Name) > limiter.MaxKey:
		return problem("account", a.Name, fmt.Sprintf("use at most %d bytes", limiter.MaxKey))
	case strings.IndexByte(a.Name, 0) >= 0 || !utf8.ValidString(a.Name):
		return problem("account", a.Name, "use UTF-8 without NUL bytes")
	case !utf8.ValidString(a.Policy):
		return problem("policy", a.Policy, "use UTF-8")
	case len(a.Changes) > MaxChanges:
		return problem("changes", fmt.Sprint(len(a.Changes)), fmt.Sprintf("keep at most %d", MaxChanges))
	}
	for _, c := range a.Changes {
		switch y := c.At.Year(); {
		case c.By == "":
			return problem("by", c.By, "name who makes the change")
		case len(c.By) > maxBy || !utf8.ValidString(c.By):
			return problem("by", c.By, fmt.Sprintf("use at most %d bytes of UTF-8", maxBy))
		case !utf8.ValidString(c.Policy):
			return problem("policy", c.Policy, "use UTF-8")
		case y < 1 || y > 9999:
			return problem("at", c.At.String(), "use a year of 1 to 9999")
		}
	}
	return nil
}

func problem(field, value, remedy string) error {
	return fmt.Errorf("%w: %s %q: %s", ErrChange, field, mask.Phone(value), remedy)
}
