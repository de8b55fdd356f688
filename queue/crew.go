package queue

import (
	"context"
	"sync"
	"sync/atomic"
)

// A crew is the workers of a Run. Each looks for a job that is due, does it and
// looks again, and rests where there is none. They are hired when they are needed
// and stay until the Run ends. As many look at once as there are processors: those who
// come when so many do rest instead, as they would only stand in each other's way.
//
// No lane that is due is overlooked. At any time one of these holds: the lane is
// due no sooner than Run's alarm, or than a grain before it; a worker is on the way to
// look; all workers are busy, and each looks when its job is done.
type crew struct {
	queue   *Queue
	run     context.Context //nolint:containedctx // of the Run whose workers they are
	calls   context.Context //nolint:containedctx // of the jobs
	members sync.WaitGroup
	seeking atomic.Bool // a worker was called and has not looked yet

	cores   int32        // the processors
	looking atomic.Int32 // how many workers look, or wait for a lock to

	mu      sync.Mutex
	hired   int
	resting []chan struct{} // the bells of those that rest; the last goes first
	over    bool
}

// call has one more worker look, if there is one and none is on the way.
func (c *crew) call() {
	if c.seeking.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || c.run.Err() != nil || c.seeking.Load() {
		return
	}
	switch last := len(c.resting) - 1; {
	case last >= 0:
		c.seeking.Store(true)
		c.resting[last] <- struct{}{}
		c.resting = c.resting[:last]
	case c.hired < c.queue.options.Workers:
		c.seeking.Store(true)
		c.hired++
		c.members.Go(c.work)
	}
}

// dismiss has nobody look any more.
func (c *crew) dismiss() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}

// work is a worker's life.
func (c *crew) work() {
	defer c.leave()
	bell := make(chan struct{}, 1)
	for called := true; c.run.Err() == nil; {
		crowded := !called && c.looking.Load() >= c.cores
		if !crowded {
			j, ok := c.look()
			if called {
				c.seeking.Store(false)
				called = false
			}
			if ok {
				c.queue.watch() // for what else is due, while this one is busy
				j.do(c.queue, c.calls, j)
				continue
			}
		}
		c.rest(bell)
		if !crowded || c.looking.Load() == 0 { // otherwise one who still looks will watch after it
			c.queue.watch() // for what is due later, or came before it rested
		}
		select {
		case <-bell:
			called = true
		case <-c.run.Done():
		}
	}
}

// look is a worker's next job, if there is one.
func (c *crew) look() (j job, ok bool) {
	c.looking.Add(1)
	defer c.looking.Add(-1)
	j, _, ok = c.queue.next()
	return j, ok
}

// rest makes a worker one that can be called.
func (c *crew) rest(bell chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resting = append(c.resting, bell)
}

// leave lets a worker go. It did not look after its job where a sender has ended its
// goroutine.
func (c *crew) leave() {
	c.mu.Lock()
	c.hired--
	c.mu.Unlock()
	c.queue.watch()
}
