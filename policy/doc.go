// Package policy says what an account may do, as plain data.
//
// A [Policy] is a named set of rules. A [Rule] is one budget: a [Limit], the
// actions that draw on it, and whose budget it is. All rules of a policy must
// hold. The kinds of limit are small structs:
//
//   - [TokenBucket]: Max per Per on average, Burst at once
//   - [SlidingWindow]: never more than Max in any Window
//   - [CalendarWindow]: Max per minute, hour, day, week or month
//   - [Gap]: a random pause after every Every-th send
//   - [Concurrency]: at most Max in flight
//   - [UniqueRecipients]: at most Max distinct recipients in any Window
//   - [NewContacts]: at most Max requests to new contacts in any Window
//   - [ActiveHours]: only from one time of day to another, on some days
//
// The package reads no clock, draws no number, does no I/O but the reader it is
// given, and holds no lock and no state. It does not know how much of a budget is
// spent: package limiter decides, and package queue waits and sends.
//
// # Which door
//
//   - A policy that ships with the library: [Strict], [Standard] or [Unlimited].
//   - One of them by the name a user wrote: [Catalog.Choose] of [Presets].
//   - A provider's own limits: [All], or [For] by slug. What Wawp answers is a
//     [WawpAnswer].
//   - The tiers of a provider, and what the next one takes: [MetaLadder],
//     [LegacyLadder] and [Ladder.Next].
//   - The policies of a new number: [SlowWarmUp], [FastWarmUp] and [WarmUp.At].
//   - One from a file: [Read]; inside other JSON, a field of type Policy.
//   - One in Go: a Policy literal, then [Policy.Validate].
//   - One from golang.org/x/time/rate: [FromRate], and [TokenBucket.Limiter] back.
//
// [Policy.Lint] warns of numbers that fight, and [Policy.WorstCase] says how many
// messages can go out in any minute, hour or day.
//
// A policy that cannot be gets an error that names every bad field at once, each
// a [*FieldError] with its path, its value and what to write instead.
package policy
