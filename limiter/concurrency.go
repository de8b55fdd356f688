package limiter

import (
	"time"

	"github.com/wapace/wapace/internal/dice"
)

// A concurrency counts the permits that are not settled yet.
//
// Words: the count.
type concurrency struct{ max int64 }

func (m *concurrency) layout() []cell { return []cell{aFlights} }

func (m *concurrency) fresh(w []int64) { w[0] = 0 }

func (m *concurrency) size() int64 { return m.max }

func (m *concurrency) open(c cells, _ *claim) bool { return c.words[0] < m.max }

func (m *concurrency) ask(c cells, r *claim) gate {
	switch left := m.max - c.words[0]; {
	case m.max == 0:
		return gate{Never, never, 0, never}
	case left <= 0:
		return gate{Busy, never, 0, never}
	case left == 1:
		return gate{Allowed, r.at.tick, 0, never}
	default:
		return gate{Allowed, r.at.tick, left - 1, r.at.tick}
	}
}

func (m *concurrency) charge(c cells, r *claim) bool {
	if r.ends {
		return false
	}
	c.words[0]++
	return true
}

func (m *concurrency) settle(c cells, _ receipt, _ instant, _ Outcome) { c.words[0]-- }

func (m *concurrency) counts() (family, time.Duration) { return unfinished, 0 }

func (m *concurrency) same(other meter) bool {
	_, ok := other.(*concurrency)
	return ok
}

func (m *concurrency) spent(cells, instant) []spending { return nil }

func (m *concurrency) inherit(cells, instant, []spending) []spending { return nil }

func (m *concurrency) idle(c cells, _ instant) bool { return c.words[0] == 0 }

func (m *concurrency) rewind(cells, dice.Account, int64, int64) {}

func (m *concurrency) sound(saved) bool { return true }
