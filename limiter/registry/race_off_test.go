//go:build !race

package registry_test

// slower is how much fewer cases a test with many of them has under the race
// detector.
const slower = 1
