package headers

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// A quantity is a number of a JSON text that is not negative, also one that is
// written as a string. Anything else leaves it unknown: readers of JSON ignore a
// member of the wrong type.
type quantity struct {
	number
	known bool
}

// UnmarshalJSON never fails. In JSON, unlike in a field, a number may have an exponent,
// and a small one often does.
func (q *quantity) UnmarshalJSON(text []byte) error {
	n, ok := readNumber(string(bytes.Trim(text, `"`)))
	if !ok && bytes.IndexAny(text, "eE") > 0 && text[0] != '"' {
		n, ok = readFloat(string(text))
	}
	*q = quantity{n, ok && !n.over}
	return nil
}

// readFloat reads a number that has an exponent.
func readFloat(s string) (number, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f >= math.MaxInt64 {
		return number{}, false
	}
	whole, part := math.Modf(f)
	return number{whole: int64(whole), fraction: int64(math.Ceil(part * 1e9))}, true
}

// times is the quantity as a length of time in units of a second or more, saturated.
func (q quantity) times(unit time.Duration) time.Duration {
	if q.whole >= math.MaxInt64/int64(unit) {
		return math.MaxInt64
	}
	part := number{fraction: q.fraction}.in(time.Second) * (unit / time.Second)
	return time.Duration(q.whole)*unit + part
}
