package limiter

import (
	"math"
	"slices"
	"time"
)

// A Holding is a hold in force.
type Holding struct {
	// Target is what it stops, as it was given to [Limiter.Hold].
	Target Target

	// Until is when it ends, on the wall. Zero: when it is released.
	Until time.Time

	// Reason is why. It may hold numbers.
	Reason string
}

// Holds are the holds in force at time now that stop a request, the one that ends
// last first. It is nil where there is none, and where now is a time that no request
// may have.
func (l *Limiter) Holds(now time.Time, req Request) (found []Holding) {
	at := l.instant(now)
	if !at.known() {
		return nil
	}
	s := &l.shards[l.hash.of(req.Account)%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range req.targets() {
		if stop := l.pinned(s, &t); stop != nil && stop.until > at.wall {
			h := Holding{Target: t, Reason: stop.reason}
			if stop.until != math.MaxInt64 {
				h.Until = time.Unix(0, stop.until).In(now.Location())
			}
			found = append(found, h)
		}
	}
	slices.SortStableFunc(found, func(a, b Holding) int {
		switch {
		case a.Until.IsZero() == b.Until.IsZero():
			return b.Until.Compare(a.Until)
		case a.Until.IsZero():
			return -1
		}
		return 1
	})
	return found
}

// targets are those that a request is part of, the narrow ones first.
func (r *Request) targets() (all []Target) {
	for _, account := range [...]string{r.Account, ""} {
		if r.Recipient != "" {
			all = append(all, Target{Account: account, Recipient: r.Recipient})
		}
		if r.Campaign != "" {
			all = append(all, Target{Account: account, Campaign: r.Campaign})
		}
		if r.NewContact {
			all = append(all, Target{Account: account, NewContacts: true})
		}
		all = append(all, Target{Account: account})
	}
	return all
}
