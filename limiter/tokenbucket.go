package limiter

import (
	"math"
	"math/bits"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
)

// A tokenBucket keeps one instant, when the bucket will be full again, in ticks
// and a fraction of a tick. Being exact it never drifts, however the refill
// divides.
//
// Words: the ticks, the fraction in 1/max of a tick, the serial of the last
// charge.
type tokenBucket struct {
	max   uint64 // tokens that come back in per ticks
	per   uint64
	burst int64
	most  int64  // what it can hold: burst, unless nothing comes back in
	one   span   // how long one token takes to come back
	full  span   // how long the whole burst takes
	per64 uint64 // 2^64 over per, rounded down; 0 where the bucket is not small
}

// A span is a length of time: ticks and a fraction in 1/max of a tick.
type span struct{ ticks, frac uint64 }

func newTokenBucket(b policy.TokenBucket) *tokenBucket {
	t := &tokenBucket{max: uint64(b.Max), per: uint64(b.Per), burst: b.Size()}
	if t.max > 0 {
		t.most = t.burst
		t.one = t.refill(1)
		t.full = t.refill(t.burst)
		if hi, _ := bits.Mul64(uint64(t.burst), t.per); hi == 0 {
			t.per64 = math.MaxUint64 / t.per
		}
	}
	return t
}

// refill is how long cost tokens take to come back. It needs cost <= burst, which
// policy.Validate keeps in 64 bits.
func (t *tokenBucket) refill(cost int64) span {
	hi, lo := bits.Mul64(uint64(cost), t.per)
	q, r := bits.Div64(hi, lo, t.max)
	return span{q, r}
}

func (t *tokenBucket) price(cost int64) span {
	if cost == 1 {
		return t.one
	}
	return t.refill(cost)
}

func (t *tokenBucket) plus(a, b span) span {
	s := span{a.ticks + b.ticks, a.frac + b.frac}
	if s.frac >= t.max {
		s.frac -= t.max
		s.ticks++
	}
	return s
}

// debt is how long the bucket takes to be full at tick now, saturated: with a price it
// fits into 64 bits.
func (t *tokenBucket) debt(w []int64, now int64) span {
	if w[0] < now {
		return span{}
	}
	return span{min(since(w[0], now), math.MaxInt64), uint64(w[1])}
}

func (t *tokenBucket) layout() []cell { return []cell{aTick, aCount, aSerial} }

func (t *tokenBucket) fresh(w []int64) { w[0], w[1], w[2] = math.MinInt64, 0, 0 }

func (t *tokenBucket) size() int64 { return t.burst }

func (t *tokenBucket) ask(c cells, r *claim) gate {
	now := r.at.tick
	debt := t.debt(c.words, now)
	after, need, ok := t.lend(debt, now, r.cost, r.keep)
	if ok {
		return gate{Allowed, now, t.left(after), after.end(now)}
	}
	return t.refuse(debt, need, now)
}

// lend is the debt after what is asked for at tick now, what it takes to leave what has
// to be kept as well, and whether that is allowed. It needs nothing where it asks for more
// than a bucket can hold.
func (t *tokenBucket) lend(debt span, now, cost, keep int64) (after, need span, ok bool) {
	if keep > t.most || cost > t.most-keep {
		return span{}, span{}, false
	}
	after = t.plus(debt, t.price(cost))
	need = after
	if keep > 0 {
		need = t.plus(debt, t.price(cost+keep))
	}
	if need.exceeds(t.full) || need.up() >= since(math.MaxInt64, now) {
		return after, need, false
	}
	return after, need, true
}

// refuse is the answer where what is needed cannot be lent.
func (t *tokenBucket) refuse(debt, need span, now int64) gate {
	switch {
	case need.ticks == 0 && need.frac == 0:
		return gate{Never, never, t.left(debt), never}
	case !need.exceeds(t.full):
		return gate{Never, never, 0, never} // the refill lies beyond the end of time
	}
	g := later(ahead(now, t.above(need)), t.left(debt))
	if g.answer == Later {
		g.reset = debt.end(now)
	}
	return g
}

// above is how many ticks it takes until what is needed, which exceeds the bucket, does
// not any more.
func (t *tokenBucket) above(need span) uint64 {
	wait := need.ticks - t.full.ticks
	if need.frac > t.full.frac {
		wait++
	}
	return wait
}

// exceeds reports whether s is longer than o.
func (s span) exceeds(o span) bool {
	return s.ticks > o.ticks || s.ticks == o.ticks && s.frac > o.frac
}

// up is the span in whole ticks, rounded up.
func (s span) up() uint64 {
	if s.frac > 0 {
		s.ticks++
	}
	return s.ticks
}

// duration is up for a caller.
func (s span) duration() time.Duration { return time.Duration(clamp(s.up())) }

// end is the first tick at which the span from now is over.
func (s span) end(now int64) int64 { return ahead(now, s.up()) }

// left is how many whole tokens a bucket in debt holds.
func (t *tokenBucket) left(debt span) int64 {
	switch {
	case debt.exceeds(t.full):
		return 0
	case t.small():
		return t.whole(debt)
	}
	hi, lo := bits.Mul64(t.full.ticks-debt.ticks, t.max)
	lo, carry := bits.Add64(lo, t.full.frac, 0)
	lo, borrow := bits.Sub64(lo, debt.frac, 0)
	n, _ := bits.Div64(hi+carry-borrow, lo, t.per)
	return int64(n)
}

// small reports whether max times full, in ticks, has no more than 64 bits.
func (t *tokenBucket) small() bool { return t.per64 > 0 }

// whole is left for a small bucket and a debt that does not exceed it. A division costs as
// much as all the rest; multiplied, the quotient is at most one too small.
func (t *tokenBucket) whole(debt span) int64 {
	have := (t.full.ticks-debt.ticks)*t.max + t.full.frac - debt.frac
	n, _ := bits.Mul64(have, t.per64)
	if have-n*t.per >= t.per {
		n++
	}
	return int64(n)
}

func (t *tokenBucket) charge(c cells, r *claim) bool {
	debt := t.plus(t.debt(c.words, r.at.tick), t.price(r.cost))
	c.words[0], c.words[1], c.words[2] = add(r.at.tick, clamp(debt.ticks)), int64(debt.frac), int64(r.serial)
	return true
}

// owe sets the debt after lend.
func (t *tokenBucket) owe(w []int64, now int64, debt span, serial uint64) {
	w[2], w[1], w[0] = int64(serial), int64(debt.frac), now+int64(debt.ticks)
}

// settle gives an unsent charge back where it was the last one. A bucket that has
// filled up since stays full: what is given back is never more than the debt that
// is still owed.
func (t *tokenBucket) settle(c cells, r receipt, _ instant, o Outcome) {
	if o != Unsent || uint64(c.words[2]) != r.serial {
		return
	}
	price := t.price(r.cost)
	if uint64(c.words[1]) < price.frac {
		c.words[1] += int64(t.max)
		price.ticks++
	}
	c.words[1] -= int64(price.frac)
	c.words[0] = sub(c.words[0], clamp(price.ticks))
	c.words[2] = 0
}

func (t *tokenBucket) idle(c cells, at instant) bool { return t.debt(c.words, at.tick) == span{} }

func (t *tokenBucket) rewind(c cells, _ dice.Account, from, to int64) {
	debt := t.debt(c.words, from)
	c.words[0], c.words[1] = add(to, clamp(debt.ticks)), int64(debt.frac)
}

func (t *tokenBucket) counts() (family, time.Duration) { return charges, time.Duration(t.per) }

func (t *tokenBucket) same(other meter) bool {
	o, ok := other.(*tokenBucket)
	return ok && o.max == t.max
}

// spent is every token that is missing, a part of one counting whole.
func (t *tokenBucket) spent(c cells, at instant) []spending {
	debt := t.debt(c.words, at.tick)
	if t.max == 0 || debt == (span{}) {
		return nil
	}
	hi, lo := bits.Mul64(debt.ticks, t.max)
	lo, carry := bits.Add64(lo, debt.frac, 0)
	if hi += carry; hi >= t.per {
		return []spending{{at.tick, math.MaxInt64}}
	}
	n, rest := bits.Div64(hi, lo, t.per)
	if rest > 0 {
		n++
	}
	return []spending{{at.tick, clamp(n)}}
}

func (t *tokenBucket) inherit(c cells, _ instant, spent []spending) (over []spending) {
	for _, s := range spent {
		if t.max == 0 {
			return nil
		}
		added := span{ticks: math.MaxInt64}
		if hi, lo := bits.Mul64(uint64(s.amount), t.per); hi < t.max {
			added.ticks, added.frac = bits.Div64(hi, lo, t.max)
			added.ticks = min(added.ticks, math.MaxInt64)
		}
		debt := t.debt(c.words, s.tick)
		debt = t.plus(debt, added)
		c.words[0], c.words[1] = add(s.tick, clamp(debt.ticks)), int64(debt.frac)
	}
	return nil
}

// clamp is n as a signed number, saturated.
func clamp(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

func (t *tokenBucket) sound(s saved) bool { return s.words[1] == 0 || uint64(s.words[1]) < t.max }
