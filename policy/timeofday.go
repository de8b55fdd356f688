package policy

import (
	"fmt"
	"time"
)

// formatTimeOfDay writes d, whole seconds from 0 to 24 hours, as hours and
// minutes, and seconds where there are any: 08:00, 20:30:15, 24:00.
func formatTimeOfDay(d time.Duration) string {
	s := fmt.Sprintf("%02d:%02d", d/time.Hour, d/time.Minute%60)
	if seconds := d / time.Second % 60; seconds != 0 {
		s += fmt.Sprintf(":%02d", seconds)
	}
	return s
}

// parseTimeOfDay reads what formatTimeOfDay writes, with or without seconds.
func parseTimeOfDay(s string) (d time.Duration, ok bool) {
	if s == "24:00" || s == "24:00:00" {
		return wholeDay, true
	}
	for _, layout := range [...]string{"15:04", "15:04:05"} {
		// Parse is lax about zeros in front and parts of a second.
		if t, err := time.Parse(layout, s); err == nil && t.Format(layout) == s {
			return t.Sub(t.Truncate(wholeDay)), true
		}
	}
	return 0, false
}

// showTimeOfDay is d as an error shows it: as JSON has it where it can. Inside the
// day d is in whole seconds.
func showTimeOfDay(d time.Duration) any {
	if d < 0 || d > wholeDay {
		return d
	}
	return formatTimeOfDay(d)
}
