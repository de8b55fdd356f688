package headers

import (
	"strings"
	"time"
)

// readDate reads an HTTP-date of RFC 9110 in its three forms, and what is sent in
// their place: UTC for GMT, an offset such as -0500, RFC 3339. A zone with any other
// name is refused, because package time would take it for UTC. What is now tells the
// century of a year of two digits.
func readDate(s string, now time.Time) (t time.Time, ok bool) {
	body, zone := s, ""
	if i := strings.LastIndexByte(s, ' '); i >= 0 {
		body, zone = s[:i], s[i+1:]
	}
	if strings.EqualFold(zone, "GMT") || strings.EqualFold(zone, "UTC") {
		if t, err := time.Parse("Mon, 2 Jan 2006 15:04:05", body); err == nil {
			return t, true
		}
		if t, err := time.Parse("Monday, 2-Jan-2006 15:04:05", body); err == nil {
			return t, true
		}
		if t, err := time.Parse("Monday, 2-Jan-06 15:04:05", body); err == nil {
			return inCentury(t, now), true
		}
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339, time.ANSIC, "Mon, 2 Jan 2006 15:04:05 -0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// inCentury puts a year of two digits where RFC 9110 wants it: at most 50 years
// after now, else in the past.
func inCentury(t, now time.Time) time.Time {
	year := now.Year() - now.Year()%100 + t.Year()%100
	if year > now.Year()+50 {
		year -= 100
	}
	return t.AddDate(year-t.Year(), 0, 0)
}
