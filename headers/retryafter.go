package headers

import "net/http"

// retryAfter reads Retry-After: seconds or a date as RFC 9110 has it, and what is
// sent in their place: fractions of a second, an epoch. Of several lines the longest
// counts. What cannot be read is no wait of zero: it is left out.
func (r *reader) retryAfter(h http.Header) (longest delay) {
	const field = "Retry-After"
	for _, line := range r.lines(h, field) {
		d, ok := r.readRetryAfter(line)
		switch {
		case !ok:
			r.note(field, line, "is neither seconds nor a date")
			continue
		case d.kind == Epoch:
			r.note(field, line, "is read as an epoch")
		}
		longest = longest.or(d)
	}
	return longest
}

func (r *reader) readRetryAfter(line string) (delay, bool) {
	if isNumeric(line) {
		n, ok := readNumber(line)
		return r.numeric(n, ResetGuess), ok
	}
	t, ok := readDate(line, r.clock)
	return r.until(t, Date), ok
}
