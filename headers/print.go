package headers

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/wapace/wapace/limiter"
)

// PrintOptions tunes a [Printer]. A nil *PrintOptions means all defaults.
type PrintOptions struct {
	// Dialects are what is printed, each at most once. Empty means [XRateLimit] and
	// [Draft11].
	Dialects []Dialect
}

// A Printer prints how limits stand into header fields. It is made for the quotas
// that it may have to speak of. All may use it at once.
type Printer struct {
	dialects []dialect
	rows     map[string]*row // by name
	pages    sync.Pool
}

// A row is what is known of a quota before anything is asked.
type row struct {
	item   string // its item in RateLimit-Policy, without a partition
	name   string // its name, quoted
	limit  int64
	others []*row // of the same name with other limits
}

// NewPrinter returns a printer for quotas, which are mostly those of
// [Quotas]. Several may have one name if their limits differ, as where
// accounts are on plans with the same rules; the rule's limit tells which is meant, and
// a rule whose limit is none of theirs is printed without a window. Their partitions
// do not count: that is told with each [State].
// Errors: a name that is empty or has anything but printable ASCII, a unit that has,
// a negative limit or window, a dialect that does not exist or is named twice.
func NewPrinter(quotas []Quota, o *PrintOptions) (*Printer, error) {
	chosen := []Dialect{XRateLimit, Draft11}
	if o != nil && len(o.Dialects) > 0 {
		chosen = o.Dialects
	}
	p := &Printer{rows: make(map[string]*row, len(quotas))}
	p.pages.New = func() any { return new(page) }
	for i, d := range chosen {
		all := dialects()
		if d == 0 || int(d) > len(all) {
			return nil, optionError("dialect", uint8(d), "use XRateLimit, XRateLimitDelta or Draft11")
		}
		if slices.Contains(chosen[:i], d) {
			return nil, optionError("dialect", d, "name it once")
		}
		p.dialects = append(p.dialects, all[d-1])
	}
	if slices.Contains(chosen, XRateLimit) && slices.Contains(chosen, XRateLimitDelta) {
		return nil, optionError("dialect", XRateLimitDelta, "use it or XRateLimit, which print the same fields")
	}
	for i := range quotas {
		q := &quotas[i]
		if err := q.check(); err != nil {
			return nil, err
		}
		r := &row{item: q.item(), name: quote(q.Name), limit: q.Limit}
		if first, known := p.rows[q.Name]; known {
			first.others = append(first.others, r)
		} else {
			p.rows[q.Name] = r
		}
	}
	return p, nil
}

// check is what keeps a quota from being printed.
func (q *Quota) check() error {
	const ascii = "use printable ASCII, without line breaks"
	switch {
	case q.Name == "":
		return optionError("name", q.Name, "name the quota")
	case !isPrintable(q.Name):
		return optionError("name", q.Name, ascii)
	case !isPrintable(q.Unit):
		return optionError("unit", q.Unit, ascii)
	case q.Limit < 0:
		return optionError("limit", q.Limit, "use 0 or more")
	case q.Window < 0:
		return optionError("window", q.Window, "use more than 0, or 0 for none")
	}
	return nil
}

// A State is what a [Printer] prints.
type State struct {
	// Decision is the limiter's answer.
	Decision limiter.Decision

	// Gates are the rules beside the one that binds, from [limiter.Limiter.Gates].
	// Nil: that one alone. Shadow rules are left out, and so are those that are no
	// quota of the printer's.
	Gates []limiter.Gate

	// Partition tells apart the callers that each have the quota for themselves.
	// Everybody on the way can read it: hash what should not be read. Nil: none.
	Partition []byte
}

// Print adds the fields of every dialect to h, and Retry-After where the request was
// refused and waiting helps: in whole seconds, rounded up, at least 1. It prints
// nothing of a rule that the printer has no quota of, such as hours, holds
// and requests that are wrong in themselves; a request that no rule covers gets no
// field. A nil h is left alone.
//
// Where fields stand already, as an outer limiter's do, there is still one item of
// each name, the one printed last; of X-RateLimit the scarcer stays, and of
// Retry-After the longer.
func (p *Printer) Print(h http.Header, now time.Time, s State) {
	if h == nil {
		return
	}
	pg, ok := p.pages.Get().(*page)
	if !ok {
		pg = new(page)
	}
	pg.printer, pg.now, pg.state, pg.text, pg.fields = p, now, s, pg.room[:0], pg.fields[:0]
	for i := range p.dialects {
		p.dialects[i].write(pg)
	}
	if wait, ok := RetryAfter(s.Decision); ok {
		pg.integer("Retry-After", wait)
	}
	pg.into(h)
	pg.state = State{}
	p.pages.Put(pg)
}

// RetryAfter is how many whole seconds a refused request has to wait, rounded up and
// at least 1. It is false where the request was allowed and where no waiting helps.
// A request that is refused as Busy may have to wait longer, and so may one that has
// to wait for more than 31 years: from 10^9 on seconds are taken for an epoch.
func RetryAfter(d limiter.Decision) (seconds int64, ok bool) {
	switch d.Answer {
	case limiter.Later, limiter.Busy:
		return max(1, shortSeconds(d.RetryAfter)), true
	case limiter.Allowed, limiter.Never:
	}
	return 0, false
}

// row is the quota of a gate, nil where there is none to print.
func (p *Printer) row(g *limiter.Gate) *row {
	if g.Shadow || g.Rule == "" {
		return nil
	}
	first := p.rows[g.Rule]
	if first == nil || first.limit == g.Limit {
		return first
	}
	for _, other := range first.others {
		if other.limit == g.Limit {
			return other
		}
	}
	return first
}

// ceilSeconds is a length of time in whole seconds, rounded up, 0 where it is
// negative.
func ceilSeconds(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64((d-1)/time.Second) + 1
}

// shortSeconds is ceilSeconds below what would be taken for an epoch.
func shortSeconds(d time.Duration) int64 { return min(ceilSeconds(d), firstEpoch-1) }

// ceilUnix is the time after now in whole seconds since 1970, rounded up.
func ceilUnix(now time.Time, after time.Duration) int64 {
	t := now.Add(max(after, 0))
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}
