package policy

import "time"

// WasenderTrial is WasenderAPI's trial plan: 1 message in any minute.
//
// The figures are those of its page on rate limits: 1 request per minute for
// sending messages on the trial plan; and on every plan 10 requests per minute for
// group participants or metadata, 60 for contact pictures, and 60 to check whether
// a number is on WhatsApp. The page does not say where a minute starts; counted in
// any minute, no reading of it is broken.
//
// [Policy.Lint] finds [ManyChecks]: users report that far fewer than 60 checks a
// minute are answered with rate-overlimit, or cost the number.
func WasenderTrial() Policy {
	return Policy{
		Slug:        "wasender_trial",
		Name:        "WasenderAPI trial",
		Description: "WasenderAPI's trial plan: one message a minute.",
		Rules:       append([]Rule{wasenderSends(1)}, wasenderLookups()...),
	}
}

// WasenderTrialProtected is [WasenderTrial] with account protection on, which
// gives 1 request per 5 seconds and "overrides any other plan limits". Read by the
// letter it would loosen the trial plan twelvefold; here the strictest wins.
//
// [Policy.Lint] finds [ManyChecks], and [NeverBinds] for the protection: the trial
// plan is stricter.
func WasenderTrialProtected() Policy {
	return Policy{
		Slug:        "wasender_trial_protected",
		Name:        "WasenderAPI trial, protected",
		Description: "WasenderAPI's trial plan with account protection: one message a minute, as the strictest wins.",
		Rules:       append([]Rule{wasenderSends(1), wasenderProtection()}, wasenderLookups()...),
	}
}

// WasenderPaid is WasenderAPI's paid plans, from Basic to Enterprise: 256 messages
// in any minute, and the look-ups of [WasenderTrial], which names the source.
//
// [Policy.Lint] finds [ManyChecks].
func WasenderPaid() Policy {
	return Policy{
		Slug:        "wasender_paid",
		Name:        "WasenderAPI paid",
		Description: "WasenderAPI's paid plans: 256 messages a minute.",
		Rules:       append([]Rule{wasenderSends(256)}, wasenderLookups()...),
	}
}

// WasenderPaidProtected is [WasenderPaid] with account protection on: 1 message in
// any 5 s.
//
// [Policy.Lint] finds [ManyChecks], and [NeverBinds] for the plan's 256 a minute,
// of which the protection leaves 12.
func WasenderPaidProtected() Policy {
	return Policy{
		Slug:        "wasender_paid_protected",
		Name:        "WasenderAPI paid, protected",
		Description: "WasenderAPI's paid plans with account protection: one message in 5 s.",
		Rules:       append([]Rule{wasenderSends(256), wasenderProtection()}, wasenderLookups()...),
	}
}

func wasenderPolicies() []Policy {
	return []Policy{WasenderTrial(), WasenderTrialProtected(), WasenderPaid(), WasenderPaidProtected()}
}

func wasenderSends(perMinute int64) Rule {
	return Rule{Name: "minute", Actions: []Action{SendMessage}, Limit: SlidingWindow{Max: perMinute, Window: time.Minute}}
}

func wasenderProtection() Rule {
	return Rule{Name: "protection", Actions: []Action{SendMessage}, Limit: SlidingWindow{Max: 1, Window: 5 * time.Second}}
}

func wasenderLookups() []Rule {
	return []Rule{
		{Name: "group_minute", Actions: []Action{GroupInfo}, Limit: SlidingWindow{Max: 10, Window: time.Minute}},
		{Name: "picture_minute", Actions: []Action{ContactPicture}, Limit: SlidingWindow{Max: 60, Window: time.Minute}},
		{Name: "check_minute", Actions: []Action{CheckNumber}, Limit: SlidingWindow{Max: 60, Window: time.Minute}},
	}
}
