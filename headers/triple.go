package headers

import (
	"net/http"
	"strings"
	"time"
)

// A family is three fields that tell a limit, what is left of it and when it is
// reset, with one text in front of their names.
type family struct {
	prefix                              string
	limit, remaining, reset, resetAfter string // the names in http.Header's spelling

	// delta says that Reset is always seconds to wait, as in drafts 00 to 06.
	delta bool
}

// families is the table of such fields, the best first.
func families() [3]family {
	return [...]family{
		{"RateLimit-", "Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset", "Ratelimit-Reset-After", true},
		{"X-RateLimit-", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset", "X-Ratelimit-Reset-After", false},
		{"X-Rate-Limit-", "X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset", "X-Rate-Limit-Reset-After", false}, // X's
	}
}

// triples adds what the first family with anything usable says.
func (r *reader) triples(h http.Header, to []ServiceLimit) []ServiceLimit {
	for _, f := range families() {
		if s, ok := r.triple(h, f); ok {
			return append(to, s)
		}
	}
	return to
}

// triple reads one family. Nested limiters repeat the fields: the strictest of what
// they say counts.
func (r *reader) triple(h http.Header, f family) (s ServiceLimit, ok bool) {
	s = ServiceLimit{
		Source:    f.prefix,
		Limit:     r.least(h, f.limit, readLimit),
		Remaining: r.least(h, f.remaining, readRemaining),
	}
	reset := r.reset(h, f)
	s.Reset, s.ResetKind = reset.length, reset.kind
	return s, s.Limit >= 0 || s.Remaining >= 0 || s.ResetKind != 0
}

// least is the smallest number in the lines of a field.
func (r *reader) least(h http.Header, field string, read func(string) (int64, bool)) int64 {
	least := int64(Unknown)
	for _, line := range r.lines(h, field) {
		n, ok := read(line)
		if !ok {
			r.note(field, line, "is no number")
			continue
		}
		if least < 0 || n < least {
			least = n
		}
	}
	return least
}

// readLimit reads a limit. Drafts 00 to 03 put quotas behind it: 100, 100;w=60.
func readLimit(line string) (int64, bool) {
	if i := strings.IndexAny(line, ",;"); i >= 0 {
		line = strings.TrimRight(line[:i], " \t")
	}
	n, ok := readNumber(line)
	return n.whole, ok
}

// readRemaining reads what is left. Some print fractions, and some a negative number
// where more was used than there is.
func readRemaining(line string) (int64, bool) {
	size, negative := strings.CutPrefix(line, "-")
	n, ok := readNumber(size)
	if negative {
		return 0, ok
	}
	return n.whole, ok
}

// reset reads when a family's limit is reset. Reset-After is Discord's: seconds to
// wait, with none of Reset's doubts.
func (r *reader) reset(h http.Header, f family) (longest delay) {
	for _, line := range r.lines(h, f.resetAfter) {
		if n, ok := readNumber(line); ok && !n.over {
			longest = longest.or(r.numeric(n, ResetDelta))
		} else {
			r.note(f.resetAfter, line, "is not in seconds")
		}
	}
	if longest.kind != 0 {
		return longest
	}
	for _, line := range r.lines(h, f.reset) {
		d, ok := r.readReset(line, f.delta)
		if !ok {
			r.note(f.reset, line, "is no time that can be waited for")
			continue
		}
		longest = longest.or(d)
	}
	return longest
}

func (r *reader) readReset(line string, delta bool) (delay, bool) {
	form := r.form
	if delta {
		form = ResetDelta
	}
	if isNumeric(line) {
		n, ok := readNumber(line)
		return r.numeric(n, form), ok && !n.over
	}
	if delta {
		return delay{}, false
	}
	if t, ok := readDate(line, r.clock); ok {
		return r.until(t, Date), true
	}
	length, err := time.ParseDuration(line)
	return delay{length, Delta}, err == nil && line[0] >= '0' && line[0] <= '9'
}
