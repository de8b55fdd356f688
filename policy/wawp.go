package policy

import "time"

// Strict is for a new or sensitive number: on sends a gap of 60 s, 8 in any
// minute, 200 a UTC day and one at a time; on number checks 10 in any minute and
// 200 a UTC day; on group look-ups 10 in any minute. Of the bounds on sends the
// gap is the one that binds: it lets 1 a minute through, so 8 is never reached.
//
// The figures on sends are those of Wawp's policy strict
// (https://api.wawp.net/v2/session/rate-limit): send_message_per_minute 8,
// send_message_daily_cap 200, account_protection_seconds 60, concurrent_limit 1.
// Wawp does not say what the 60 seconds are or when a day starts; a gap is the
// safest reading, and the day is UTC's as in [Standard]. Wawp's answer has fields
// for checks and group look-ups without figures. Checks get as many a day as
// sends here; that checks are capped at all, and at 10 a minute, is this
// library's choice. Group look-ups are WasenderAPI's, 10 requests per minute for
// participants or metadata.
//
// [Policy.Lint] finds [NeverBinds] for the 8 a minute, [UsedUpEarly] for the day,
// whose 200 are gone in 3 h 20 min at one a minute, and [Doubles]: up to 400 go out
// in the 24 hours around midnight.
func Strict() Policy {
	return Policy{
		ID:          1,
		Slug:        "strict",
		Name:        "Strict",
		Description: "Conservative limits for fresh or sensitive accounts.",
		Rules: append(
			[]Rule{
				{Name: "gap", Actions: []Action{SendMessage}, Limit: Gap{Min: time.Minute, Max: time.Minute}},
				{Name: "minute", Actions: []Action{SendMessage}, Limit: SlidingWindow{Max: 8, Window: time.Minute}},
				{Name: "day", Actions: []Action{SendMessage}, Limit: CalendarWindow{Max: 200, Unit: Day, Location: time.UTC}},
				{Name: "one_at_a_time", Actions: []Action{SendMessage}, Limit: Concurrency{Max: 1}},
			},
			lookups(10, 200)...,
		),
	}
}
