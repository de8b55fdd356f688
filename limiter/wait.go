package limiter

import "time"

// A Clock tells the time and wakes a waiter. It asks for so little that the real
// and mock clocks of github.com/benbjohnson/clock fit as they are. All may call
// it at once.
type Clock interface {
	// Now is the current time.
	Now() time.Time

	// After returns a channel that receives the time once d has passed; at once
	// where d is zero or negative.
	After(d time.Duration) <-chan time.Time
}

// RealClock is the machine's clock. Inside a testing/synctest bubble it is the
// bubble's.
func RealClock() Clock { return realClock{} }

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
