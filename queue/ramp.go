package queue

import (
	"math"
	"time"
)

// A Ramp is how an account comes back after it was offline: at first at a part of
// its pace, which grows evenly to the whole. The pauses between its messages are
// those that the policy asks for, stretched, and at least Gap, stretched, where the
// policy asks for less. They go one by one meanwhile, whatever [Options].Width.
type Ramp struct {
	// From is the part of its pace that it begins with, in percent from 1 to 100.
	// It is not looked at where Over is zero.
	From int

	// Over is how long it takes. Zero: it is back at once. It must not be negative.
	Over time.Duration

	// Gap is the pause that is stretched where the policy asks for a shorter one.
	// It must not be negative.
	Gap time.Duration
}

// DefaultRamp is 10 % to 100 % in 60 s, as the npm package baileys-antiban 3.8
// does, and as after pauses of 1 s where the policy asks for less.
func DefaultRamp() Ramp { return Ramp{From: 10, Over: time.Minute, Gap: time.Second} }

func (r Ramp) problem() error {
	switch {
	case r.Over < 0:
		return optionError("ramp over", r.Over, "use 0s or more")
	case r.Gap < 0:
		return optionError("ramp gap", r.Gap, "use 0s or more")
	case r.Over > 0 && (r.From < 1 || r.From > 100):
		return optionError("ramp from", r.From, "use a percentage from 1 to 100")
	}
	return nil
}

// stretch is how long a pause becomes that begins at since the account is back:
// it ends when as much of its pace has passed as the pause asks for.
func (r Ramp) stretch(since, pause time.Duration) time.Duration {
	if since < 0 {
		since = 0
	}
	if since >= r.Over {
		return pause
	}
	pause = max(pause, r.Gap)
	// At t the pace is a + b t of the whole, so that a t + b t^2 / 2 has passed.
	a := float64(r.From) / 100
	b := (1 - a) / float64(r.Over)
	passed := func(t float64) float64 { return a*t + b*t*t/2 }
	t, over := float64(since), float64(r.Over)
	want := passed(t) + float64(pause)
	if rest := want - passed(over); rest >= 0 {
		return whole(over - t + rest)
	}
	end := want / a
	if b > 0 {
		end = (math.Sqrt(a*a+2*b*want) - a) / b
	}
	return whole(end - t)
}

// whole is a time of so many nanoseconds, rounded up.
func whole(nanoseconds float64) time.Duration {
	if nanoseconds >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(math.Ceil(nanoseconds))
}
