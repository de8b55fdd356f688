package limiter

import (
	"math"
	"time"

	"github.com/wapace/wapace/policy"
)

// A calendarWindow keeps one window's end on the wall clock and what was charged
// in it. The count is kept until the wall clock has passed the end, so a clock that
// is set back a little never opens an earlier window.
//
// Words: the end, the count, the serial of the first charge in it, the tick of the
// last. Where the count is 0 the others mean nothing.
type calendarWindow struct {
	max  int64
	unit policy.Unit
	zone *time.Location
	far  uint64 // an end further from its last charge was told by a wrong clock
}

func newCalendarWindow(w policy.CalendarWindow) *calendarWindow {
	return &calendarWindow{max: w.Max, unit: w.Unit, zone: w.Zone(), far: 2 * uint64(longest(w.Unit))}
}

func (m *calendarWindow) layout() []cell { return []cell{aWall, aCount, aSerial, aTick} }

func (m *calendarWindow) fresh(w []int64) { w[0], w[1], w[2], w[3] = 0, 0, 0, 0 }

// runs reports whether the window of the words is the one that the instant is in.
func (m *calendarWindow) runs(c cells, at instant) bool {
	end, used := c.words[0], c.words[1]
	return used > 0 && at.wall < end && since(end, m.last(c, at)) <= m.far
}

// last is when the wall clock, as it is set now, had the last charge.
func (m *calendarWindow) last(c cells, at instant) int64 {
	return sub(at.wall, clamp(since(at.tick, c.words[3])))
}

// end is the end of the window that the instant is in.
func (m *calendarWindow) end(c cells, at instant) int64 {
	if m.runs(c, at) {
		return c.words[0]
	}
	return windowEnd(m.unit, m.zone, at.wall)
}

// used is what has been charged to the window that the instant is in. Where a wrong
// clock told the window of the words, that is the one in which the clock as it is
// set now has the last charge.
func (m *calendarWindow) used(c cells, at instant) int64 {
	if m.runs(c, at) {
		return c.words[1]
	}
	if c.words[1] == 0 || at.wall >= c.words[0] {
		return 0
	}
	if windowEnd(m.unit, m.zone, m.last(c, at)) != windowEnd(m.unit, m.zone, at.wall) {
		return 0
	}
	return c.words[1]
}

func (m *calendarWindow) ask(c cells, at instant, d demand) gate {
	left := m.max - m.used(c, at)
	end := tickOf(m.end(c, at), at)
	switch {
	case !d.fits(m.max):
		return gate{Never, never, m.max, left, never}
	case d.need() > left:
		return later(end, m.max, left)
	}
	return gate{Allowed, at.tick, m.max, left - d.cost, end}
}

func (m *calendarWindow) charge(c cells, at instant, d demand, serial uint64) bool {
	end, used := m.end(c, at), m.used(c, at)
	if used == 0 {
		c.words[2] = int64(serial)
	}
	c.words[0], c.words[1], c.words[3] = end, used+d.cost, at.tick
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

// spent is the count as if it were charged now. One of a window that is over is
// told too, as if charged with its last: another rule may still count it.
func (m *calendarWindow) spent(c cells, at instant) []spending {
	if used := m.used(c, at); used > 0 {
		return []spending{{at.tick, used}}
	}
	used, last := c.words[1], c.words[3]
	if _, period := m.counts(); used == 0 || last > at.tick || since(at.tick, last) >= uint64(period) {
		return nil
	}
	return []spending{{last, used}}
}

// inherit counts what was charged in the window that runs.
func (m *calendarWindow) inherit(c cells, at instant, spent []spending) {
	end := windowEnd(m.unit, m.zone, at.wall)
	for _, s := range spent {
		if windowEnd(m.unit, m.zone, sub(at.wall, sub(at.tick, s.tick))) == end {
			c.words[0], c.words[1], c.words[3] = end, add(c.words[1], s.amount), s.tick
		}
	}
}

func (m *calendarWindow) idle(c cells, at instant) bool {
	return c.words[1] == 0 || c.words[3] <= at.tick && m.used(c, at) == 0
}

// rewind leaves the count to the window that it names, or where that is far, to the
// one that the clock has been set back to.
func (m *calendarWindow) rewind(c cells, _, to int64) { c.words[3] = min(c.words[3], to) }

// tickOf is the tick at which the wall clock will show wall.
func tickOf(wall int64, at instant) int64 {
	if wall == math.MaxInt64 {
		return never
	}
	return add(at.tick, sub(wall, at.wall))
}

func (m *calendarWindow) sound(saved) bool { return true }
