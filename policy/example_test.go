package policy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/wapace/wapace/policy"
)

// A policy of one's own is a literal; Validate names everything that cannot be.
func Example() {
	mine := policy.Policy{
		Slug: "mine",
		Rules: []policy.Rule{
			{Name: "pace", Actions: []policy.Action{policy.SendMessage}, Limit: policy.Gap{Min: 9 * time.Second, Max: 5 * time.Second}},
			{Name: "day", Actions: []policy.Action{policy.SendMessage}, Limit: policy.CalendarWindow{Max: 500, Unit: "days"}},
		},
	}
	fmt.Println(mine.Validate())

	mine.Rules[0].Limit = policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}
	mine.Rules[1].Limit = policy.CalendarWindow{Max: 500, Unit: policy.Day, Location: time.UTC}
	fmt.Println(mine.Validate())
	// Output:
	// policy: rules[0].max: 5s: use at least min, 9s
	// policy: rules[1].unit: "days": use minute, hour, day, week or month
	// <nil>
}

func ExampleRead() {
	file := strings.NewReader(`{
		"slug": "mine",
		"rules": [
			{"name": "pace", "actions": ["send_message"], "type": "gap", "min": "5s", "max": "9s"},
			{"name": "hour", "type": "sliding_window", "max": 120, "window": "1h"}
		]
	}`)
	mine, err := policy.Read(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range mine.Rules {
		fmt.Printf("%s: %+v\n", r.Name, r.Limit)
	}
	// Output:
	// pace: {Min:5s Max:9s Every:0}
	// hour: {Max:120 Window:1h0m0s}
}

func ExampleRead_bad() {
	_, err := policy.Read(strings.NewReader(`{
		"rules": [
			{"name": "pace", "type": "gap", "min": "5 seconds", "max": "9s", "window": "1m"},
			{"name": "pace", "type": "concurrency"}
		]
	}`))
	fmt.Println(err)
	// Output:
	// policy: rules[0].min: "5 seconds": write a duration such as 5s, 1m30s or 24h
	// policy: rules[0].window: "1m": gap has no such field; leave it out, or use sliding_window, unique_recipients or new_contacts
	// policy: rules[1].max: missing: write a whole number
	// policy: rules[1].name: "pace": rules[0] has this name; choose another
}

func ExamplePolicy_MarshalJSON() {
	mine := policy.Policy{Slug: "mine", Rules: []policy.Rule{
		{Name: "pair", Limit: policy.TokenBucket{Max: 1, Per: 6 * time.Second, Burst: 45}},
	}}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(mine); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {
	//   "slug": "mine",
	//   "rules": [
	//     {
	//       "name": "pair",
	//       "type": "token_bucket",
	//       "max": 1,
	//       "per": "6s",
	//       "burst": 45
	//     }
	//   ]
	// }
}

// Hours that run over midnight belong to the day on which they begin: these end
// on Saturday and on Sunday at two in the morning.
func ExampleActiveHours() {
	late := policy.ActiveHours{
		From:     18 * time.Hour,
		To:       2 * time.Hour,
		Days:     policy.Days(time.Friday, time.Saturday),
		Location: time.UTC,
	}
	out, err := json.Marshal(policy.Policy{Rules: []policy.Rule{{Name: "late", Limit: late}}})
	fmt.Println(string(out), err)
	// Output:
	// {"rules":[{"name":"late","type":"active_hours","from":"18:00","to":"02:00","days":["fri","sat"],"location":"UTC"}]} <nil>
}

func ExampleDays() {
	weekend := policy.Days(time.Saturday, time.Sunday)
	fmt.Println(weekend, weekend.Has(time.Friday))
	fmt.Println(policy.Days(), policy.Days().Has(time.Friday))
	// Output:
	// sat,sun false
	// every day true
}

// A scope says whose budget a rule is, and a shadow rule tries a bound out.
func ExampleRule() {
	mine := policy.Policy{Rules: []policy.Rule{
		{
			Name:  "each recipient",
			Scope: policy.ScopeRecipient,
			Limit: policy.TokenBucket{Max: 1, Per: 6 * time.Second, Burst: 45},
		}, {
			Name:  "whole portfolio",
			Scope: policy.ScopePortfolio,
			Limit: policy.UniqueRecipients{Max: 250, Window: 24 * time.Hour},
		}, {
			Name:   "strangers, on trial",
			Limit:  policy.NewContacts{Max: 20, Window: 24 * time.Hour},
			Shadow: true,
		}, {
			Name:  "pace",
			Scope: policy.ScopePortfolio,
			Limit: policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second},
		},
	}}
	fmt.Println(mine.Validate())
	// Output:
	// policy: rules[3].scope: "portfolio": gap cannot have this scope; use account or recipient
}

func ExampleCatalog_Choose() {
	presets := policy.Presets()
	standard, err := presets.Choose("standard", false)
	fmt.Println(standard.Slug, err)

	_, err = presets.Choose("unlimited", false)
	fmt.Println(err)

	_, err = presets.Choose("fast", true)
	fmt.Println(err)
	// Output:
	// standard_policy <nil>
	// policy: the policy needs a paid plan: slug: "unlimited": choose strict or standard_policy, or upgrade
	// policy: unknown policy: slug: "fast": choose strict, standard_policy or unlimited
}

func ExampleFromRate() {
	bucket, err := policy.FromRate(rate.Every(6*time.Second), 45)
	fmt.Printf("%+v %v\n", bucket, err)

	back := bucket.Limiter()
	fmt.Println(back.Limit() == rate.Every(6*time.Second), back.Burst())

	_, err = policy.FromRate(rate.Inf, 1)
	fmt.Println(err)
	// Output:
	// {Max:1 Per:6s Burst:45} <nil>
	// true 45
	// policy: limit: 1.7976931348623157e+308: this is no limit; leave the rule out
}
