//go:build !race && !arm

package headers_test

// slower is how much fewer cases a test with many of them has under the race
// detector, and on a 32-bit ARM, which is slow or emulated.
const slower = 1
