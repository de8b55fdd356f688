package queuetest

import (
	"fmt"
	"math/big"
	"time"

	"github.com/wapace/wapace/policy"
)

func auditCalendarWindow(w policy.CalendarWindow, calls []Call) (found []Violation) {
	calls = keep(calls, Call.sent)
	sums := map[string]*big.Int{}
	for i, window := range calendarWindows(w, calls) {
		c := calls[i]
		sum := sums[window]
		if sum == nil {
			sum = new(big.Int)
			sums[window] = sum
		}
		sum.Add(sum, c.cost())
		if sum.Cmp(big.NewInt(w.Max)) > 0 {
			found = append(found, c.over(big.NewInt(w.Max), sum,
				fmt.Sprintf("in the %s %s of %s", w.Unit, window, w.Zone())))
		}
	}
	return found
}

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
//
// It looks at offsets at single instants only. Where a stretch of equal offset
// begins and ends it finds out for itself: package time can say it wrong
// (https://go.dev/issue/81583).
type dateWalk struct {
	zone   *time.Location
	at     time.Time // how far the walk has come
	offset int       // the zone's offset then, in seconds
	latest time.Time // the latest date met, as its midnight in UTC
}

const (
	// lookBack is how long before an instant a later local date than its own can
	// have been met, and more: no zone has had two offsets that lie this far apart.
	lookBack = 48 * time.Hour

	// stride is how far the walk goes at once. No zone has changed its offset and
	// back in so short a time.
	stride = time.Hour
)

// to walks to t and returns the date of the day that t is in. A t before the last
// one gets that one's day.
func (w *dateWalk) to(t time.Time) time.Time {
	if from := t.Add(-lookBack); from.After(w.at) {
		w.at = from.Truncate(time.Second)
		w.offset = w.meet(w.at)
	}
	for w.at.Before(t) {
		next := w.at.Add(stride)
		if next.After(t) {
			next = t
		}
		if offset := w.meet(next); offset != w.offset {
			w.meetSeconds(w.at, next)
			w.offset = offset
		}
		w.at = next
	}
	return w.latest
}

// meetSeconds meets every whole second from one instant to another. Offsets are
// whole seconds and change at whole seconds, and so do local dates.
func (w *dateWalk) meetSeconds(from, to time.Time) {
	for s := from.Truncate(time.Second); !s.After(to); s = s.Add(time.Second) {
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
