package main

import (
	"time"

	"github.com/wapace/wapace/limiter"
)

// A contender is one side of a pair: a limiter and a way to ask it.
type contender struct {
	// run asks n times and returns how often the answer was yes. Nil where only
	// the contender's memory is measured.
	run func(n int) (allowed int)

	// refuses says that every answer must be no. Otherwise each must be yes.
	refuses bool

	// keys divide the memory that the contender took to build; with 0 it is not
	// told. A contender with keys is built once, others anew for every leg.
	keys int

	// holds keeps the memory that run does not.
	holds any
}

// A builder makes a contender from nothing.
type builder func() (contender, error)

// A quota is a limit as all of them know it: max in each period.
type quota struct {
	max int
	per time.Duration
}

// steady is a quota that is just enough for a request every steadyStep: each finds
// the bucket neither full nor empty.
func steady() quota { return quota{8, time.Second} }

const steadyStep = time.Second / 8

// endless is a quota that no loop uses up, for limiters that read the clock.
func endless() quota { return quota{1_000_000_000, time.Second} }

// spent is a quota that one request uses up, and a clock that moves by spentStep
// does not see it come back.
func spent() quota { return quota{1, time.Hour} }

const spentStep = time.Nanosecond

// scarce is a quota that one request uses up for as long as a measurement takes, for
// limiters that read the clock.
func scarce() quota { return quota{1, 24 * time.Hour} }

// refusing uses up a quota of 1 and wants a no from then on.
func refusing(build builder) builder {
	return func() (contender, error) {
		c, err := build()
		if err == nil {
			c.run(1)
			c.refuses = true
		}
		return c, err
	}
}

// A clock moves by a step whenever it is asked. Its times have a monotonic
// reading, as those of time.Now have.
type clock struct {
	now  time.Time
	step time.Duration
}

func newClock(step time.Duration) *clock {
	return &clock{now: limiter.RealClock().Now(), step: step}
}

func (c *clock) tick() time.Time {
	c.now = c.now.Add(c.step)
	return c.now
}
