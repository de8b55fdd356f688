package queuetest

import (
	"time"

	"github.com/wapace/wapace/policy"
)

// calendarWindows names the window that each call falls into. The calls are in
// the order of their times. Two calls are in one window if the names are equal.
func calendarWindows(w policy.CalendarWindow, calls []Call) []string {
	names := make([]string, len(calls))
	beforeAll := time.Date(0, time.January, 1, 0, 0, 0, 0, time.UTC)
	walk := dateWalk{zone: w.Zone(), at: beforeAll, latest: beforeAll}
	for i, c := range calls {
		local := c.At.In(w.Zone())
		switch w.Unit {
		case policy.Minute:
			names[i] = local.Format("2006-01-02T15:04 -07:00:00")
		case policy.Hour:
			names[i] = local.Format("2006-01-02T15h -07:00:00")
		case policy.Day:
			names[i] = walk.to(c.At).Format("2006-01-02")
		case policy.Week:
			date := walk.to(c.At)
			sinceMonday := (int(date.Weekday()) + 6) % 7
			names[i] = "from " + date.AddDate(0, 0, -sinceMonday).Format("2006-01-02")
		case policy.Month:
			names[i] = walk.to(c.At).Format("2006-01")
		}
	}
	return names
}

// A dateWalk goes through the time of a zone and remembers the latest local date
// that it has met. A day has begun once its date was met, so this is the day that
// the walk is in, also where the clocks go back over midnight or skip a date.
type dateWalk struct {
	zone   *time.Location
	at     time.Time // how far the walk has come: a whole minute of UTC
	offset int       // the zone's offset then, in seconds
	latest time.Time // the latest date met, as its midnight in UTC
}

// lookBack is how long before an instant a later local date than its own can have
// been met, and more: no zone has had two offsets that lie this far apart.
const lookBack = 48 * time.Hour

// to walks to t and returns the date of the day that t is in. A t before the last
// one gets that one's day.
func (w *dateWalk) to(t time.Time) time.Time {
	if t.Add(-lookBack).After(w.at) {
		w.at = t.Truncate(time.Minute).Add(-lookBack)
		w.offset = w.meet(w.at)
	}
	next := w.at.Add(time.Minute)
	for ; !next.After(t); next = next.Add(time.Minute) {
		offset := w.meet(next)
		if offset != w.offset {
			w.meetSeconds(w.at, next)
		}
		w.at, w.offset = next, offset
	}
	w.meetSeconds(w.at, t)
	return w.latest
}

// meetSeconds meets every second after from, to t. Offsets are whole seconds and
// change at whole seconds, and so do local dates.
func (w *dateWalk) meetSeconds(from, t time.Time) {
	for s := from.Add(time.Second); !s.After(t); s = s.Add(time.Second) {
		w.meet(s)
	}
}

// meet looks at the local date of one instant and returns the offset then.
func (w *dateWalk) meet(t time.Time) (offset int) {
	local := t.In(w.zone)
	year, month, day := local.Date()
	if date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC); date.After(w.latest) {
		w.latest = date
	}
	_, offset = local.Zone()
	return offset
}
