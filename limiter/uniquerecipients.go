package limiter

import (
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
)

// A uniqueRecipients keeps when each recipient that may still count was last sent
// to.
//
// Words: the number of the holder's set, 0 where it has none yet.
type uniqueRecipients struct {
	max    int64
	window uint64
}

func newUniqueRecipients(u policy.UniqueRecipients) *uniqueRecipients {
	return &uniqueRecipients{max: u.Max, window: uint64(u.Window)}
}

func (m *uniqueRecipients) layout() []cell { return []cell{aSet} }

func (m *uniqueRecipients) fresh(w []int64) { w[0] = 0 }

func (m *uniqueRecipients) size() int64 { return m.max }

// stand is the holder's set, how many recipients count in it, and whether that one
// is among them.
func (m *uniqueRecipients) stand(c cells, now int64, who uint64) (s *recipients, used int64, counted bool) {
	if s = c.stock.sets.at(c.words[0]); s == nil {
		return nil, 0, false
	}
	used = int64(s.look(now, m.window))
	if _, p := s.find(who); p >= 0 {
		at := s.ring[p].at
		counted = at > now || since(now, at) < m.window
	}
	return s, used, counted
}

// ask resets when the next recipient stops counting, other than the request's own,
// who is renewed.
func (m *uniqueRecipients) ask(c cells, r *claim) gate {
	s, used, counted := m.stand(c, r.at.tick, r.recipient)
	one := demand{cost: 1, keep: r.keep}
	left := m.max - used
	reset := r.at.tick
	for n := int64(1); n <= min(used, 2); n++ {
		if next := s.nth(n); next.who != r.recipient {
			reset = next.at
			break
		}
	}
	reset = add(reset, int64(m.window))
	switch {
	case counted:
		return gate{Allowed, r.at.tick, left, reset}
	case !one.fits(m.max):
		return gate{Never, never, left, never}
	case one.need() > left:
		return later(add(s.nth(one.need()-left).at, int64(m.window)), left)
	}
	return gate{Allowed, r.at.tick, left - 1, reset}
}

// charge counts the recipient from now on. One who counts already is renewed, and
// whoever counted it first can no longer take it back.
func (m *uniqueRecipients) charge(c cells, r *claim) bool {
	if c.words[0] == 0 {
		c.words[0] = c.stock.sets.open()
	}
	s, _, counted := m.stand(c, r.at.tick, r.recipient)
	s.drop()
	s.put(r.recipient, r.at.tick)
	return !counted
}

// settle forgets a recipient who was not reached, unless it was sent to again.
func (m *uniqueRecipients) settle(c cells, r receipt, end instant, o Outcome) {
	if o != Unsent && o != Refused || r.stale {
		return
	}
	s := c.stock.sets.at(c.words[0])
	s.look(end.tick, m.window)
	s.drop()
	s.remove(r.recipient, r.at.tick)
}

func (m *uniqueRecipients) rewind(c cells, _ dice.Account, from, to int64) {
	if s := c.stock.sets.at(c.words[0]); s != nil {
		s.look(from, m.window)
		s.drop()
		s.rebuild(to, true)
	}
}

func (m *uniqueRecipients) idle(c cells, at instant) bool {
	_, used, _ := m.stand(c, at.tick, 0)
	return used == 0
}

func (m *uniqueRecipients) counts() (family, time.Duration) { return audience, time.Duration(m.window) }

func (m *uniqueRecipients) same(other meter) bool {
	_, ok := other.(*uniqueRecipients)
	return ok
}

func (m *uniqueRecipients) spent(cells, instant) []spending { return nil }

func (m *uniqueRecipients) inherit(cells, instant, []spending) []spending { return nil }

func (m *uniqueRecipients) sound(saved) bool { return true }
