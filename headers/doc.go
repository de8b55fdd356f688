// Package headers speaks of limits over HTTP, both ways: it prints how a
// [limiter.Decision] stands into header fields, and reads what an answer says about
// limits into one [Advice].
//
// A [Printer] knows its quotas beforehand, refuses names that no field can carry when
// it is made, and prints in the dialects it is told: X-RateLimit fields with an epoch
// or a length of time, and RateLimit and RateLimit-Policy of draft 11. A refusal gets
// Retry-After, rounded up: whoever waits exactly what was printed is then allowed.
//
// [Parse] reads those and all the others that are in use: five generations of the
// IETF draft, six encodings of X-RateLimit-Reset, dates that are none, Meta's usage
// fields, and the bodies of refusals. What is malformed is left out and noted, and
// what is absurd is cut: an answer can make a caller slower, and never faster than
// its own limits, nor wait for ever.
//
// [PolicyAPI] lets clients see and choose the policy that they are under.
//
// [Middleware] puts a limiter in front of a handler, and answers who is refused in the
// words of a provider or of RFC 9457. A [Transport] is the other side: it does what a
// server's limit asks for, within what the caller can wait.
//
// Both take the time from a [limiter.Clock]. Nothing else reads one: the time is an
// argument. Nothing here starts a goroutine.
package headers
