package policy

import "time"

// touched is how many of the unit's windows a span of length w, which is positive,
// can hold an instant of: at most, where the zone's clocks change.
func (u Unit) touched(zone *time.Location, w time.Duration) int64 {
	if w == 1 {
		return 1
	}
	changes := changesOf(zone)
	switch u {
	case Minute, Hour:
		// Each change cuts the span in two, and each part touches two windows
		// that it does not fill.
		return add(int64((w-2)/u.shortest()), 2+2*changes.within(w))
	case Week, Day:
		return add((add(int64(w), changes.skipped(w))-2)/int64(u.shortest()), 2)
	default:
		return add(monthsIn(time.Duration(add(int64(w), changes.skipped(w))-2)), 2)
	}
}

// shortest is the length of the unit's shortest window on a clock that is never
// changed.
func (u Unit) shortest() time.Duration {
	switch u {
	case Minute:
		return time.Minute
	case Hour:
		return time.Hour
	case Day:
		return wholeDay
	case Week:
		return 7 * wholeDay
	default:
		return 28 * wholeDay
	}
}

// longest is no shorter than any of the unit's windows in the zone.
func (u Unit) longest(zone *time.Location) time.Duration {
	switch u {
	case Minute, Hour:
		return u.shortest()
	case Month:
		return 31*wholeDay + changesOf(zone).repeated(31*wholeDay)
	default:
		return u.shortest() + changesOf(zone).repeated(u.shortest())
	}
}

// monthsIn is the most whole months, one after the other, that fit into d. Leap days
// are left out, so over years it may be one too many.
func monthsIn(d time.Duration) int64 {
	days := [...]time.Duration{0, 28, 59, 89, 120, 150, 181, 212, 242, 273, 303, 334}
	const year = 365 * wholeDay
	months := int64(0)
	for i, n := range days {
		if n*wholeDay <= d%year {
			months = int64(i)
		}
	}
	return int64(d/year)*12 + months
}

// A change is one instant at which the clocks of a zone are set, and by how much.
type change struct {
	at      time.Time
	forward time.Duration
}

type changes []change

// changesOf is the changes of a zone's clocks from 1970 to 2100.
func changesOf(zone *time.Location) changes {
	if zone == time.UTC {
		return nil
	}
	var all changes
	t := time.Unix(0, 0).In(zone)
	_, offset := t.Zone()
	for t.Year() < 2100 {
		_, end := t.ZoneBounds()
		switch {
		case end.IsZero():
			return all
		case !end.After(t): // https://go.dev/issue/81583
			end = t.Add(wholeDay)
		}
		t = end
		if _, now := t.Zone(); now != offset {
			all = append(all, change{t, time.Duration(now-offset) * time.Second})
			offset = now
		}
	}
	return all
}

// within is the most changes in any span of length w.
func (c changes) within(w time.Duration) int64 {
	return c.most(w, func(change) int64 { return 1 })
}

// skipped is the most time that clocks leave out in any span of length w.
func (c changes) skipped(w time.Duration) int64 {
	return c.most(w, func(one change) int64 { return int64(max(one.forward, 0)) })
}

// repeated is the most time that clocks show twice in any window of length w on
// the clock.
func (c changes) repeated(w time.Duration) time.Duration {
	return time.Duration(c.most(w+2*wholeDay, func(one change) int64 { return int64(max(-one.forward, 0)) }))
}

// most is the largest sum of size over the changes in any span of length w.
func (c changes) most(w time.Duration, size func(change) int64) (largest int64) {
	first, sum := 0, int64(0)
	for _, last := range c {
		sum += size(last)
		for last.at.Sub(c[first].at) > w {
			sum -= size(c[first])
			first++
		}
		largest = max(largest, sum)
	}
	return largest
}
