package queuetest

import (
	"math/big"

	"github.com/wapace/wapace/policy"
)

// auditNewContacts is given calls to new contacts only: the rule asks no others.
func auditNewContacts(n policy.NewContacts, calls []Call) []Violation {
	one := func(Call) *big.Int { return big.NewInt(1) }
	return slide(n.Max, n.Window, keep(calls, Call.sent), one, "new contacts ")
}
