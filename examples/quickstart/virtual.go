package main

import (
	"context"
	"fmt"
	"time"

	"github.com/wapace/wapace/examples/internal/flags"
	"github.com/wapace/wapace/queue"
)

// A virtualClock passes only for who waits: After moves it on and answers at once.
// It is for one goroutine, as is a queue that is driven by Step.
type virtualClock struct {
	now time.Time
}

func (c *virtualClock) Now() time.Time { return c.now }

func (c *virtualClock) After(d time.Duration) <-chan time.Time {
	c.now = c.now.Add(max(d, 0))
	passed := make(chan time.Time, 1)
	passed <- c.now
	return passed
}

// drain steps the queue until nothing waits or ctx is done, and sets the clock to
// each time that Step names.
func (c *virtualClock) drain(ctx context.Context, q *queue.Queue) error {
	for ctx.Err() == nil {
		next, err := q.Step(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil || next.IsZero():
			return err
		case next.Year() > flags.LastYear:
			return fmt.Errorf("the next message would go in the year %d; start before, or choose a policy with a shorter wait", next.Year())
		default:
			c.now = next
		}
	}
	return nil
}
