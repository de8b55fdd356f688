//go:build !race

package limiter_test

// effort is how much of the long walks a run makes, in eighths: all.
const effort = 8
