// Package limiter decides when an account may act under a [policy.Policy].
//
// A [Limiter] is a function of (state, time): every method takes the time to
// decide for, none reads a clock or waits, and nothing runs in the background.
// It refuses to know what a message is, how it is sent and who waits for it;
// package queue does that.
//
// [Limiter.Take] is the front door: it checks every rule that covers a request
// and charges all of them or none. The [Permit] it hands out is settled with what
// became of the request. [Limiter.Allow] is both in one call, for callers that do
// not report back. [Limiter.Check] and [Limiter.Gates] take nothing.
//
// # Answers
//
// A [Decision] is [Allowed], [Later], [Busy] or [Never]. Later is exact: asking
// again after RetryAfter is allowed, one nanosecond sooner is refused, unless
// something was taken, settled or held in between. Busy frees when a permit of the
// account is settled. Never does not free by waiting.
//
// # Holds, policies and snapshots
//
// [Limiter.Hold] stops an account, its new contacts, a recipient or a campaign
// until a time, with a reason. [Limiter.SetPolicy] puts an account under another
// policy and forgets nothing that it has spent. [Limiter.Snapshot] is all that the
// limiter knows of an account, for [Limiter.Restore] in a later process.
//
// [Wait] is the one thing here that waits: it stands in an account's line until a
// request is allowed. [Window] is a sliding window without accounts and rules.
//
// # Time
//
// Times with a monotonic reading, as [time.Now] gives them, are told apart by it,
// so a wall clock that is set changes nothing but calendar windows, and a caller
// that was overtaken, however long ago, is told of the latest time of the account.
// Times without one may step back: a step of up to a second reads as the latest
// time, a larger one starts every running wait again, in full, from the new time,
// once. Give one account times of one sort.
//
// A calendar count never moves to the window before its own. If the clock turns out
// to have been further ahead than that, the count goes to the window in which its
// last charge was made by the clock as it is now, so that a clock that ran a year
// ahead locks nobody out for a year.
package limiter
