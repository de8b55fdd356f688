// Package linearizable holds tests that check whether what goroutines see of a
// limiter, when they use it at once, is what one caller would see who made their
// calls one after another. It is a module of its own for the sake of the checker
// that it brings along.
package linearizable
