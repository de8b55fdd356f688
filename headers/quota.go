package headers

import (
	"math/big"
	"time"

	"github.com/wapace/wapace/policy"
)

// Units beside requests, which an empty Unit means. The first is of the draft's
// registry, the others are this library's.
const (
	ConcurrentRequests = "concurrent-requests"
	UniqueRecipients   = "unique-recipients"
	NewContacts        = "new-contacts"
)

// Quotas are the rules of policies as quotas, for a [Printer] of a limiter that has
// accounts on all of them. Left out are shadow rules, which refuse nothing, and
// hours, which count nothing. A token bucket is as many requests as it holds in the
// time that it takes to fill, a gap those from pause to pause in its longest pause,
// and a month has 31 days.
func Quotas(policies ...policy.Policy) []Quota {
	var quotas []Quota
	for _, p := range policies {
		for _, r := range p.Rules {
			if q, ok := quotaOf(r.Limit); ok && !r.Shadow {
				q.Name = r.Name
				quotas = append(quotas, q)
			}
		}
	}
	return quotas
}

func quotaOf(limit policy.Limit) (Quota, bool) {
	switch l := limit.(type) {
	case policy.TokenBucket:
		return Quota{Limit: l.Size(), Window: fillTime(l)}, true
	case policy.SlidingWindow:
		return Quota{Limit: l.Max, Window: l.Window}, true
	case policy.CalendarWindow:
		return Quota{Limit: l.Max, Window: span(l.Unit)}, true
	case policy.Gap:
		return Quota{Limit: l.Period(), Window: max(l.Min, l.Max)}, true
	case policy.Concurrency:
		return Quota{Limit: l.Max, Unit: ConcurrentRequests}, true
	case policy.UniqueRecipients:
		return Quota{Limit: l.Max, Window: l.Window, Unit: UniqueRecipients}, true
	case policy.NewContacts:
		return Quota{Limit: l.Max, Window: l.Window, Unit: NewContacts}, true
	}
	return Quota{}, false
}

// fillTime is how long an empty bucket takes to be full, 0 where it never is.
func fillTime(b policy.TokenBucket) time.Duration {
	if b.Max <= 0 {
		return 0
	}
	fill := new(big.Int).Mul(big.NewInt(b.Size()), big.NewInt(int64(b.Per)))
	fill.Add(fill, big.NewInt(b.Max-1)).Div(fill, big.NewInt(b.Max))
	if !fill.IsInt64() || fill.Int64() > int64(policy.MaxDuration) {
		return policy.MaxDuration
	}
	return time.Duration(fill.Int64())
}

func span(u policy.Unit) time.Duration {
	const day = 24 * time.Hour
	switch u {
	case policy.Minute:
		return time.Minute
	case policy.Hour:
		return time.Hour
	case policy.Day:
		return day
	case policy.Week:
		return 7 * day
	case policy.Month:
		return 31 * day
	}
	return 0
}
