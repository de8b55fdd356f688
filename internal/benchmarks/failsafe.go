package main

import "github.com/failsafe-go/failsafe-go/ratelimiter"

// failsafe is failsafe-go's bursty limiter, which reads the clock and has no keys.
func failsafe(q quota) builder {
	return func() (contender, error) {
		l := ratelimiter.NewBursty[any](uint(q.max), q.per)
		return contender{run: func(n int) (allowed int) {
			for range n {
				if l.TryAcquirePermit() {
					allowed++
				}
			}
			return allowed
		}}, nil
	}
}
