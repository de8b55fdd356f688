package headers

// A Dialect is a set of fields that a [Printer] prints.
type Dialect uint8

// The dialects.
const (
	// XRateLimit is X-RateLimit-Limit, -Remaining and -Reset, the last as a time
	// since 1970 in seconds, of the one limit that binds. It is what
	// GitHub and the APIs that follow it print.
	XRateLimit Dialect = iota + 1

	// XRateLimitDelta is the same with Reset in seconds to wait.
	XRateLimitDelta

	// Draft11 is RateLimit-Policy and RateLimit, with an item for each rule, of
	// draft-ietf-httpapi-ratelimit-headers-11 (May 2026). Later drafts plan other
	// names for the parameters.
	Draft11
)

// A dialect is one row of the table of dialects.
type dialect struct {
	name  string
	write func(*page)
}

// dialects is the table of dialects, each at its number less 1. A new dialect is one
// file and one row here.
func dialects() []dialect {
	return []dialect{
		{"X-RateLimit", printXRateLimit},
		{"X-RateLimit with delta", printXRateLimitDelta},
		{"draft-11", printDraft11},
	}
}

// String is the dialect's name.
func (d Dialect) String() string {
	if all := dialects(); d > 0 && int(d) <= len(all) {
		return all[d-1].name
	}
	return "unknown"
}
