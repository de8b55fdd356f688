//go:build race

package limiter_test

// slower is how much fewer cases a test with many runs under the race detector.
const slower = 10
