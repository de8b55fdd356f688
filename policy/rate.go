package policy

import (
	"fmt"
	"math"
	"math/big"
	"time"

	"golang.org/x/time/rate"
)

// FromRate is the bucket of a [rate.Limiter] with limit l and the given burst.
// It is exact: Max over Per in seconds is the float64 l, so [TokenBucket.Limiter]
// gives l back. A whole number of events per second gives that Max per second,
// any other rate.Every(d) gives one per d (for d up to 26 days; above, float64
// holds one rate for several d), and any other rate the simplest fraction there
// is.
//
// A limit or burst of 0 gives Max 0, which refuses everything, as their
// documentation in package rate has it.
//
// The error is a join of [*FieldError] values. It is not nil for a limit that is
// NaN, negative, infinite ([rate.Inf] is no limit at all: leave the rule out) or
// that no Max and Per can express, for a negative burst, and for a burst that
// takes longer than [MaxDuration] to fill.
func FromRate(l rate.Limit, burst int) (TokenBucket, error) {
	var found problems
	value := raw(fmt.Sprint(float64(l)))
	if burst < 0 {
		found.add("burst", burst, "use 1 or more, or 0 to refuse everything")
	}
	switch {
	case math.IsNaN(float64(l)) || l < 0:
		found.add("limit", value, "use events per second, 0 or more")
	case l >= rate.Inf:
		found.add("limit", value, "this is no limit; leave the rule out")
	}
	if len(found.errs) > 0 {
		return TokenBucket{}, found.err()
	}
	if l == 0 || burst == 0 {
		return TokenBucket{Per: time.Second}, nil
	}
	b, ok := bucketOf(float64(l))
	if !ok {
		found.add("limit", value, "no int64 count per duration up to "+formatDuration(MaxDuration)+" has this rate; use one from 1e-09 to 1e+18")
		return TokenBucket{}, found.err()
	}
	b.Burst = int64(burst)
	b.check(func(field string, value any, remedy string) { found.add(field, value, remedy) })
	if err := found.err(); err != nil {
		return TokenBucket{}, err
	}
	return b, nil
}

// Limiter is a new limiter of package rate with the bucket's rate and size; a
// size above the largest int becomes that. A bucket with Max 0, and one that
// [Policy.Validate] refuses, give a limiter that refuses everything.
func (b TokenBucket) Limiter() *rate.Limiter {
	if b.Max <= 0 || b.Per <= 0 || b.Burst < 0 {
		return rate.NewLimiter(0, 0)
	}
	return rate.NewLimiter(rate.Limit(b.perSecond()), int(min(b.Size(), math.MaxInt)))
}

func (b TokenBucket) perSecond() float64 { return float64(b.Max) / b.Per.Seconds() }

// bucketOf finds Max and Per whose rate is exactly l, which is positive and
// finite, the most readable ones first.
func bucketOf(l float64) (TokenBucket, bool) {
	if l == math.Trunc(l) && l < math.MaxInt64 {
		return TokenBucket{Max: int64(l), Per: time.Second}, true
	}
	exact := new(big.Rat).SetFloat64(l)
	if b, ok := oneEvery(exact, l); ok {
		return b, true
	}
	for _, unit := range [...]time.Duration{time.Second, 1} {
		// All reals between l's neighbours' midpoints round to l. In seconds the
		// simplest of them is exact; in nanoseconds Seconds rounds once more, so
		// closer ones and their multiples have to be tried.
		perUnit := big.NewRat(int64(unit), int64(time.Second))
		width := new(big.Rat).SetFloat64(ulp(l))
		for range 64 {
			half := new(big.Rat).Quo(width, big.NewRat(2, 1))
			width.Quo(width, big.NewRat(4, 1))
			lo := new(big.Rat).Sub(exact, half)
			hi := new(big.Rat).Add(exact, half)
			p, q := simplest(lo.Mul(lo, perUnit), hi.Mul(hi, perUnit))
			if !p.IsInt64() || !q.IsInt64() || q.Int64() > int64(MaxDuration/unit) {
				break
			}
			for _, k := range [...]int64{1, 3, 5, 7} {
				if p.Int64() > math.MaxInt64/k || q.Int64() > int64(MaxDuration/unit)/k {
					break
				}
				b := TokenBucket{Max: k * p.Int64(), Per: time.Duration(k*q.Int64()) * unit}
				if b.perSecond() == l {
					return b, true
				}
			}
		}
	}
	return TokenBucket{}, false
}

// oneEvery finds the d for which l is rate.Every(d).
func oneEvery(exact *big.Rat, l float64) (TokenBucket, bool) {
	ns := new(big.Rat).Quo(big.NewRat(int64(time.Second), 1), exact)
	nearest := new(big.Int).Div(new(big.Int).Add(ns.Num(), new(big.Int).Rsh(ns.Denom(), 1)), ns.Denom())
	if !nearest.IsInt64() || nearest.Int64() > int64(MaxDuration) {
		return TokenBucket{}, false
	}
	for _, off := range [...]int64{0, -1, 1} {
		b := TokenBucket{Max: 1, Per: time.Duration(nearest.Int64() + off)}
		if b.Per > 0 && b.Per <= MaxDuration && b.perSecond() == l {
			return b, true
		}
	}
	return TokenBucket{}, false
}

func ulp(l float64) float64 { return math.Nextafter(l, math.Inf(1)) - l }

// simplest is the fraction with the smallest terms in [lo, hi], for 0 < lo <= hi:
// the continued fractions of both as far as they agree.
func simplest(lo, hi *big.Rat) (p, q *big.Int) {
	whole := new(big.Int).Div(lo.Num(), lo.Denom())
	base := new(big.Rat).SetInt(whole)
	if base.Cmp(lo) == 0 {
		return whole, big.NewInt(1)
	}
	if next := new(big.Int).Add(whole, big.NewInt(1)); new(big.Rat).SetInt(next).Cmp(hi) <= 0 {
		return next, big.NewInt(1)
	}
	above, below := new(big.Rat).Sub(hi, base), new(big.Rat).Sub(lo, base)
	q, p = simplest(above.Inv(above), below.Inv(below))
	return p.Add(p, new(big.Int).Mul(whole, q)), q
}
