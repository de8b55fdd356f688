package limiter

import (
	"math"
	"math/bits"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
)

// A gap keeps when its pause is over and how many sends have ended. The pause
// after send n is draw n of the rule's name, so it is the same whoever asks, and
// however often. It is drawn by whoever needs to know it: most sends come when even
// the longest pause is over.
//
// Words: the tick at which the pause is over, or inFlight; the sends. While it is
// not worked out what follows the last send they are the tick at which that ended,
// and the sends with all bits flipped. A change of policy can bring several sends
// that are not settled under a gap: then their number stands above the sends, from
// bit crowdBits on, and the tick is when the pauses so far are over.
type gap struct {
	min, max time.Duration
	every    int64
	inverse  uint64 // 2^64 over every, rounded up; 0 where every is 1 or too large
	name     uint64
}

// inFlight as the end of a pause says that a send under the rule is not settled.
const inFlight = never

// A thousand sends a second fill crowdBits in 34 years.
const (
	crowdBits = 40
	mostSends = 1<<crowdBits - 1
)

func newGap(g policy.Gap, name string) *gap {
	m := &gap{min: g.Min, max: g.Max, every: g.Period(), name: dice.Name(name)}
	if m.every > 1 && m.every <= math.MaxUint32 {
		m.inverse = math.MaxUint64/uint64(m.every) + 1
	}
	return m
}

// over is when the pause after so many sends is over, the last of which ended at a
// tick.
func (m *gap) over(key dice.Account, end, sends int64) int64 {
	pause := key.Between(m.min, m.max, m.name, uint64(sends))
	return min(add(end, int64(pause)), inFlight-1)
}

// draw works out what follows the last send, if that was put off.
func (m *gap) draw(c cells, key dice.Account) {
	if sends := ^c.words[1]; sends >= 0 {
		c.words[1] = sends
		if m.past(sends) == 0 {
			c.words[0] = m.over(key, c.words[0], sends)
		}
	}
}

// flights is how many sends under the gap are not settled.
func (m *gap) flights(c cells) int64 {
	if n := max(c.words[1], 0) >> crowdBits; n > 0 || c.words[0] != inFlight {
		return n
	}
	return 1
}

// fly has so many sends be in flight under a gap whose pause has been drawn.
func (m *gap) fly(c cells, n int64) {
	c.words[1] &= mostSends
	if n > 1 || n == 1 && c.words[0] != inFlight {
		c.words[1] |= min(n, math.MaxInt64>>crowdBits) << crowdBits
	}
}

func (m *gap) layout() []cell { return []cell{aTick, aSends} }

func (m *gap) fresh(w []int64) { w[0], w[1] = math.MinInt64, 0 }

func (m *gap) size() int64 { return m.every }

// open is true where no pause is due and once even the longest is over. Where it is
// false the gap may be between two pauses.
func (m *gap) open(c cells, r *claim) bool {
	end, sends := c.words[0], c.words[1]
	return end <= r.at.tick && max(sends, ^sends) < mostSends && (sends >= 0 || since(r.at.tick, end) >= uint64(m.max))
}

// between is true where it is not worked out that no pause follows the last send.
func (m *gap) between(c cells, r *claim) bool {
	end, sends := c.words[0], ^c.words[1]
	return end <= r.at.tick && 0 <= sends && sends < mostSends && m.past(sends) != 0
}

// count is charge for a claim that the gap is open to.
func (m *gap) count(c cells, r *claim) bool {
	sends := max(c.words[1], ^c.words[1])
	if r.ends {
		c.words[0], c.words[1] = min(r.at.tick, inFlight-1), ^(sends + 1)
		return false
	}
	c.words[0], c.words[1] = inFlight, sends
	return true
}

func (m *gap) ask(c cells, r *claim) gate {
	due, sends, _ := m.stand(c, r)
	return m.gate(due, sends, r)
}

// drawn is ask where the cells may be written: a pause that was put off and has to be
// known is kept, so that it is not drawn for each who is refused. Whoever asks later
// is told the same either way.
func (m *gap) drawn(c cells, r *claim) gate {
	due, sends, drew := m.stand(c, r)
	if drew {
		c.words[0], c.words[1] = due, sends
	}
	return m.gate(due, sends, r)
}

// stand is when the pause is over, as far as the claim has to know, and the sends. A
// pause that was put off is drawn only where that hangs on it.
func (m *gap) stand(c cells, r *claim) (due, sends int64, drew bool) {
	due, sends = c.words[0], c.words[1]
	if sends < 0 {
		sends = ^sends
		if r.at.tick < add(due, int64(m.max)) && m.past(sends) == 0 {
			return m.over(r.key, due, sends), sends, true
		}
	}
	return due, sends, false
}

func (m *gap) gate(due, sends int64, r *claim) gate {
	switch {
	case due == inFlight:
		return gate{Busy, never, 0, never}
	case sends > mostSends:
		return gate{Busy, due, 0, never}
	case due > r.at.tick:
		return later(due, 0)
	}
	if left := m.every - 1 - m.past(sends); left > 0 {
		return gate{Allowed, r.at.tick, left, r.at.tick}
	}
	return gate{Allowed, r.at.tick, 0, never}
}

// past is how many of the sends came after the last pause. What is left of a
// division is the fraction of the quotient, times the divisor: in 64 bits that is
// exact for numbers of 32.
func (m *gap) past(sends int64) int64 {
	switch {
	case m.every == 1:
		return 0
	case m.inverse == 0 || sends > math.MaxUint32:
		return sends % m.every
	}
	past, _ := bits.Mul64(m.inverse*uint64(sends), uint64(m.every))
	return int64(past)
}

// next is one send more. Where they are too many only those since the last pause
// count on.
func (m *gap) next(sends int64) int64 {
	if sends < mostSends {
		return sends + 1
	}
	return min(m.past(mostSends)+1, mostSends)
}

// charge forgets the pause before, which is over.
func (m *gap) charge(c cells, r *claim) bool {
	sends := max(c.words[1], ^c.words[1])
	if c.words[0] > r.at.tick || sends > mostSends {
		return m.crowd(c, r)
	}
	if r.ends {
		c.words[0], c.words[1] = min(r.at.tick, inFlight-1), ^m.next(sends)
		return false
	}
	c.words[0], c.words[1] = inFlight, sends
	return true
}

// crowd charges a gap that would refuse: a change of policy brings a send in flight
// under it.
func (m *gap) crowd(c cells, r *claim) bool {
	m.draw(c, r.key)
	m.fly(c, m.flights(c)+1)
	return true
}

// settle counts the send, unless it never went out, and starts the pause that is
// due after it. A pause that was over when the send was admitted may be forgotten.
// Where the clock was set back since, that was later than now. A change of policy can
// bring several sends under the rule: none shortens the pause after another.
func (m *gap) settle(c cells, r receipt, end instant, o Outcome) {
	m.draw(c, r.key)
	others := max(m.flights(c)-1, 0)
	c.words[1] &= mostSends
	due := c.words[0]
	alone := due == inFlight
	if alone {
		due = min(r.at.tick, end.tick)
	}
	c.words[0] = due
	if o != Unsent {
		m.sent(c, due, end.tick)
	}
	if !alone || others > 0 {
		m.draw(c, r.key)
		c.words[0] = max(c.words[0], due)
		m.fly(c, others)
	}
}

// sent counts a send that ended at a tick; without a pause after it the next one
// may go from an earlier tick on.
func (m *gap) sent(c cells, from, end int64) {
	sends := m.next(c.words[1])
	if m.past(sends) != 0 {
		c.words[0], c.words[1] = from, sends
		return
	}
	c.words[0], c.words[1] = min(end, inFlight-1), ^sends
}

func (m *gap) counts() (family, time.Duration) { return pauses, time.Duration(m.every) }

func (m *gap) same(other meter) bool {
	_, ok := other.(*gap)
	return ok
}

func (m *gap) spent(cells, instant) []spending { return nil }

func (m *gap) inherit(cells, instant, []spending) []spending { return nil }

// idle is true before the first send and, where all pauses are alike, after each.
// Where they are not, the count decides which comes next.
func (m *gap) idle(c cells, at instant) bool {
	switch due, sends := c.words[0], c.words[1]; {
	case sends > mostSends:
		return false
	case sends == 0:
		return due <= at.tick
	case sends > 0:
		return due <= at.tick && m.min >= m.max && m.past(sends) == 0
	default:
		return add(due, int64(m.min)) <= at.tick && m.min >= m.max && m.past(^sends) == 0
	}
}

func (m *gap) rewind(c cells, key dice.Account, from, to int64) {
	m.draw(c, key)
	switch due := c.words[0]; {
	case due == inFlight:
	case due > from:
		c.words[0] = m.over(key, to, c.words[1]&mostSends)
	default:
		c.words[0] = min(due, to)
	}
}

func (m *gap) sound(s saved) bool { return s.words[1] <= mostSends }
