package queuetest

import (
	"fmt"
	"math/big"
	"time"

	"github.com/wapace/wapace/policy"
)

// A Call is one admitted request as a log has it, for [Audit]. Its keys stand in it
// unmasked.
type Call struct {
	// Account is whose budget the call spent. It must not be empty.
	Account string

	// Action is what was done.
	Action policy.Action

	// Recipient is who it was for, in one spelling for one recipient. It may be
	// empty where no rule counts recipients or has their scope.
	Recipient string

	// Portfolio is whose budget the rules of that scope draw on. It may be empty
	// where no rule has it.
	Portfolio string

	// NewContact says that the call was marked as the first to its recipient.
	// Only a [policy.NewContacts] looks at it.
	NewContact bool

	// Cost is what the call took from windows and buckets. Zero means 1; it must
	// not be negative.
	Cost int64

	// At is when the permit was taken. Its year must be 1 to 9999, and it must
	// not be the zero time.
	At time.Time

	// Done is when the permit was settled. Zero means that the call is still in
	// flight; a Done before At counts as At. A limiter takes a permit that is
	// never settled for sent after a while: log that time.
	Done time.Time

	// Unsent says that the call was settled as never having gone out. It then
	// counts for nothing but the time it was in flight. While Done is zero it is
	// not looked at.
	Unsent bool

	// Refused says that the other side said no. The recipient was then not
	// reached, and does not count for a [policy.UniqueRecipients]; for all else
	// the call counts as sent. While Done is zero it is not looked at.
	Refused bool
}

// fault says why no limiter under the policy may admit the call, and whether that
// is so.
func (c Call) fault(p policy.Policy) (Violation, bool) {
	v := Violation{Rule: "request", Account: c.Account, At: c.At}
	switch {
	case c.Account == "":
		v.Text = "the call has no account; every call spends the budget of one"
	case c.Cost < 0:
		v.Got = c.Cost
		v.Text = fmt.Sprintf("the call has the cost %d; use 1 or more, or 0 for 1", c.Cost)
	case c.At.IsZero() || c.At.Year() < 1 || c.At.Year() > 9999:
		v.Text = "the call has no time of the years 1 to 9999; set At to when its permit was taken"
	default:
		v.Text = c.lacks(p)
	}
	return v, v.Text != ""
}

// lacks says which key the call does not have though a rule counts by it.
func (c Call) lacks(p policy.Policy) string {
	for _, r := range p.Rules {
		_, people := r.Limit.(policy.UniqueRecipients)
		switch {
		case !c.asks(r):
		case c.Recipient == "" && (people || r.Scope == policy.ScopeRecipient):
			return fmt.Sprintf("the call has no recipient; rule %q counts by it", r.Name)
		case c.Portfolio == "" && r.Scope == policy.ScopePortfolio:
			return fmt.Sprintf("the call has no portfolio; rule %q counts by it", r.Name)
		}
	}
	return ""
}

// asks reports whether the rule could have refused the call.
func (c Call) asks(r policy.Rule) bool {
	if _, strangers := r.Limit.(policy.NewContacts); strangers && !c.NewContact {
		return false
	}
	return !r.Shadow && r.Covers(c.Action)
}

func (c Call) cost() *big.Int { return big.NewInt(max(c.Cost, 1)) }

// sent reports whether the call counts: it went out, or it may have.
func (c Call) sent() bool { return !c.Unsent || c.Done.IsZero() }

// reached reports whether the call got to its recipient, or may have.
func (c Call) reached() bool { return c.sent() && (!c.Refused || c.Done.IsZero()) }

// inFlight reports whether a call taken at or before t is unsettled at t.
func (c Call) inFlight(t time.Time) bool { return c.Done.IsZero() || c.end().After(t) }

// end is when a settled call was settled.
func (c Call) end() time.Time {
	if c.Done.Before(c.At) {
		return c.At
	}
	return c.Done
}

// keep is the calls, in their order, for which that is true.
func keep(calls []Call, is func(Call) bool) []Call {
	kept := make([]Call, 0, len(calls))
	for _, c := range calls {
		if is(c) {
			kept = append(kept, c)
		}
	}
	return kept
}
