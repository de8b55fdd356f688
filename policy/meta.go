package policy

import "time"

// Meta is a number on Meta's Cloud API in the given tier of [MetaLadder]: 80
// messages in any second, to one recipient 1 in 6 s with 45 at once, and the tier's
// unique recipients for the whole portfolio.
//
// The figures are those of Meta's pages on throughput and messaging limits as of
// May 2026 (https://developers.facebook.com/documentation/business-messaging/whatsapp). The 80 a second are sent and received
// messages together; this library counts only those that are sent, so leave room
// for answers. The pair limit lets up to 45 messages go at once and borrows them
// from later: a bucket of 45 that fills by 1 in 6 s. Which sends do not count
// against the tier at Meta is said at [MetaLadder].
//
// [Policy.Lint] finds [UncappedChecks]: the Cloud API has no number checks to cap.
func Meta(t Tier) Policy {
	return Policy{
		Slug:        "meta_" + t.slug(),
		Name:        "Meta " + t.Name,
		Description: "Meta's Cloud API: 80 messages a second, and the tier's recipients for the whole portfolio.",
		Rules:       append(cloud(80), MetaLadder().Rules(t)...),
	}
}

// MetaHigh is [Meta] with the throughput of 1,000 messages a second. Meta gives it
// to portfolios without a recipient limit that reach 100,000 unique users in rolling
// 24 hours at medium quality or better.
//
// [Policy.Lint] finds [UncappedChecks], as in [Meta].
func MetaHigh() Policy {
	return Policy{
		Slug:        "meta_high",
		Name:        "Meta, high throughput",
		Description: "Meta's Cloud API for large senders: 1,000 messages a second.",
		Rules:       cloud(1_000),
	}
}

// MetaCoexistence is [Meta] for a number that is used with the Business app too,
// for which Meta has fixed the throughput at 20 messages a second.
//
// [Policy.Lint] finds [UncappedChecks], as in [Meta].
func MetaCoexistence(t Tier) Policy {
	return Policy{
		Slug:        "meta_coexistence_" + t.slug(),
		Name:        "Meta coexistence " + t.Name,
		Description: "Meta's Cloud API beside the Business app: 20 messages a second, and the tier's recipients for the whole portfolio.",
		Rules:       append(cloud(20), MetaLadder().Rules(t)...),
	}
}

func metaPolicies() []Policy {
	var policies []Policy
	for _, t := range MetaLadder().Tiers {
		policies = append(policies, Meta(t))
	}
	policies = append(policies, MetaHigh())
	for _, t := range MetaLadder().Tiers {
		policies = append(policies, MetaCoexistence(t))
	}
	return policies
}

// cloud is what the Cloud API asks of every number.
func cloud(perSecond int64) []Rule {
	return []Rule{
		{Name: "throughput", Actions: []Action{SendMessage}, Limit: SlidingWindow{Max: perSecond, Window: time.Second}},
		{Name: "pair", Actions: []Action{SendMessage}, Scope: ScopeRecipient, Limit: TokenBucket{Max: 1, Per: 6 * time.Second, Burst: 45}},
	}
}
