package policy

import "time"

// A CalendarWindow allows Max per minute, hour, day, week or month of a time
// zone's calendar.
//
// A day, week or month starts at the first instant whose local date is in it,
// also where the zone has no midnight on that date. Minutes and hours are cut by
// the zone's offset, so an hour that the clocks repeat is two hours.
type CalendarWindow struct {
	// Max is the most that one window may hold. Zero refuses everything; a
	// negative Max is an error.
	Max int64

	// Unit is the window's length.
	Unit Unit

	// Location is the time zone. Nil means UTC. To be written as JSON it must
	// have a name that [time.LoadLocation] knows.
	Location *time.Location
}

// Zone is the window's time zone: Location, or UTC where Location is nil.
func (w CalendarWindow) Zone() *time.Location {
	if w.Location == nil {
		return time.UTC
	}
	return w.Location
}

// A Unit is a span of the calendar.
type Unit string

// The spans of the calendar.
const (
	Minute Unit = "minute"
	Hour   Unit = "hour"
	Day    Unit = "day"
	Week   Unit = "week" // starts on Monday, as in ISO 8601
	Month  Unit = "month"
)

const useUnit = "use minute, hour, day, week or month"

func (u Unit) known() bool {
	switch u {
	case Minute, Hour, Day, Week, Month:
		return true
	}
	return false
}

func (CalendarWindow) kind() string { return "calendar_window" }

func (CalendarWindow) scopes() []Scope { return everyScope() }

func (w CalendarWindow) check(report func(field string, value any, remedy string)) {
	checkMax(report, w.Max)
	if !w.Unit.known() {
		report("unit", string(w.Unit), useUnit)
	}
}

func (w CalendarWindow) most(span time.Duration) int64 {
	return multiply(w.Max, w.Unit.touched(w.Zone(), span))
}

func (w CalendarWindow) encode(o *object) {
	o.number("max", w.Max)
	o.text("unit", string(w.Unit))
	if w.Location != nil {
		o.location("location", w.Location)
	}
}

func decodeCalendarWindow(f *fields) Limit {
	return CalendarWindow{
		Max:      f.number("max", required),
		Unit:     Unit(f.text("unit", required, useUnit)),
		Location: f.location("location"),
	}
}
