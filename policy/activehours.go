package policy

import "time"

// An ActiveHours allows requests only while the clocks of a time zone show From
// or later and not yet To, on one of Days. Where To is less than From the hours
// run over midnight and belong to the day on which they begin: 22:00 to 02:00 on
// Days(time.Friday) end on Saturday. For whole days use 0 to 24 hours.
//
// From and To are what a clock on the wall shows, not time passed since midnight,
// so hours that the zone's clocks skip are left out and hours that they repeat
// count twice.
type ActiveHours struct {
	// From is the time of day at which the hours begin, in whole seconds: 8 hours
	// for 08:00. It must be at least 0 and less than 24 hours.
	From time.Duration

	// To is the time of day at which the hours end, in whole seconds. It must be
	// more than 0 and at most 24 hours, and must not equal From.
	To time.Duration

	// Days are the days on which the hours begin. The zero Weekdays is every day.
	Days Weekdays

	// Location is the time zone. Nil means UTC. To be written as JSON it must
	// have a name that [time.LoadLocation] knows.
	Location *time.Location
}

// Zone is the time zone of the hours: Location, or UTC where Location is nil.
func (h ActiveHours) Zone() *time.Location {
	if h.Location == nil {
		return time.UTC
	}
	return h.Location
}

const wholeDay = 24 * time.Hour

func (ActiveHours) kind() string { return "active_hours" }

func (ActiveHours) scopes() []Scope { return []Scope{ScopeAccount} }

func (h ActiveHours) check(report func(field string, value any, remedy string)) {
	switch {
	case h.From < 0 || h.From >= wholeDay:
		report("from", showTimeOfDay(h.From), "use a time of day from 00:00 to 23:59:59")
	case h.From%time.Second != 0:
		report("from", h.From, "use whole seconds")
	}
	switch {
	case h.To <= 0 || h.To > wholeDay:
		report("to", showTimeOfDay(h.To), "use a time of day from 00:00:01 to 24:00, the end of the day")
	case h.To%time.Second != 0:
		report("to", h.To, "use whole seconds")
	case h.To == h.From:
		report("to", showTimeOfDay(h.To), "use another time than from; for a whole day use 00:00 to 24:00")
	}
	if !h.Days.valid() {
		report("days", h.Days.String(), "use the days from time.Sunday to time.Saturday")
	}
}

func (ActiveHours) most(time.Duration) int64 { return unbounded }

func (h ActiveHours) encode(o *object) {
	o.text("from", formatTimeOfDay(h.From))
	o.text("to", formatTimeOfDay(h.To))
	if h.Days != (Weekdays{}) {
		o.texts("days", h.Days.names())
	}
	if h.Location != nil {
		o.location("location", h.Location)
	}
}

func decodeActiveHours(f *fields) Limit {
	return ActiveHours{
		From:     f.timeOfDay("from"),
		To:       f.timeOfDay("to"),
		Days:     f.weekdays("days"),
		Location: f.location("location"),
	}
}
