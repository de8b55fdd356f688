//go:build race

package limiter_test

// effort is how much of the long walks a run makes, in eighths. The race detector
// makes each step ten times slower, and has nothing to find in a walk of one
// goroutine; the run without it makes all of them.
const effort = 1
