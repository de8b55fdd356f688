package main

import (
	"time"

	"go.uber.org/ratelimit"
)

// uber is asked through Take, its only verb, which sleeps where others refuse. To
// sleep counts as no.
func uber(q quota, step time.Duration) builder {
	return func() (contender, error) {
		c := &uberClock{clock: newClock(step)}
		l := ratelimit.New(q.max, ratelimit.Per(q.per), ratelimit.WithClock(c))
		return contender{run: func(n int) (allowed int) {
			before := c.slept
			for range n {
				l.Take()
			}
			return n - (c.slept - before)
		}}, nil
	}
}

// An uberClock counts how often somebody slept.
type uberClock struct {
	clock *clock
	slept int
}

func (c *uberClock) Now() time.Time { return c.clock.tick() }

func (c *uberClock) Sleep(d time.Duration) {
	c.slept++
	c.clock.now = c.clock.now.Add(d)
}
