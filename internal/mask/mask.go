// Package mask hides the middle of a phone number, so that an error or a log
// line can say which number it means without giving it away.
package mask

import (
	"unicode"
	"unicode/utf8"
)

const (
	head    = 4 // digits shown at the start
	tail    = 2 // digits shown at the end
	fewest  = 8 // with fewer digits than this none is shown
	longest = 64
)

// Phone returns s with its first 4 and last 2 digits and a star for every digit
// between, counted over the whole of s, whatever stands between the digits.
// With fewer than 8 digits each becomes a star. A digit is a decimal digit of
// any script. Text that is not a digit stays: an address keeps its server.
//
// The result is printable, valid UTF-8 whatever s holds: any white space becomes
// a plain space, and U+FFFD stands for a byte that is not UTF-8 and for a
// character that does not print. Print it with %q, which shows where it ends. A
// result over 64 bytes is cut after the last character that fits and ends in
// "..."; digits beyond the cut still count, so a cut value shows no others than
// a whole one.
//
// The empty string gives the empty string. Phone takes time in proportion to the
// length of s. Any goroutine may call it.
func Phone(s string) string {
	digits := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			digits++
		}
	}

	out := make([]byte, 0, longest+utf8.UTFMax)
	seen := 0
	for _, r := range s {
		whole := len(out)
		switch {
		case unicode.IsDigit(r):
			seen++
			if digits < fewest || seen > head && seen <= digits-tail {
				r = '*'
			}
		case unicode.IsSpace(r):
			r = ' '
		case !unicode.IsPrint(r):
			r = utf8.RuneError
		}
		out = utf8.AppendRune(out, r)
		if len(out) > longest {
			return string(append(out[:whole], "..."...))
		}
	}
	return string(out)
}
