package limiter

import (
	"math"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
)

// A calendarWindow keeps one window's end on the wall clock and what was charged
// in it. The count is kept until the wall clock has passed the end, so a clock that
// is set back a little never opens an earlier window.
//
// Words: the end, the count, the serial of the first charge in it, the tick of the
// last. Where all of the count was given back the window is still the latest that
// was opened. An end of 0 and no count say that none was.
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

func (m *calendarWindow) size() int64 { return m.max }

// runs reports whether the window of the words, which is not over, is near enough to
// its last charge.
func (m *calendarWindow) runs(c cells, at instant) bool {
	return since(c.words[0], m.last(c, at)) <= m.far
}

// last is when the wall clock, as it is set now, had the last charge.
func (m *calendarWindow) last(c cells, at instant) int64 {
	return sub(at.wall, clamp(since(at.tick, c.words[3])))
}

// stand is the end of the window that the instant is in and what has been charged
// to it. Mostly that window is the one of the words, until it is over.
func (m *calendarWindow) stand(c cells, at instant) (end, used int64) {
	end, used = c.words[0], c.words[1]
	switch {
	case at.wall >= end || used == 0 && end == 0:
		return windowEnd(m.unit, m.zone, at.wall), 0
	case used > 0 && m.runs(c, at):
		return end, used
	}
	return m.back(c, at)
}

// back is stand where the clock was set back: to before a window of which all was
// given back, or from one that a wrong clock told. The window that it has come back to
// counts what that one does, if the clock as it is set now has the last charge in it.
// What it had counted before is not known any more where there is nothing left of
// that: then it is full.
func (m *calendarWindow) back(c cells, at instant) (end, used int64) {
	was, used := c.words[0], c.words[1]
	end = windowEnd(m.unit, m.zone, at.wall)
	switch {
	case end == was && used == 0:
		return end, 0
	case windowEnd(m.unit, m.zone, m.last(c, at)) == end:
		if used == 0 {
			used = m.max
		}
		return end, used
	case used == 0 && m.runs(c, at):
		return was, 0
	}
	return end, 0
}

// open is true where the window of the words runs and has room for more than the claim.
func (m *calendarWindow) open(c cells, r *claim) bool {
	left := since(c.words[0], r.at.wall) // more than far where the end has passed
	runs := c.words[1] > 0 && left-1 < m.far && since(r.at.tick, c.words[3]) <= m.far-left
	return runs && r.keep == 0 && r.cost < m.max-c.words[1]
}

func (m *calendarWindow) ask(c cells, r *claim) gate {
	wall, used := m.stand(c, r.at)
	end, left := tickOf(wall, r.at), m.max-used
	switch {
	case !r.fits(m.max):
		return gate{Never, never, left, never}
	case r.need() > left:
		return later(end, left)
	}
	return gate{Allowed, r.at.tick, left - r.cost, end}
}

// count is charge for a claim that the window is open to.
func (m *calendarWindow) count(c cells, r *claim) {
	c.words[1] += r.cost
	c.words[3] = r.at.tick
}

func (m *calendarWindow) charge(c cells, r *claim) bool {
	end, used := m.stand(c, r.at)
	if used == 0 {
		c.words[2] = int64(r.serial)
	}
	c.words[0], c.words[1], c.words[3] = end, used+r.cost, r.at.tick
	return true
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
	if _, used := m.stand(c, at); used > 0 {
		return []spending{{at.tick, used}}
	}
	used, last := c.words[1], c.words[3]
	if _, period := m.counts(); used == 0 || last > at.tick || since(at.tick, last) >= uint64(period) {
		return nil
	}
	return []spending{{last, used}}
}

// inherit counts what was charged in the window that runs.
func (m *calendarWindow) inherit(c cells, at instant, spent []spending) (over []spending) {
	end := windowEnd(m.unit, m.zone, at.wall)
	for _, s := range spent {
		if windowEnd(m.unit, m.zone, sub(at.wall, sub(at.tick, s.tick))) != end {
			over = append(over, s)
			continue
		}
		c.words[0], c.words[1], c.words[3] = end, add(c.words[1], s.amount), s.tick
	}
	return over
}

func (m *calendarWindow) idle(c cells, at instant) bool {
	if c.words[1] == 0 {
		end, used := m.stand(c, at)
		return used == 0 && (end != c.words[0] || c.words[0] == 0)
	}
	_, used := m.stand(c, at)
	return used == 0 && c.words[3] <= at.tick
}

// rewind leaves the count to the window that it names, or where that is far, to the
// one that the clock has been set back to.
func (m *calendarWindow) rewind(c cells, _ dice.Account, _, to int64) {
	c.words[3] = min(c.words[3], to)
}

// tickOf is the tick at which the wall clock will show wall.
func tickOf(wall int64, at instant) int64 {
	if wall == math.MaxInt64 {
		return never
	}
	return add(at.tick, sub(wall, at.wall))
}

func (m *calendarWindow) sound(saved) bool { return true }
