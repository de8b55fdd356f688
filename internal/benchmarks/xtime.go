package main

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

func (q quota) limiter() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(float64(q.max)/q.per.Seconds()), q.max)
}

// xtime is a bare rate.Limiter.
func xtime(q quota, step time.Duration) builder {
	return func() (contender, error) {
		l, c := q.limiter(), newClock(step)
		return contender{run: func(n int) (allowed int) {
			for range n {
				if l.AllowN(c.tick(), 1) {
					allowed++
				}
			}
			return allowed
		}}, nil
	}
}

// A rateMap is how rate.Limiter is commonly given keys.
type rateMap struct {
	mu       sync.Mutex
	limiters map[string]*rate.Limiter
	quota    quota
}

func newRateMap(q quota) *rateMap {
	return &rateMap{limiters: map[string]*rate.Limiter{}, quota: q}
}

func (m *rateMap) allow(key string, now time.Time) bool {
	m.mu.Lock()
	l, ok := m.limiters[key]
	if !ok {
		l = m.quota.limiter()
		m.limiters[key] = l
	}
	m.mu.Unlock()
	return l.AllowN(now, 1)
}

// xtimeMap is a rateMap with one key.
func xtimeMap(q quota, step time.Duration) builder {
	return func() (contender, error) {
		m, c := newRateMap(q), newClock(step)
		return contender{run: func(n int) (allowed int) {
			for range n {
				if m.allow(oneAccount, c.tick()) {
					allowed++
				}
			}
			return allowed
		}}, nil
	}
}

// xtimeCrowd is a rateMap that is asked for one account of the crowd after
// another. Its one rule allows as much as a visit needs.
func xtimeCrowd(people *crowd, workers int) builder {
	return func() (contender, error) {
		return people.visited(workers, newRateMap(quota{1, time.Minute}).allow)
	}
}

// A rateSet is several rate.Limiters that all must allow a request, or none is
// charged. Without the lock another caller could take the last token between the
// two loops.
type rateSet struct {
	mu       sync.Mutex
	limiters []*rate.Limiter
}

func (s *rateSet) allow(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.limiters {
		if l.TokensAt(now) < 1 {
			return false
		}
	}
	for _, l := range s.limiters {
		l.AllowN(now, 1)
	}
	return true
}

// xtimeSet is a rateSet of the quotas.
func xtimeSet(step time.Duration, quotas ...quota) builder {
	return func() (contender, error) {
		s, c := &rateSet{}, newClock(step)
		for _, q := range quotas {
			s.limiters = append(s.limiters, q.limiter())
		}
		return contender{run: func(n int) (allowed int) {
			for range n {
				if s.allow(c.tick()) {
					allowed++
				}
			}
			return allowed
		}}, nil
	}
}
