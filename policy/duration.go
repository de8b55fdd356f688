package policy

import (
	"regexp"
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

// overflows reports whether s, which [time.ParseDuration] refuses, is well formed
// and only too long.
func overflows(s string) bool {
	wellFormed, _ := regexp.MatchString(`^\+?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$`, s)
	return wellFormed
}
