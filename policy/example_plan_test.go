package policy_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/wapace/wapace/policy"
)

func ExampleFor() {
	p, err := policy.For("wasender_paid_protected")
	fmt.Println(p.Name, err)

	_, err = policy.For("wasender")
	fmt.Println(err != nil)
	// Output:
	// WasenderAPI paid, protected <nil>
	// true
}

// Two providers' figures in one policy: the gaps send faster than the cap allows, and
// an hour cap is never reached.
func ExamplePolicy_Lint() {
	mine := policy.Policy{Rules: []policy.Rule{
		{Name: "gap", Limit: policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}},
		{Name: "minute", Limit: policy.SlidingWindow{Max: 8, Window: time.Minute}},
		{Name: "hour", Limit: policy.SlidingWindow{Max: 500, Window: time.Hour}},
	}}
	for _, w := range mine.Lint() {
		fmt.Printf("%s: %s\n", w.Trap, w)
	}
	// Output:
	// outpaces: rule "minute" allows 8 in 1m, and at the pace of "gap" it would be 8.6: sends go in lumps
	// never_binds: rule "hour" never refuses: "minute" allows at most 480 in 1h, and it allows 500
}

func ExamplePolicy_WorstCase() {
	standard := policy.Standard()
	fmt.Println(standard.WorstCase(time.Minute), standard.WorstCase(time.Hour), standard.WorstCase(24*time.Hour))
	// Output:
	// 12 580 1000
}

func ExampleLadder_Next() {
	now := time.Date(2026, time.May, 8, 12, 0, 0, 0, time.UTC)
	portfolio := policy.Account{
		Tier:       "TIER_2K",
		Quality:    policy.Green,
		UsedUnique: 360,
		UsedSince:  now.AddDate(0, 0, -5),
	}
	move, err := policy.MetaLadder().Next(portfolio, now)
	fmt.Println(move.Tier.Name, move.Reason, err)
	fmt.Println(move.Missing)
	// Output:
	// TIER_2K stays <nil>
	// need 640 more unique recipients in 2 days to reach 10,000
}

// Ten days old, and used on two of them: the number is where it was on its first day.
func ExampleWarmUp_At() {
	bought := time.Date(2026, time.May, 1, 9, 0, 0, 0, time.UTC)
	number := policy.History{
		Since: bought,
		Used:  []time.Time{bought, bought.AddDate(0, 0, 1)},
	}
	stage, err := policy.SlowWarmUp().At(number, bought.AddDate(0, 0, 10))
	fmt.Println(stage.Policy.Slug, err)
	fmt.Println(stage.UsedDays, "more day of use")
	// Output:
	// warm_up_20 <nil>
	// 1 more day of use
}

func ExampleWawpAnswer() {
	var answer policy.WawpAnswer
	err := json.Unmarshal([]byte(`{
		"current_policy": "strict",
		"free_policies": {"0": "strict"},
		"policies": {"0": {"id": 1, "slug": "strict", "limits": {"send_message_per_minute": 8, "account_protection_seconds": 60}, "available": true}}
	}`), &answer)
	if err != nil {
		fmt.Println(err)
		return
	}
	catalog, err := answer.Catalog()
	if err != nil {
		fmt.Println(err)
		return
	}
	chosen, err := catalog.Choose(answer.CurrentPolicy, answer.HasActivePlan)
	for _, r := range chosen.Rules {
		fmt.Printf("%s: %+v\n", r.Name, r.Limit)
	}
	fmt.Println(err)
	// Output:
	// minute: {Max:8 Window:1m0s}
	// gap: {Min:1m0s Max:1m0s Every:0}
	// <nil>
}
