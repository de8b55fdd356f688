package headers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/dunglas/httpsfv"

	"github.com/wapace/wapace/limiter"
)

// merge is what a field says once value is printed where old stands, as an outer
// limiter's does. There is one line in the end.
func (pg *page) merge(key string, old []string, value string, scarcer bool) string {
	switch key {
	case "Ratelimit-Policy", "Ratelimit":
		return mergeLists(old, value)
	case "Retry-After":
		var before delay
		r := newReader(nil, pg.now, nil)
		for _, line := range old {
			if d, ok := r.readRetryAfter(line); ok && d.length > before.length {
				before, old = d, []string{line}
			}
		}
		if after, _ := r.readRetryAfter(value); before.length > after.length {
			return old[0]
		}
		return value
	}
	if scarcer {
		return value
	}
	return old[0]
}

// isScarcer reports whether the limit to be printed binds at least as much as the one
// of which a header has the X-RateLimit fields. The three are about one limit, so all
// go or stay.
func (pg *page) isScarcer(h http.Header) bool {
	if len(h["X-Ratelimit-Limit"]) == 0 || len(h["X-Ratelimit-Remaining"]) == 0 || len(h["X-Ratelimit-Reset"]) == 0 {
		return true
	}
	before, _ := newReader(nil, pg.now, nil).triple(h, families()[1])
	binds := false
	pg.gates(func(g *limiter.Gate, _ *row) bool {
		binds = before.binds(&ServiceLimit{Limit: g.Limit, Remaining: max(g.Remaining, 0), Reset: g.Reset, ResetKind: Delta})
		return false
	})
	return !binds
}

// mergeLists leaves out the items of old that have a name in value.
func mergeLists(old []string, value string) string {
	before, ok := members(old)
	after, _ := members([]string{value})
	if !ok {
		return value // it was malformed, and would void what comes after
	}
	kept := slices.DeleteFunc(before, func(m httpsfv.Member) bool {
		return slices.ContainsFunc(after, func(n httpsfv.Member) bool { return sameName(m, n) })
	})
	if len(kept) == 0 {
		return value
	}
	text, err := httpsfv.Marshal(kept)
	if err != nil {
		return value
	}
	return strings.Join([]string{text, value}, ", ")
}

func sameName(m, n httpsfv.Member) bool {
	a, ok := m.(httpsfv.Item)
	b, alike := n.(httpsfv.Item)
	if !ok || !alike {
		return false
	}
	one, ok := name(a.Value)
	other, alike := name(b.Value)
	return ok && alike && one == other
}
