package policy

import (
	"slices"
	"strings"
	"time"
)

// A Weekdays is a set of days of the week, made by [Days]. The zero Weekdays is
// every day. Sets of the same days compare equal with ==.
type Weekdays struct{ bits uint8 }

const (
	allWeekdays = 1<<7 - 1
	notAWeekday = 1 << 7 // stands for a day that there is not, until Validate reports it
)

// Days is the set of the given days. None given means every day, as the zero
// Weekdays does. [Policy.Validate] refuses a set made of anything but
// [time.Sunday] to [time.Saturday].
func Days(days ...time.Weekday) Weekdays {
	var w Weekdays
	for _, d := range days {
		if d < time.Sunday || d > time.Saturday {
			w.bits |= notAWeekday
		} else {
			w.bits |= 1 << d
		}
	}
	if w.bits == allWeekdays {
		return Weekdays{}
	}
	return w
}

// Has reports whether d is in the set. The zero Weekdays has all seven days.
func (w Weekdays) Has(d time.Weekday) bool {
	if d < time.Sunday || d > time.Saturday {
		return false
	}
	return w.bits == 0 || w.bits&(1<<d) != 0
}

// String lists the days as JSON names them, Monday first: mon,tue. The zero
// Weekdays is every day.
func (w Weekdays) String() string {
	if w.bits == 0 {
		return "every day"
	}
	return strings.Join(w.names(), ",")
}

func (w Weekdays) valid() bool { return w.bits&notAWeekday == 0 }

func (w Weekdays) names() []string {
	var names []string
	for i, name := range weekdayNames() {
		if w.Has(weekdayAt(i)) {
			names = append(names, name)
		}
	}
	if !w.valid() {
		names = append(names, "?")
	}
	return names
}

// weekdayNames are the days as JSON names them. The week starts on Monday, as in
// ISO 8601.
func weekdayNames() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// weekdayAt is the day whose name stands at i.
func weekdayAt(i int) time.Weekday { return time.Weekday((i + 1) % 7) }

func parseWeekday(name string) (d time.Weekday, ok bool) {
	i := slices.Index(weekdayNames(), name)
	return weekdayAt(i), i >= 0
}
