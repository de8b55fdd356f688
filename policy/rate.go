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
// gives l back. A whole number of events per second gives that Max per second. Any
// other rate.Every(d) gives 1 per d; above 26 days, where a float64 holds one rate
// for several d, the roundest of them. Any other rate gives the smallest Max that
// has it in whole seconds, or else some Max and Per.
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
		found.add("limit", value, "no count per duration up to "+formatDuration(MaxDuration)+" has exactly this rate; use one from 1e-07 to 1e+18")
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
	for _, unit := range [...]time.Duration{time.Second, time.Millisecond, time.Microsecond, time.Nanosecond} {
		if b, ok := countPer(1, unit, l); ok {
			return b, true
		}
	}
	if b, ok := countPerSeconds(l); ok {
		return b, true
	}
	// From 2^54 ns on a duration is finer than a float64, and somewhere in each
	// doubling of it the quotients are dense enough to hit l.
	if first := l * (1 << 54) / 1e9; first < 1<<53 {
		step := max(first/32, 1)
		for more := range 64 {
			if b, ok := countPer(int64(first+float64(more)*step)+1, time.Nanosecond, l); ok {
				return b, true
			}
		}
	}
	return TokenBucket{}, false
}

// countPer finds a Per in whole units at which count has the rate l.
func countPer(count int64, unit time.Duration, l float64) (TokenBucket, bool) {
	// Division and Seconds round, so the neighbours count too.
	seconds := math.Nextafter(float64(count)/l, 0)
	for range 3 {
		whole, part := math.Modf(seconds)
		if whole <= MaxDuration.Seconds() {
			per := time.Duration(whole)*time.Second + time.Duration(math.Round(part*1e9))
			b := TokenBucket{Max: count, Per: per.Round(unit)}
			if b.Per > 0 && b.Per <= MaxDuration && b.perSecond() == l {
				return b, true
			}
		}
		seconds = math.Nextafter(seconds, math.Inf(1))
	}
	return TokenBucket{}, false
}

// countPerSeconds finds the smallest Max per whole seconds with the rate l.
func countPerSeconds(l float64) (TokenBucket, bool) {
	// All reals between the midpoints to l's neighbours round to l.
	exact := new(big.Rat).SetFloat64(l)
	half := new(big.Rat).SetFloat64(l - math.Nextafter(l, 0))
	half.Quo(half, big.NewRat(2, 1))
	p, q := simplest(new(big.Rat).Sub(exact, half), new(big.Rat).Add(exact, half))
	if !p.IsInt64() || !q.IsInt64() || q.Int64() > int64(MaxDuration/time.Second) {
		return TokenBucket{}, false
	}
	b := TokenBucket{Max: p.Int64(), Per: time.Duration(q.Int64()) * time.Second}
	return b, b.perSecond() == l
}

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
