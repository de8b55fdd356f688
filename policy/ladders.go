package policy

import "time"

// MetaLadder is Meta's messaging limits since 7 October 2025: 250, 2,000, 10,000,
// 100,000 and no limit of unique recipients in moving 24 hours, shared by all
// numbers of a business portfolio.
//
// From 250 it takes a verified business, or 2,000 unique recipients within 30
// days. From there on it takes half of the limit used within 7 days and high
// quality, and the next tier is given within 6 hours. Quality takes no tier away.
// The names are those of Meta's field whatsapp_business_manager_messaging_limit,
// the figures those of its page on messaging limits as of May 2026
// (https://developers.facebook.com/documentation/business-messaging/whatsapp).
//
// Meta counts only messages outside a customer-service window. This library is not
// told of those windows, so it counts replies as well.
func MetaLadder() Ladder {
	return Ladder{
		Name: "Meta, October 2025",
		Tiers: []Tier{
			{"TIER_250", 250},
			{"TIER_2K", 2_000},
			{"TIER_10K", 10_000},
			{"TIER_100K", 100_000},
			{"TIER_UNLIMITED", NoMax},
		},
		Scope:        ScopePortfolio,
		Window:       24 * time.Hour,
		VerifyFirst:  true,
		UsePercent:   50,
		UseWindow:    7 * 24 * time.Hour,
		MinQuality:   Green,
		Volume:       2_000,
		VolumeWindow: 30 * 24 * time.Hour,
		Delay:        6 * time.Hour,
	}
}

// LegacyLadder is the ladder from before, as WhatsBizAPI still gives it: 250,
// 1,000, 10,000, 100,000 and no limit of unique recipients in rolling 24 hours, for
// each number apart.
//
// From 250 it takes a verified business. From there on it takes half of the limit
// used within 7 days and high or medium quality. Low quality may cost a tier; here
// it does. WhatsBizAPI does not say how long an upgrade takes; Meta took up to 24
// hours then.
func LegacyLadder() Ladder {
	return Ladder{
		Name: "legacy",
		Tiers: []Tier{
			{"Unverified", 250},
			{"Tier 1", 1_000},
			{"Tier 2", 10_000},
			{"Tier 3", 100_000},
			{"Unlimited", NoMax},
		},
		Scope:          ScopeAccount,
		Window:         24 * time.Hour,
		VerifyFirst:    true,
		UsePercent:     50,
		UseWindow:      7 * 24 * time.Hour,
		MinQuality:     Yellow,
		Delay:          24 * time.Hour,
		DowngradeOnRed: true,
	}
}
