package queuetest

import (
	"fmt"
	"slices"

	"github.com/wapace/wapace/policy"
)

// auditGap takes every call that was in flight, also those that count for nothing
// else.
func auditGap(g policy.Gap, calls []Call) (found []Violation) {
	var flying []Call
	var sent int64
	var last Call // the last call that a pause is due after; none before the first
	for _, c := range calls {
		flying = slices.DeleteFunc(flying, func(earlier Call) bool { return !earlier.inFlight(c.At) })
		switch {
		case len(flying) > 0:
			other := flying[0]
			found = append(found, c.early(0, other,
				"while the call of "+stamp(other.At)+" was in flight, where only one may be"))
		case c.sent() && sent >= g.Period() && c.At.Before(last.end().Add(g.Min)):
			found = append(found, c.early(g.Min, last,
				fmt.Sprintf("%v after the call of %s ended, where the pause is at least %v", c.At.Sub(last.end()), stamp(last.At), g.Min)))
		}
		flying = append(flying, c)
		if c.sent() {
			sent++
			if sent%g.Period() == 0 {
				last = c
			}
		}
	}
	return found
}
