package policy

import "time"

// FreePlan is the free plan of a WhatsApp API with a ladder of plans: 10 requests
// in any minute, 100 in any hour and 1,000 in any 24 hours, whatever they do.
//
// The figures are those of the API's page on rate limits. Regardless of the plan it
// allows 5 requests per hour to POST /api/v1/sessions, 1 per minute to
// /api/v1/messages/bulk, 30 per minute to /api/v1/media/* and 5 per hour to
// /api/v1/webhooks/test; they count against the plan too. Each of the four is one
// budget for the named action and for the endpoint as an action, whatever its
// method, but for sessions, of which the page names POST. The page does not say where
// a window starts; counted in any window, no reading of it is broken.
//
// [Policy.Lint] finds [UsedUpEarly] for the hour, which the minute's pace uses up
// in 10 min, and for the day, which the hour's uses up in 10 h, and [NeverBinds]
// for media: the plan has less for everything.
func FreePlan() Policy { return plan("free_plan", "Free plan", 10, 100, 1_000) }

// BasicPlan is the second plan of [FreePlan]'s API: 60 requests in any minute,
// 1,000 in any hour and 10,000 in any 24 hours.
//
// [Policy.Lint] finds [UsedUpEarly] for the hour (16 min 40 s) and the day (10 h),
// and [ManyChecks].
func BasicPlan() Policy { return plan("basic_plan", "Basic plan", 60, 1_000, 10_000) }

// PremiumPlan is the third plan of [FreePlan]'s API: 300 requests in any minute,
// 5,000 in any hour and 50,000 in any 24 hours.
//
// [Policy.Lint] finds [UsedUpEarly] for the hour (16 min 40 s) and the day (10 h),
// and [ManyChecks].
func PremiumPlan() Policy { return plan("premium_plan", "Premium plan", 300, 5_000, 50_000) }

// EnterprisePlan is the last plan of [FreePlan]'s API: 1,000 requests in any
// minute, 20,000 in any hour and 200,000 in any 24 hours.
//
// [Policy.Lint] finds [UsedUpEarly] for the hour (20 min) and the day (10 h), and
// [ManyChecks].
func EnterprisePlan() Policy {
	return plan("enterprise_plan", "Enterprise plan", 1_000, 20_000, 200_000)
}

func planPolicies() []Policy {
	return []Policy{FreePlan(), BasicPlan(), PremiumPlan(), EnterprisePlan()}
}

func plan(slug, name string, minute, hour, day int64) Policy {
	return Policy{
		Slug:        slug,
		Name:        name,
		Description: "A plan that counts requests of any kind, and caps four endpoints apart.",
		Rules: []Rule{
			{Name: "minute", Limit: SlidingWindow{Max: minute, Window: time.Minute}},
			{Name: "hour", Limit: SlidingWindow{Max: hour, Window: time.Hour}},
			{Name: "day", Limit: SlidingWindow{Max: day, Window: 24 * time.Hour}},
			{Name: "sessions", Actions: []Action{CreateSession, "POST /api/v1/sessions"}, Limit: SlidingWindow{Max: 5, Window: time.Hour}},
			{Name: "bulk", Actions: []Action{BulkSend, "/api/v1/messages/bulk"}, Limit: SlidingWindow{Max: 1, Window: time.Minute}},
			{Name: "media", Actions: []Action{UploadMedia, "/api/v1/media/*"}, Limit: SlidingWindow{Max: 30, Window: time.Minute}},
			{Name: "webhook_tests", Actions: []Action{TestWebhook, "/api/v1/webhooks/test"}, Limit: SlidingWindow{Max: 5, Window: time.Hour}},
		},
	}
}
