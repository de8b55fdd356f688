package headers

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// ParseOptions tunes [Parse]. A nil *ParseOptions means all defaults.
type ParseOptions struct {
	// MaxWait is the longest that the advice's own times can be; what is longer is
	// cut and said to be. Zero and negative mean the default, 24 h.
	MaxWait time.Duration

	// Reset says what a number in X-RateLimit-Reset is. The zero ResetForm guesses.
	// A date in its place is read whatever Reset says.
	Reset ResetForm
}

// The most that is read of an answer. What is longer is ignored, with a note.
const (
	MaxField = 8 << 10  // bytes of all the lines of one field
	MaxItems = 64       // items of a list, lines of a field
	MaxBody  = 64 << 10 // bytes of a body
)

// Parse reads what an answer says about limits: its status, its header fields in
// every dialect that the package knows, and its body, of which the caller has read
// at most [MaxBody] bytes and one more. A nil body is one that was not read.
//
// now is when the answer came; dates and epochs are compared with the answer's own
// Date (and Age) where it has one. Whatever is malformed is left out and noted:
// there is no error, and no wait longer than MaxWait. Trailers are not read. A nil
// answer says nothing. All may call Parse at once.
func Parse(answer *http.Response, body []byte, now time.Time, o *ParseOptions) Advice {
	a := Advice{Limit: Unknown, Remaining: Unknown}
	if answer == nil {
		return a
	}
	h := answer.Header
	r := newReader(h, now, o)
	wait := r.retryAfter(h)
	a.Cached = r.age > 0
	a.Quotas = r.quotas(h)
	a.ServiceLimits = r.triples(h, r.serviceLimits(h))
	a.Usage = r.usage(h)
	a.pair()
	a.bind()
	said := r.body(&a, answer.StatusCode, body)
	a.Limited = a.Limited || !a.Locked && answer.StatusCode == http.StatusForbidden && (wait.kind != 0 || a.Remaining == 0)

	if redirects(answer.StatusCode) {
		wait = delay{}
	}
	if wait.kind == 0 {
		wait = said
	}
	if wait.kind == 0 {
		wait = a.lostAccess()
	}
	if wait.kind == 0 {
		wait = a.exhaustion()
	}
	if wait.kind == 0 {
		wait = r.documented(&a)
	}
	a.Kind = wait.kind
	var long bool
	a.Reset, a.Clamped = r.cut(a.Reset, "reset")
	a.Wait, long = r.cut(wait.length, "wait")
	a.Clamped = a.Clamped || long
	a.Notes, a.Malformed = r.notes, r.voids
	return a
}

func redirects(status int) bool { return status >= 300 && status < 400 }

// pair gives each service limit the size of the quota that it belongs to.
func (a *Advice) pair() {
	for i := range a.ServiceLimits {
		if s := &a.ServiceLimits[i]; s.Limit == Unknown {
			s.Limit = a.sizeOf(s)
		}
	}
}

// sizeOf is the size of a service limit's quota, by partition and name. Where no name
// is the same, case does not matter: that of a token does not.
func (a *Advice) sizeOf(s *ServiceLimit) int64 {
	size := int64(Unknown)
	for i := range a.Quotas {
		q := &a.Quotas[i]
		switch {
		case !bytes.Equal(s.Partition, q.Partition):
		case s.Name == q.Name:
			return q.Limit
		case size == Unknown && strings.EqualFold(s.Name, q.Name):
			size = q.Limit
		}
	}
	return size
}

// bind puts the service limit that binds in front.
func (a *Advice) bind() {
	var binding *ServiceLimit
	for i := range a.ServiceLimits {
		s := &a.ServiceLimits[i]
		if binding == nil || s.binds(binding) {
			binding = s
		}
	}
	if binding != nil {
		a.Name, a.Limit, a.Remaining = binding.Name, binding.Limit, binding.Remaining
		a.Reset, a.ResetKind = binding.Reset, binding.ResetKind
	}
}

// lostAccess is how long it takes until Meta gives access again.
func (a *Advice) lostAccess() delay {
	if u := a.Usage; u != nil && u.Regain > 0 && (a.Limited || u.Percent >= 100) {
		return delay{u.Regain, Delta}
	}
	return delay{}
}

// exhaustion is how long it takes until nothing is exhausted any more. A refusal
// that does not tell what is left is waited out too.
func (a *Advice) exhaustion() (longest delay) {
	for i := range a.ServiceLimits {
		s := &a.ServiceLimits[i]
		if s.exhausted() || a.Limited && s.Remaining < 0 {
			longest = longest.or(delay{s.Reset, s.ResetKind})
		}
	}
	return longest
}

// A reader reads the fields of one answer.
type reader struct {
	clock time.Time // the sender's, where it tells
	age   time.Duration
	most  time.Duration
	form  ResetForm
	notes []string
	voids []string // fields that are ignored as a whole
}

func newReader(h http.Header, now time.Time, o *ParseOptions) *reader {
	r := &reader{clock: now, most: 24 * time.Hour}
	if o != nil {
		r.form = o.Reset
		if o.MaxWait > 0 {
			r.most = o.MaxWait
		}
	}
	for _, line := range r.lines(h, "Age") {
		if n, ok := readNumber(line); ok {
			r.age = max(r.age, n.in(time.Second))
		}
	}
	for _, line := range r.lines(h, "Date") {
		if date, ok := readDate(line, now); ok {
			r.clock = date.Add(r.age)
			break
		}
		r.note("Date", line, "is no date; the local clock is used")
	}
	return r
}

// lines are the lines of a field without white space around them, and none where
// they are more or longer than is read.
func (r *reader) lines(h http.Header, field string) []string {
	lines := h[field]
	if len(lines) == 0 {
		return nil
	}
	size := 0
	for _, line := range lines {
		size += len(line)
	}
	if len(lines) > MaxItems || size > MaxField {
		r.void(field, "%d bytes in %d lines are not read", size, len(lines))
		return nil
	}
	trimmed := lines
	for i, line := range lines {
		if cut := strings.Trim(line, " \t"); cut != line {
			if &trimmed[0] == &lines[0] {
				trimmed = append([]string(nil), lines...)
			}
			trimmed[i] = cut
		}
	}
	return trimmed
}

// void notes that a field is ignored as a whole.
func (r *reader) void(field, format string, args ...any) {
	r.voids = append(r.voids, field)
	r.remark(field, fmt.Sprintf(format, args...))
}

func (r *reader) note(field, value, what string) { r.remark(field, quoted(value)+" "+what) }

func (r *reader) remark(field, what string) {
	if len(r.notes) < MaxItems {
		r.notes = append(r.notes, field+": "+what)
	}
}
