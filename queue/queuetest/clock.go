package queuetest

import (
	"sync"
	"time"
)

// Epoch is the time at which a [Clock] starts: a Monday morning in UTC.
func Epoch() time.Time { return time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC) }

// A Clock is a limiter.Clock that moves only when told to. The zero Clock shows
// [Epoch]. All may use it at once.
type Clock struct {
	mu     sync.Mutex
	now    time.Time // zero for Epoch
	timers []timer
}

type timer struct {
	due time.Time
	c   chan time.Time
}

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time()
}

// After returns a channel that receives the clock's time once it has moved on by
// d; at once where d is zero or negative.
func (c *Clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := timer{c.time().Add(d), make(chan time.Time, 1)}
	c.timers = append(c.timers, t)
	c.ring()
	return t.c
}

// Advance moves the clock on. A negative d moves it back.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.time().Add(d)
	c.ring()
}

// Set moves the clock to t, on or back. A monotonic reading of t is left out.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t.Round(0)
	c.ring()
}

// time is Now. It requires c.mu.
func (c *Clock) time() time.Time {
	if c.now.IsZero() {
		return Epoch()
	}
	return c.now
}

// ring wakes all whose time has come. It requires c.mu.
func (c *Clock) ring() {
	now := c.time()
	left := c.timers[:0]
	for _, t := range c.timers {
		if t.due.After(now) {
			left = append(left, t)
		} else {
			t.c <- now
		}
	}
	clear(c.timers[len(left):])
	c.timers = left
}
