package main

import "github.com/wapace/wapace/policy"

// catalog is what customers choose from: strict as Wawp's own answer has it
// (https://api.wawp.net/v2/session/rate-limit), and the other presets of
// [policy.Presets]. Wawp gives strict no caps on look-ups; [policy.Strict] has some,
// and is the better choice where nobody has to answer as Wawp does.
func catalog() (policy.Catalog, error) {
	perMinute, perDay, protection, atOnce := int64(8), int64(200), int64(60), int64(1)
	strict, err := policy.WawpPolicy{
		ID:          1,
		Name:        "Strict",
		Slug:        "strict",
		Description: "Conservative limits for fresh or sensitive accounts.",
		Limits: policy.WawpLimits{
			SendMessagePerMinute:     &perMinute,
			SendMessageDailyCap:      &perDay,
			AccountProtectionSeconds: &protection,
			ConcurrentLimit:          &atOnce,
		},
	}.Policy()
	if err != nil {
		return policy.Catalog{}, err
	}
	offers := policy.Presets().Offers
	offers[0].Policy = strict
	return policy.Catalog{Offers: offers}, nil
}
