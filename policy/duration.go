package policy

import (
	"strings"
	"time"
)

// formatDuration writes d as short as [time.ParseDuration] reads it: 1m, not
// 1m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// isDuration reports whether s has the form of a duration, as one that is only
// too large has.
func isDuration(s string) bool {
	s = strings.TrimLeft(s, "+-")
	if s == "" {
		return false
	}
	for s != "" {
		number := s[:len(s)-len(strings.TrimLeft(s, "0123456789."))]
		s = s[len(number):]
		unit := s[:len(s)-len(strings.TrimLeft(s, "hmsnuµμ"))]
		s = s[len(unit):]
		if strings.Trim(number, ".") == "" || strings.Count(number, ".") > 1 {
			return false
		}
		if _, err := time.ParseDuration("0" + unit); unit == "" || err != nil {
			return false
		}
	}
	return true
}
