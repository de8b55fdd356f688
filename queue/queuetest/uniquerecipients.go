package queuetest

import (
	"math/big"

	"github.com/wapace/wapace/policy"
)

// auditUniqueRecipients counts, at each call, the distinct recipients of the window
// that ends with it. The first window with too many ends with a call to one who was
// not in it yet.
func auditUniqueRecipients(u policy.UniqueRecipients, calls []Call) (found []Violation) {
	calls = keep(calls, Call.reached)
	times := map[string]int{} // how often each recipient is in the window
	first := 0
	for _, c := range calls {
		for ; !c.At.Before(calls[first].At.Add(u.Window)); first++ {
			if who := calls[first].Recipient; times[who] == 1 {
				delete(times, who)
			} else {
				times[who]--
			}
		}
		times[c.Recipient]++
		if n := int64(len(times)); n > u.Max && times[c.Recipient] == 1 {
			found = append(found, c.over(big.NewInt(u.Max), big.NewInt(n), "recipients "+within(u.Window, calls[first])))
		}
	}
	return found
}
