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
	case policy.Day, policy.Week, policy.Month:
	}
	if u == policy.Day && zone == time.UTC {
		return cut(wall, 0, int64(24*time.Hour))
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

// cut is the first instant after wall at which a clock ahead by offset shows a
// multiple of unit.
func cut(wall, offset, unit int64) int64 {
	rest := (wall%unit + offset%unit) % unit
	if rest < 0 {
		rest += unit
	}
	return add(wall, unit-rest)
}

// clockEnd is the end of a minute or an hour: cut by the zone's offset, and where
// the offset changes.
func clockEnd(zone *time.Location, wall, unit int64) int64 {
	if zone == time.UTC {
		return cut(wall, 0, unit)
	}
	t := time.Unix(0, wall).In(zone)
	offset := offsetOf(t)
	end := cut(wall, offset, unit)
	for {
		change, ok := nextChange(t)
		if !ok || unixNano(change) >= end {
			return end
		}
		if offsetOf(change) != offset {
			return unixNano(change)
		}
		t = change
	}
}

// nextChange is the first instant after t at which the zone's offset may change,
// if there is one. On the last day of a leap year ZoneBounds can end the stretch
// that holds t before t, where that is the year's last one and goes on to its end
// (https://go.dev/issue/81583).
func nextChange(t time.Time) (change time.Time, ok bool) {
	_, change = t.ZoneBounds()
	if change.IsZero() {
		return change, false
	}
	for !change.After(t) {
		change = change.Add(24 * time.Hour)
	}
	return change, true
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
	default:
	}
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func nextDate(u policy.Unit, d date) date {
	switch u {
	case policy.Week:
		return d.AddDate(0, 0, 7)
	case policy.Month:
		return d.AddDate(0, 1, 0)
	default:
		return d.AddDate(0, 0, 1)
	}
}

// dateStart is the first instant whose local date in the zone is d or later. It
// walks the stretches of equal offset around the date, because time.Date answers
// with the day before where the zone's clocks skip that midnight.
func dateStart(zone *time.Location, d date) time.Time {
	const furthest = 26 * time.Hour // no zone has been further from UTC
	t := d.Add(-furthest).In(zone)
	for {
		start := d.Add(-time.Duration(offsetOf(t)))
		if start.Before(t) {
			start = t
		}
		change, ok := nextChange(t)
		if !ok || start.Before(change) {
			return start
		}
		t = change
	}
}
