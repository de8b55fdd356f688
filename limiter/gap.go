package limiter

import (
	"math"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
)

// A gap keeps when its pause is over and how many sends have ended. The pause
// after send n is draw n of the rule's name, so it is the same whoever asks, and
// however often.
//
// Words: the tick at which the pause is over, or inFlight; the sends.
type gap struct {
	min, max time.Duration
	every    int64
	name     uint64
}

// inFlight as the end of a pause says that a send under the rule is not settled.
const inFlight = never

func newGap(g policy.Gap, name string) *gap {
	return &gap{min: g.Min, max: g.Max, every: g.Period(), name: dice.Name(name)}
}

// over is when the pause after the latest send is over, counted from a tick.
func (m *gap) over(c cells, from int64) int64 {
	pause := c.account.Between(m.min, m.max, m.name, uint64(c.words[1]))
	return min(add(from, int64(pause)), inFlight-1)
}

func (m *gap) layout() []cell { return []cell{aTick, aCount} }

func (m *gap) fresh(w []int64) { w[0], w[1] = math.MinInt64, 0 }

func (m *gap) ask(c cells, at instant, _ demand) gate {
	due := c.words[0]
	switch {
	case due == inFlight:
		return gate{Busy, never, m.every, 0, never}
	case due > at.tick:
		return later(due, m.every, 0)
	}
	if left := m.every - 1 - m.past(c.words[1]); left > 0 {
		return gate{Allowed, at.tick, m.every, left, at.tick}
	}
	return gate{Allowed, at.tick, m.every, 0, never}
}

// past is how many of the sends came after the last pause.
func (m *gap) past(sends int64) int64 {
	if m.every == 1 {
		return 0 // as most gaps are, and a division costs as much as all the rest
	}
	return sends % m.every
}

func (m *gap) charge(c cells, _ instant, _ demand, _ uint64) bool {
	c.words[0] = inFlight
	return true
}

func (m *gap) spend(c cells, at instant, _ demand, _ uint64) { m.sent(c, at.tick, at.tick) }

// settle counts the send, unless it never went out, and starts the pause that is
// due after it. A pause that was over when the send was admitted may be forgotten.
// Where the clock was set back since, that was later than now. A change of policy can
// bring several sends under the rule: none shortens the pause after another.
func (m *gap) settle(c cells, r receipt, end instant, o Outcome) {
	due := c.words[0]
	if due == inFlight {
		due = min(r.at.tick, end.tick)
	}
	c.words[0] = due
	if o != Unsent {
		m.sent(c, due, end.tick)
		c.words[0] = max(c.words[0], due)
	}
}

// sent counts a send that ended at a tick; without a pause after it the next one
// may go from an earlier tick on.
func (m *gap) sent(c cells, from, end int64) {
	c.words[1]++
	if m.past(c.words[1]) == 0 {
		from = m.over(c, end)
	}
	c.words[0] = from
}

func (m *gap) counts() (family, time.Duration) { return pauses, time.Duration(m.every) }

func (m *gap) same(other meter) bool {
	_, ok := other.(*gap)
	return ok
}

func (m *gap) spent(cells, instant) []spending { return nil }

func (m *gap) inherit(cells, instant, []spending) {}

// idle is true before the first send and, where all pauses are alike, after each.
// Where they are not, the count decides which comes next.
func (m *gap) idle(c cells, at instant) bool {
	return c.words[0] <= at.tick && (c.words[1] == 0 || m.min >= m.max && m.past(c.words[1]) == 0)
}

func (m *gap) rewind(c cells, from, to int64) {
	switch due := c.words[0]; {
	case due == inFlight:
	case due > from:
		c.words[0] = m.over(c, to)
	default:
		c.words[0] = min(due, to)
	}
}

func (m *gap) sound(saved) bool { return true }
