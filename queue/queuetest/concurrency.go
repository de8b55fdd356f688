package queuetest

import (
	"math/big"
	"slices"

	"github.com/wapace/wapace/policy"
)

// auditConcurrency counts, at each call, those in flight with it, also calls that
// count for nothing else.
func auditConcurrency(limit policy.Concurrency, calls []Call) (found []Violation) {
	var flying []Call
	for _, c := range calls {
		flying = slices.DeleteFunc(flying, func(earlier Call) bool { return !earlier.inFlight(c.At) })
		flying = append(flying, c)
		if n := int64(len(flying)); n > limit.Max {
			found = append(found, c.over(big.NewInt(limit.Max), big.NewInt(n), "in flight"))
		}
	}
	return found
}
