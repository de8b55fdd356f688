package queuetest

import (
	"fmt"
	"time"

	"github.com/wapace/wapace/policy"
)

// auditActiveHours looks at what a clock on the wall shows at each call.
func auditActiveHours(h policy.ActiveHours, calls []Call) (found []Violation) {
	for _, c := range keep(calls, Call.sent) {
		if local := c.At.In(h.Zone()); !open(h, local) {
			found = append(found, Violation{Account: c.Account, At: c.At, Got: 1, Text: fmt.Sprintf(
				"taken on %s at %s of %s, where calls may be from %s to %s, %s",
				local.Weekday(), local.Format("15:04:05.999999999"), h.Zone(), timeOfDay(h.From), timeOfDay(h.To), h.Days)})
		}
	}
	return found
}

// open reports whether the hours are open when a clock on the wall shows local.
// Hours over midnight are those of the day before until they end.
func open(h policy.ActiveHours, local time.Time) bool {
	hour, minute, second := local.Clock()
	shown := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(local.Nanosecond())
	today := local.Weekday()
	if h.From < h.To {
		return h.Days.Has(today) && h.From <= shown && shown < h.To
	}
	yesterday := (today + 6) % 7
	return h.Days.Has(today) && h.From <= shown || h.Days.Has(yesterday) && shown < h.To
}

// timeOfDay is d since midnight as a clock shows it, and 24:00 for the end of the
// day.
func timeOfDay(d time.Duration) string {
	s := fmt.Sprintf("%02d:%02d", d/time.Hour, d/time.Minute%60)
	if seconds := d / time.Second % 60; seconds != 0 {
		s += fmt.Sprintf(":%02d", seconds)
	}
	return s
}
