package limiter

import (
	"math"
	"sort"
	"time"

	"github.com/wapace/wapace/internal/dice"
)

// exactWindow is the largest sliding window that keeps every charge by itself.
const exactWindow = 1024

// A chunkedWindow is a sliding window too large to keep every charge: it keeps
// chunks of charges, each stamped with its last. A chunk counts until that one has
// left the window, so the window never holds too many, and less than a chunk, under
// 0.1 % of max, counts too long; a whole one at most where its last charge was taken
// back. No charge is split: one larger than a chunk is a chunk by itself. Two
// neighbours hold more than one chunk may, which bounds their number.
//
// Words: the number of the log of stamps, the number of the log of totals, the
// total before the first chunk. A total is how much had been charged, since the
// account began, when its chunk was closed; totals wrap, differences do not.
type chunkedWindow struct {
	max    int64
	window uint64
	chunk  int64
}

func newChunkedWindow(most int64, window time.Duration) *chunkedWindow {
	chunk := most / exactWindow
	if most%exactWindow > 0 {
		chunk++
	}
	return &chunkedWindow{max: most, window: uint64(window), chunk: chunk}
}

// chunks are an account's chunks as they stand at an instant.
type chunks struct {
	stamps, totals *log
	gone           int   // chunks that have left the window
	before         int64 // the total before the first that has not
	used           int64 // what the rest holds
}

func (m *chunkedWindow) stand(c cells, now int64) chunks {
	s := chunks{stamps: c.stock.logs.at(c.words[0]), totals: c.stock.logs.at(c.words[1]), before: c.words[2]}
	if s.stamps.len() == 0 {
		return s
	}
	if s.gone = s.stamps.before(now, m.window); s.gone > 0 {
		s.before = s.totals.at(s.gone - 1)
	}
	s.used = s.totals.at(s.totals.len()-1) - s.before
	return s
}

// after is when chunks holding at least n have left the window.
func (s *chunks) after(n int64, window uint64) int64 {
	i := s.gone + sort.Search(s.totals.len()-s.gone-1, func(i int) bool {
		return s.totals.at(s.gone+i)-s.before >= n
	})
	return add(s.stamps.at(i), int64(window))
}

func (m *chunkedWindow) layout() []cell { return []cell{aLog, aTally, aSum} }

func (m *chunkedWindow) fresh(w []int64) { w[0], w[1], w[2] = 0, 0, 0 }

func (m *chunkedWindow) size() int64 { return m.max }

// ask resets when the window has given back as much as the request asks for.
func (m *chunkedWindow) ask(c cells, r *claim) gate {
	s := m.stand(c, r.at.tick)
	left := m.max - s.used
	switch {
	case !r.fits(m.max):
		return gate{Never, never, left, never}
	case r.need() > left:
		return later(s.after(r.need()-left, m.window), left)
	case r.cost <= s.used:
		return gate{Allowed, r.at.tick, left - r.cost, s.after(r.cost, m.window)}
	}
	return gate{Allowed, r.at.tick, left - r.cost, add(r.at.tick, int64(m.window))}
}

func (m *chunkedWindow) charge(c cells, r *claim) bool {
	if c.words[0] == 0 {
		c.words[0], c.words[1] = c.stock.logs.open(), c.stock.logs.open()
	}
	s := m.stand(c, r.at.tick)
	s.stamps.drop(s.gone)
	s.totals.drop(s.gone)
	c.words[2] = s.before
	last := s.totals.len() - 1
	if last >= 0 && m.held(c, s.totals, last) <= m.chunk-r.cost {
		s.totals.set(last, s.totals.at(last)+r.cost)
		s.stamps.set(last, r.at.tick)
		return true
	}
	total := c.words[2]
	if last >= 0 {
		total = s.totals.at(last)
	}
	s.stamps.push(r.at.tick, never)
	s.totals.push(total+r.cost, never)
	return true
}

// held is how much chunk i holds.
func (m *chunkedWindow) held(c cells, totals *log, i int) int64 {
	if i == 0 {
		return totals.at(0) - c.words[2]
	}
	return totals.at(i) - totals.at(i-1)
}

// settle takes an unsent charge out of its chunk: the first that was stamped when it
// was made or later, or one after it that was stamped at the same instant. Once it
// has left the window by itself there is nothing to take out.
func (m *chunkedWindow) settle(c cells, r receipt, end instant, o Outcome) {
	if o != Unsent || r.stale || since(end.tick, r.at.tick) >= m.window {
		return
	}
	s := m.stand(c, end.tick)
	first := s.gone + sort.Search(s.stamps.len()-s.gone, func(i int) bool {
		return s.stamps.at(s.gone+i) >= r.at.tick
	})
	// What chunk i held, less what is taken from it, comes off its total and
	// all later ones.
	left, taken, before := r.cost, int64(0), s.before
	if first > s.gone {
		before = s.totals.at(first - 1)
	}
	for i := first; i < s.totals.len(); i++ {
		total := s.totals.at(i)
		part := min(total-before, left)
		before, left, taken = total, left-part, taken+part
		s.totals.set(i, total-taken)
	}
	if s.totals.len() > 4*exactWindow {
		m.compact(s.stamps, s.totals, c.words[2])
	}
}

// compact merges neighbours that fit into one chunk. What is taken out leaves
// chunks half empty, and without this their number would have no bound.
func (m *chunkedWindow) compact(stamps, totals *log, before int64) {
	kept, n := 0, totals.len()
	for i := range n {
		if i+1 < n && totals.at(i+1)-before <= m.chunk {
			continue
		}
		before = totals.at(i)
		stamps.set(kept, stamps.at(i))
		totals.set(kept, before)
		kept++
	}
	stamps.n, totals.n = kept, kept
}

func (m *chunkedWindow) counts() (family, time.Duration) { return charges, time.Duration(m.window) }

func (m *chunkedWindow) same(other meter) bool {
	_, ok := other.(*chunkedWindow)
	return ok
}

func (m *chunkedWindow) spent(c cells, at instant) (spent []spending) {
	s := m.stand(c, at.tick)
	for i := s.gone; i < s.totals.len(); i++ {
		total := s.totals.at(i)
		spent = append(spent, spending{s.stamps.at(i), total - s.before})
		s.before = total
	}
	return spent
}

// inherit keeps all of it, also what the window has no room for.
func (m *chunkedWindow) inherit(c cells, _ instant, spent []spending) (over []spending) {
	for _, s := range spent {
		if room := math.MaxInt64 - m.stand(c, s.tick).used; room > 0 {
			m.charge(c, &claim{demand: demand{cost: min(s.amount, room)}, at: instant{tick: s.tick}})
		}
	}
	return nil
}

func (m *chunkedWindow) idle(c cells, at instant) bool { return m.stand(c, at.tick).used == 0 }

func (m *chunkedWindow) rewind(c cells, _ dice.Account, from, to int64) {
	s := m.stand(c, from)
	if s.stamps == nil {
		return
	}
	s.stamps.drop(s.gone)
	s.totals.drop(s.gone)
	c.words[2] = s.before
	s.stamps.fill(to)
}

// sound checks that there is a total for each stamp and that totals grow.
func (m *chunkedWindow) sound(s saved) bool {
	stamps, totals, before := s.logs[0], s.logs[1], s.words[2]
	if len(stamps) != len(totals) {
		return false
	}
	for _, total := range totals {
		if total-before < 0 || total-s.words[2] < 0 {
			return false
		}
		before = total
	}
	return true
}
