package headers

import (
	"math"
	"strings"
	"time"
)

// A number is an unsigned decimal: no sign, exponent, hex, NaN or infinity. Every
// one of those is read as a number by some package of strconv, and none is one in a
// field.
type number struct {
	whole    int64 // saturated
	fraction int64 // in billionths, rounded up
	over     bool  // whole was larger than 64 bits hold
}

// isNumeric reports whether s is written in nothing but digits and dots.
func isNumeric(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.") == ""
}

// readNumber reads 1*DIGIT [ "." 1*DIGIT ].
func readNumber(s string) (n number, ok bool) {
	whole, fraction, dotted := strings.Cut(s, ".")
	if whole == "" || dotted && fraction == "" {
		return number{}, false
	}
	for _, c := range []byte(whole) {
		if c < '0' || c > '9' {
			return number{}, false
		}
		digit := int64(c - '0')
		if n.whole > (math.MaxInt64-digit)/10 {
			n.over, n.whole = true, math.MaxInt64
			continue
		}
		if !n.over {
			n.whole = n.whole*10 + digit
		}
	}
	unit := int64(1e8)
	for _, c := range []byte(fraction) {
		switch {
		case c < '0' || c > '9':
			return number{}, false
		case unit > 0:
			n.fraction += int64(c-'0') * unit
			unit /= 10
		case c > '0' && unit == 0:
			n.fraction++
			unit = -1
		}
	}
	return n, true
}

// in is the number as a length of time in units of a second or less, saturated and
// rounded up to a nanosecond.
func (n number) in(unit time.Duration) time.Duration {
	part := (n.fraction*int64(unit) + 1e9 - 1) / 1e9
	if n.whole > (math.MaxInt64-part)/int64(unit) {
		return math.MaxInt64
	}
	return time.Duration(n.whole*int64(unit) + part)
}

// Sizes tell what a number without a unit means: no limit is 30 years away, so a
// number from 10^9 on is a time since 1970, and how large it is tells its unit. The
// same second is a thousand times larger in the next unit.
const (
	firstEpoch  = 1e9  // 2001-09-09 in seconds
	firstMillis = 1e11 // 1973-03-03 in milliseconds
	firstMicros = 1e14 // 1973-03-03 in microseconds
	firstNanos  = 1e16 // 1970-04-26 in nanoseconds
)

// epoch is the number as a time since 1970, in the unit that its size tells.
func (n number) epoch() time.Time {
	unit := time.Second
	switch {
	case n.whole >= firstNanos:
		return time.Unix(0, n.whole)
	case n.whole >= firstMicros:
		unit = time.Microsecond
	case n.whole >= firstMillis:
		unit = time.Millisecond
	}
	perSecond := int64(time.Second / unit)
	part := number{whole: n.whole % perSecond, fraction: n.fraction}
	return time.Unix(n.whole/perSecond, int64(part.in(unit)))
}
