package limiter

import (
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
)

// An activeHours keeps nothing.
type activeHours struct {
	from, to time.Duration
	days     policy.Weekdays
	zone     *time.Location
}

func newActiveHours(h policy.ActiveHours) *activeHours {
	return &activeHours{from: h.From, to: h.To, days: h.Days, zone: h.Zone()}
}

func (m *activeHours) layout() []cell { return nil }

func (m *activeHours) fresh([]int64) {}

func (m *activeHours) size() int64 { return 1 }

func (m *activeHours) ask(_ cells, r *claim) gate {
	opens, ok := m.opens(time.Unix(0, r.at.wall).In(m.zone))
	switch {
	case !ok:
		return gate{Never, never, 0, never}
	case unixNano(opens) <= r.at.wall:
		return gate{Allowed, r.at.tick, 1, r.at.tick}
	}
	return later(tickOf(unixNano(opens), r.at), 0)
}

func (m *activeHours) charge(cells, *claim) bool { return false }

func (m *activeHours) settle(cells, receipt, instant, Outcome) {}

func (m *activeHours) rewind(cells, dice.Account, int64, int64) {}

func (m *activeHours) idle(cells, instant) bool { return true }

// lookAhead is how far the hours are looked for. They come back every week, but
// for a date or hour that the clocks skip.
const lookAhead = 60 * 24 * time.Hour

// opens is the first instant at or after t, which is in the zone, that lies in the
// hours. It goes from one stretch of equal offset to the next, in which local time
// runs as UTC does.
func (m *activeHours) opens(t time.Time) (time.Time, bool) {
	for end := t.Add(lookAhead); t.Before(end); {
		offset := time.Duration(offsetOf(t))
		local := t.Add(offset).UTC()
		wait := m.wait(local)
		change, ok := nextChange(t)
		if open := t.Add(wait); !ok || open.Before(change) {
			return open, open.Before(end)
		}
		t = change
	}
	return t, false
}

// wait is how long a clock that never changes takes from local until it shows the
// hours.
func (m *activeHours) wait(local time.Time) time.Duration {
	midnight := local.Truncate(24 * time.Hour)
	day := local.Weekday()
	// The hours that began yesterday may still run.
	for ahead := -1; ahead <= 7; ahead++ {
		if !m.has((day + time.Weekday(ahead+7)) % 7) {
			continue
		}
		begin := midnight.Add(time.Duration(ahead)*24*time.Hour + m.from)
		length := m.to - m.from
		if length <= 0 {
			length += 24 * time.Hour
		}
		switch {
		case local.Before(begin):
			return begin.Sub(local)
		case local.Before(begin.Add(length)):
			return 0
		}
	}
	return lookAhead
}

func (m *activeHours) has(d time.Weekday) bool {
	return m.days == (policy.Weekdays{}) || m.days.Has(d)
}

func (m *activeHours) counts() (family, time.Duration) { return nothing, 0 }

func (m *activeHours) same(meter) bool { return true }

func (m *activeHours) spent(cells, instant) []spending { return nil }

func (m *activeHours) inherit(cells, instant, []spending) []spending { return nil }

func (m *activeHours) sound(saved) bool { return true }
