package queuetest

import (
	"fmt"
	"math/big"
	"time"

	"github.com/wapace/wapace/policy"
)

// auditTokenBucket asks for every two calls i <= j, at times t, whether
//
//	sum of the costs from i to j <= Size + Max * (t(j) - t(i) + 1ns) / Per
//
// which, times Per and with "spent" for the sum of all costs from the log's
// start, is
//
//	(Per*spent(up to j) - Max*t(j)) + (Max*t(i) - Per*spent(before i)) <= Per*Size + Max*1ns
//
// The second term depends on i alone: its largest value so far decides for j.
func auditTokenBucket(b policy.TokenBucket, calls []Call) (found []Violation) {
	calls = keep(calls, Call.sent)
	per, rate, size := big.NewInt(int64(b.Per)), big.NewInt(b.Max), big.NewInt(b.Size())
	if b.Max == 0 {
		size = new(big.Int)
	}
	room := add(mul(per, size), rate)
	t, spent := new(big.Int), new(big.Int)
	var worst, worstT, worstSpent *big.Int // the second term, t and spent of the i that it is largest for
	var worstAt time.Time
	for j, c := range calls {
		if j > 0 {
			t = add(t, big.NewInt(int64(c.At.Sub(calls[j-1].At))))
		}
		if before := sub(mul(rate, t), mul(per, spent)); worst == nil || before.Cmp(worst) > 0 {
			worst, worstT, worstSpent, worstAt = before, t, spent, c.At
		}
		spent = add(spent, c.cost())
		if add(sub(mul(per, spent), mul(rate, t)), worst).Cmp(room) <= 0 {
			continue
		}
		where, elapsed := "at once", sub(t, worstT)
		if elapsed.Sign() > 0 {
			where = fmt.Sprintf("in the %v from %s", time.Duration(cut(elapsed)), stamp(worstAt))
		}
		limit := add(size, new(big.Int).Quo(mul(rate, elapsed), per))
		found = append(found, c.over(limit, sub(spent, worstSpent), where))
	}
	return found
}
