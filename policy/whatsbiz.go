package policy

import "time"

// WhatsBiz is a number at WhatsBizAPI in the given tier of [LegacyLadder]: 80
// messages in any second, 25 media uploads in any second, and the tier's unique
// recipients in rolling 24 hours.
//
// The figures are those of its page "Rate Limits & Best Practices" (API Reference
// v1.0): 80 messages/sec by default, 25 requests/sec per phone number for media, and
// the tiers. What goes to one recipient is Meta's pair limit, as in [Meta], on which
// WhatsBizAPI stands.
//
// [Policy.Lint] finds [PerNumber] where the tier has a limit, as the page does not
// have Meta's of October 2025 yet, and [UncappedChecks], as in [Meta].
func WhatsBiz(t Tier) Policy {
	return Policy{
		Slug:        "whatsbiz_" + t.slug(),
		Name:        "WhatsBizAPI " + t.Name,
		Description: "WhatsBizAPI: 80 messages and 25 uploads a second, and the tier's recipients for the number.",
		Rules:       append(append(cloud(80), whatsBizMedia()), LegacyLadder().Rules(t)...),
	}
}

// WhatsBizHigh is [WhatsBiz] for high-tier accounts with an approved throughput of
// 1,000 messages a second, and no recipient limit.
//
// [Policy.Lint] finds [UncappedChecks], as in [Meta].
func WhatsBizHigh() Policy {
	return Policy{
		Slug:        "whatsbiz_high",
		Name:        "WhatsBizAPI, high throughput",
		Description: "WhatsBizAPI for high-tier accounts: 1,000 messages and 25 uploads a second.",
		Rules:       append(cloud(1_000), whatsBizMedia()),
	}
}

func whatsBizPolicies() []Policy {
	var policies []Policy
	for _, t := range LegacyLadder().Tiers {
		policies = append(policies, WhatsBiz(t))
	}
	return append(policies, WhatsBizHigh())
}

func whatsBizMedia() Rule {
	return Rule{Name: "media", Actions: []Action{UploadMedia}, Limit: SlidingWindow{Max: 25, Window: time.Second}}
}
