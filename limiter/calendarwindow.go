package limiter

import (
	"math"
	"time"

	"github.com/wapace/wapace/policy"
)

// A calendarWindow keeps one window's end on the wall clock and what was charged
// in it. A window is named by its end; the count is kept until the wall clock has
// passed it, so a clock that is set back never opens an earlier window.
//
// Words: the end, the count, the serial of the first charge in it. Where the count
// is 0 the others mean nothing.
type calendarWindow struct {
	max  int64
	unit policy.Unit
	zone *time.Location
	far  uint64 // an end further ahead than this comes from a clock that was wrong
}

func newCalendarWindow(w policy.CalendarWindow) *calendarWindow {
	return &calendarWindow{max: w.Max, unit: w.Unit, zone: w.Zone(), far: 2 * uint64(longest(w.Unit))}
}

func (m *calendarWindow) layout() []cell { return []cell{aWall, aCount, aSerial} }

func (m *calendarWindow) fresh(w []int64) { w[0], w[1], w[2] = 0, 0, 0 }

// stand is the window that a request at this instant is charged to, and what has
// been charged to it.
func (m *calendarWindow) stand(c cells, at instant) (end, used int64) {
	end, used = c.words[0], c.words[1]
	switch {
	case used == 0 || at.wall >= end:
		return windowEnd(m.unit, m.zone, at.wall), 0
	case since(end, at.wall) > m.far:
		return windowEnd(m.unit, m.zone, at.wall), used
	}
	return end, used
}

func (m *calendarWindow) ask(c cells, at instant, d demand) gate {
	if d.need() > m.max {
		_, used := m.stand(c, at)
		return gate{Never, never, m.max, m.max - used}
	}
	end, used := c.words[0], c.words[1]
	if used == 0 || at.wall >= end || since(end, at.wall) > m.far {
		end, used = m.stand(c, at)
	}
	if d.need() > m.max-used {
		return later(tickOf(end, at), m.max, m.max-used)
	}
	return gate{Allowed, at.tick, m.max, m.max - used - d.cost}
}

func (m *calendarWindow) reset(c cells, at instant, _ demand, _ gate) int64 {
	end, _ := m.stand(c, at)
	return tickOf(end, at)
}

func (m *calendarWindow) charge(c cells, at instant, d demand, serial uint64) bool {
	end, used := m.stand(c, at)
	if used == 0 {
		c.words[2] = int64(serial)
	}
	c.words[0], c.words[1] = end, used+d.cost
	return true
}

func (m *calendarWindow) spend(c cells, at instant, d demand, serial uint64) {
	m.charge(c, at, d, serial)
}

// settle gives an unsent charge back, unless a later window was opened since.
func (m *calendarWindow) settle(c cells, r receipt, _ instant, o Outcome) {
	if o == Unsent && r.serial >= uint64(c.words[2]) {
		c.words[1] -= r.cost
	}
}

// counts takes a month for 30 days, which no other kind of limit is likely to be.
func (m *calendarWindow) counts() (family, time.Duration) {
	switch m.unit {
	case policy.Minute:
		return charges, time.Minute
	case policy.Hour:
		return charges, time.Hour
	case policy.Day:
		return charges, 24 * time.Hour
	case policy.Week:
		return charges, 7 * 24 * time.Hour
	default:
		return charges, 30 * 24 * time.Hour
	}
}

func (m *calendarWindow) same(other meter) bool {
	o, ok := other.(*calendarWindow)
	return ok && o.unit == m.unit && zonePrint(o.zone) == zonePrint(m.zone)
}

func (m *calendarWindow) spent(c cells, at instant) []spending {
	if _, used := m.stand(c, at); used > 0 {
		return []spending{{at.tick, used}}
	}
	return nil
}

// inherit counts what was charged in the window that runs.
func (m *calendarWindow) inherit(c cells, at instant, spent []spending) {
	end := windowEnd(m.unit, m.zone, at.wall)
	for _, s := range spent {
		if windowEnd(m.unit, m.zone, sub(at.wall, sub(at.tick, s.tick))) == end {
			c.words[0], c.words[1] = end, add(c.words[1], s.amount)
		}
	}
}

func (m *calendarWindow) idle(c cells, at instant) bool {
	_, used := m.stand(c, at)
	return used == 0
}

func (m *calendarWindow) rewind(cells, int64, int64) {}

// tickOf is the tick at which the wall clock will show wall.
func tickOf(wall int64, at instant) int64 {
	if wall == math.MaxInt64 {
		return never
	}
	return add(at.tick, sub(wall, at.wall))
}

func (m *calendarWindow) sound(saved) bool { return true }
