package limiter

import (
	"time"

	"github.com/wapace/wapace/policy"
)

// longest is no shorter than any window of the unit, whatever a zone's clocks do.
func longest(u policy.Unit) time.Duration {
	const day = 24 * time.Hour
	switch u {
	case policy.Minute:
		return time.Minute
	case policy.Hour:
		return time.Hour
	case policy.Day:
		return 3 * day
	case policy.Week:
		return 9 * day
	default:
		return 33 * day
	}
}

// windowEnd is the end of the calendar window that holds wall, both in
// nanoseconds since 1970, saturated.
func windowEnd(u policy.Unit, zone *time.Location, wall int64) int64 {
	switch u {
	case policy.Minute:
		return clockEnd(zone, wall, int64(time.Minute))
	case policy.Hour:
		return clockEnd(zone, wall, int64(time.Hour))
	}
	if u == policy.Day && zone == time.UTC {
		return cut(wall, int64(24*time.Hour))
	}
	t := time.Unix(0, wall).In(zone)
	first := firstDate(u, t)
	for {
		first = nextDate(u, first)
		// A date that the zone repeats in part belongs to the window that the
		// next date opened.
		if start := dateStart(zone, first); start.After(t) {
			return unixNano(start)
		}
	}
}

// cut is the first multiple of unit after wall.
func cut(wall, unit int64) int64 {
	rest := wall % unit
	if rest < 0 {
		rest += unit
	}
	return add(wall, unit-rest)
}

// clockEnd is the end of a minute or an hour: cut by the zone's offset, and where
// the offset changes.
func clockEnd(zone *time.Location, wall, unit int64) int64 {
	if zone == time.UTC {
		return cut(wall, unit)
	}
	t := time.Unix(0, wall).In(zone)
	offset := offsetOf(t)
	end := sub(cut(add(wall, offset), unit), offset)
	for {
		_, change := t.ZoneBounds()
		if change.IsZero() || unixNano(change) >= end {
			return end
		}
		if offsetOf(change) != offset {
			return unixNano(change)
		}
		t = change
	}
}

func offsetOf(t time.Time) int64 {
	_, seconds := t.Zone()
	return int64(seconds) * int64(time.Second)
}

// A date is a day of the calendar, as midnight of that day in UTC.
type date = time.Time

// firstDate is the first date of the unit that the local date of t is in.
func firstDate(u policy.Unit, t time.Time) date {
	y, m, d := t.Date()
	switch u {
	case policy.Week:
		d -= (int(t.Weekday()) + 6) % 7
	case policy.Month:
		d = 1
	}
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func nextDate(u policy.Unit, d date) date {
	switch u {
	case policy.Week:
		return d.AddDate(0, 0, 7)
	case policy.Month:
		return d.AddDate(0, 1, 0)
	}
	return d.AddDate(0, 0, 1)
}

// dateStart is the first instant whose local date in the zone is d or later. It
// walks the stretches of equal offset around the date, because time.Date answers
// with the day before where the zone's clocks skip that midnight.
func dateStart(zone *time.Location, d date) time.Time {
	const furthest = 26 * time.Hour // no zone has been further from UTC
	t := d.Add(-furthest).In(zone)
	for {
		from, to := t.ZoneBounds()
		start := d.Add(-time.Duration(offsetOf(t)))
		if from.IsZero() && to.IsZero() {
			return start
		}
		if start.Before(t) {
			start = t
		}
		if to.IsZero() || start.Before(to) {
			return start
		}
		t = to
	}
}
