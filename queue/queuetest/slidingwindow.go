package queuetest

import (
	"fmt"
	"math/big"
	"time"

	"github.com/wapace/wapace/policy"
)

func auditSlidingWindow(w policy.SlidingWindow, calls []Call) []Violation {
	return slide(w.Max, w.Window, keep(calls, Call.sent), Call.cost, "")
}

// slide sums, at each call, the window that ends with it. The fullest of all
// windows is among these. What is summed is named with a space after it.
func slide(most int64, window time.Duration, calls []Call, cost func(Call) *big.Int, what string) (found []Violation) {
	sum, first := new(big.Int), 0
	for _, c := range calls {
		sum.Add(sum, cost(c))
		for !c.At.Before(calls[first].At.Add(window)) {
			sum.Sub(sum, cost(calls[first]))
			first++
		}
		if sum.Cmp(big.NewInt(most)) > 0 {
			found = append(found, c.over(big.NewInt(most), sum, what+within(window, calls[first])))
		}
	}
	return found
}

// within names the window that begins with a call.
func within(window time.Duration, first Call) string {
	return fmt.Sprintf("in the %v from %s", window, stamp(first.At))
}
