package limiter

import (
	"slices"
	"time"

	"github.com/wapace/wapace/internal/dice"
)

// A slidingWindow keeps the tick of every charge that may still count.
//
// Words: the number of the account's log, 0 where it has none yet.
type slidingWindow struct {
	max    int64
	window uint64
}

func (m *slidingWindow) layout() []cell { return []cell{aLog} }

func (m *slidingWindow) fresh(w []int64) { w[0] = 0 }

func (m *slidingWindow) size() int64 { return m.max }

// live is the account's log and how many of its charges have left the window.
func (m *slidingWindow) live(c cells, now int64) (l *log, gone int) {
	if l = c.stock.logs.at(c.words[0]); l == nil {
		return nil, 0
	}
	return l, l.before(now, m.window)
}

// open is true where there is room for more than the claim, even if no charge has left
// the window since the last one.
func (m *slidingWindow) open(c cells, r *claim) bool {
	used := int64(c.stock.logs.at(c.words[0]).len())
	return r.keep == 0 && used < m.max && r.cost < m.max-used
}

// ask resets when the window has given back as much as the request asks for.
func (m *slidingWindow) ask(c cells, r *claim) gate {
	l, gone := m.live(c, r.at.tick)
	used := int64(l.len() - gone)
	left := m.max - used
	switch {
	case !r.fits(m.max):
		return gate{Never, never, left, never}
	case r.need() > left:
		return later(add(l.at(gone+int(r.need()-left)-1), int64(m.window)), left)
	}
	g := gate{Allowed, r.at.tick, left - r.cost, r.at.tick}
	if r.cost <= used {
		g.reset = l.at(gone + int(r.cost) - 1)
	}
	g.reset = add(g.reset, int64(m.window))
	return g
}

func (m *slidingWindow) charge(c cells, r *claim) bool {
	if c.words[0] == 0 {
		c.words[0] = c.stock.logs.open()
	}
	l, gone := m.live(c, r.at.tick)
	l.drop(gone)
	for range r.cost {
		l.push(r.at.tick, m.max)
	}
	return true
}

// settle takes an unsent charge out of the log. Charges of one instant are alike,
// so any of them will do; after the clock was set back they cannot be told apart
// and stay. There is no log where the charge was made under another policy and has
// not been carried on.
func (m *slidingWindow) settle(c cells, r receipt, _ instant, o Outcome) {
	if l := c.stock.logs.at(c.words[0]); l != nil && o == Unsent && !r.stale {
		l.remove(r.at.tick, r.cost)
	}
}

func (m *slidingWindow) counts() (family, time.Duration) { return charges, time.Duration(m.window) }

func (m *slidingWindow) same(other meter) bool {
	_, ok := other.(*slidingWindow)
	return ok
}

func (m *slidingWindow) spent(c cells, at instant) (spent []spending) {
	l, gone := m.live(c, at.tick)
	for i := gone; i < l.len(); i++ {
		spent = append(spent, spending{l.at(i), 1})
	}
	return spent
}

// inherit keeps as many of the newest charges as the largest window of the kind holds:
// as long as there are more, none has room for another.
func (m *slidingWindow) inherit(c cells, _ instant, spent []spending) (over []spending) {
	if len(spent) == 0 {
		return nil
	}
	left, part, first := int64(exactWindow), int64(0), len(spent)
	for first > 0 && left > 0 {
		first--
		part = min(left, spent[first].amount)
		left -= part
	}
	over = slices.Clone(spent[:first])
	if more := spent[first].amount - part; more > 0 {
		over = append(over, spending{spent[first].tick, more})
	}
	c.words[0] = c.stock.logs.open()
	l := c.stock.logs.at(c.words[0])
	for ; first < len(spent); first++ {
		for range part {
			l.push(spent[first].tick, exactWindow)
		}
		if first+1 < len(spent) {
			part = spent[first+1].amount
		}
	}
	return over
}

func (m *slidingWindow) idle(c cells, at instant) bool {
	l, gone := m.live(c, at.tick)
	return gone == l.len()
}

func (m *slidingWindow) rewind(c cells, _ dice.Account, from, to int64) {
	if l, gone := m.live(c, from); l != nil {
		l.drop(gone)
		l.fill(to)
	}
}

func (m *slidingWindow) sound(saved) bool { return true }
