package mask

import (
	"strings"
	"unicode"
)

// Text returns s with every run of 8 digits or more masked as [Phone] masks a
// number. It is for errors of other packages, which may quote one.
func Text(s string) string {
	var out strings.Builder
	for len(s) > 0 {
		start := strings.IndexFunc(s, unicode.IsDigit)
		if start < 0 {
			break
		}
		out.WriteString(s[:start])
		s = s[start:]
		end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) })
		if end < 0 {
			end = len(s)
		}
		if run := s[:end]; len([]rune(run)) >= fewest {
			out.WriteString(Phone(run))
		} else {
			out.WriteString(run)
		}
		s = s[end:]
	}
	out.WriteString(s)
	return out.String()
}
