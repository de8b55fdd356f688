package policy

import "time"

// Standard is for a number in everyday use: on sends a gap of 5 to 9 s, after
// every 20 a pause of 30 to 60 s instead, 500 a UTC day and one at a time; on
// number checks 20 in any minute and 500 a UTC day; on group look-ups 10 in any
// minute.
//
// The figures on sends are those of an anti-ban gateway's published queue: one
// message at a time, a fresh random gap of 5-9 s, a cool-down of 30-60 s after
// every 20 messages, 500 a day by default with a reset at midnight UTC. It does
// not say whether the cool-down comes on top of the gap; here the longer holds.
// The gateway checks every number before it sends, so checks get as many a day
// as sends; that they are capped, and at 20 a minute, is this library's choice.
// Group look-ups are WasenderAPI's, 10 requests per minute for participants or
// metadata.
//
// [Policy.Lint] finds [UsedUpEarly] for the day, whose 500 are gone in 74 min, and
// [Doubles]: up to 1,000 go out in the hours around midnight.
//
// The slug standard_policy is Wawp's for its second free policy, whose figures
// Wawp does not publish.
func Standard() Policy {
	return Policy{
		Slug:        "standard_policy",
		Name:        "Standard",
		Description: "For numbers in everyday use: 5 to 9 s between messages, longer after every 20, 500 a day.",
		Rules: append(
			[]Rule{
				{Name: "gap", Actions: []Action{SendMessage}, Limit: Gap{Min: 5 * time.Second, Max: 9 * time.Second}},
				{Name: "pause", Actions: []Action{SendMessage}, Limit: Gap{Min: 30 * time.Second, Max: time.Minute, Every: 20}},
				{Name: "day", Actions: []Action{SendMessage}, Limit: CalendarWindow{Max: 500, Unit: Day, Location: time.UTC}},
				{Name: "one_at_a_time", Actions: []Action{SendMessage}, Limit: Concurrency{Max: 1}},
			},
			lookups(20, 500)...,
		),
	}
}

// GatewayAPI is the anti-ban gateway's limit on calls of its API, where the account
// is the key: 120 in any 15 minutes, whatever they do. Its queue paces the sends
// apart from it, under [Standard]. The figure is the gateway's default: 120 per key
// per 15 min, at the HTTP level.
//
// [Policy.Lint] finds [ManyChecks].
func GatewayAPI() Policy {
	return Policy{
		Slug:        "gateway_api",
		Name:        "Gateway API",
		Description: "Calls of the anti-ban gateway's API: 120 a key in 15 minutes.",
		Rules:       []Rule{{Name: "requests", Limit: SlidingWindow{Max: 120, Window: 15 * time.Minute}}},
	}
}

func gatewayPolicies() []Policy { return []Policy{GatewayAPI()} }

// lookups caps what is asked of WhatsApp rather than sent through it. Users report
// numbers banned for checks alone (whatsmeow issue 478).
func lookups(checksPerMinute, checksPerDay int64) []Rule {
	return []Rule{
		{Name: "check_minute", Actions: []Action{CheckNumber}, Limit: SlidingWindow{Max: checksPerMinute, Window: time.Minute}},
		{Name: "check_day", Actions: []Action{CheckNumber}, Limit: CalendarWindow{Max: checksPerDay, Unit: Day, Location: time.UTC}},
		{Name: "group_minute", Actions: []Action{GroupInfo}, Limit: SlidingWindow{Max: 10, Window: time.Minute}},
	}
}
