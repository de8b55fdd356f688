package policy_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

func limits(p policy.Policy) map[string]policy.Limit {
	of := map[string]policy.Limit{}
	for _, r := range p.Rules {
		of[r.Name] = r.Limit
	}
	return of
}

func TestStrict(t *testing.T) {
	t.Parallel()
	p := policy.Strict()
	require.Equal(t, 1, p.ID)          // Wawp: "id": 1
	require.Equal(t, "strict", p.Slug) // Wawp: "slug": "strict"
	require.Equal(t, map[string]policy.Limit{
		"minute":        policy.SlidingWindow{Max: 8, Window: time.Minute},                     // Wawp: "send_message_per_minute": 8
		"day":           policy.CalendarWindow{Max: 200, Unit: policy.Day, Location: time.UTC}, // Wawp: "send_message_daily_cap": 200
		"gap":           policy.Gap{Min: 60 * time.Second, Max: 60 * time.Second},              // Wawp: "account_protection_seconds": 60
		"one_at_a_time": policy.Concurrency{Max: 1},                                            // Wawp: "concurrent_limit": 1
		"check_minute":  policy.SlidingWindow{Max: 10, Window: time.Minute},                    // ours
		"check_day":     policy.CalendarWindow{Max: 200, Unit: policy.Day, Location: time.UTC}, // ours: as many as sends
		"group_minute":  policy.SlidingWindow{Max: 10, Window: time.Minute},                    // WasenderAPI: "10 requests per minute"
	}, limits(p))
}

func TestStandard(t *testing.T) {
	t.Parallel()
	p := policy.Standard()
	require.Equal(t, "standard_policy", p.Slug) // Wawp: "free_policies": {"1": "standard_policy"}
	require.Equal(t, map[string]policy.Limit{
		"gap":           policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second},                // gateway: "fresh random 5–9s gap"
		"pause":         policy.Gap{Min: 30 * time.Second, Max: 60 * time.Second, Every: 20},   // gateway: "a 30–60s cool-down after every 20 messages"
		"day":           policy.CalendarWindow{Max: 500, Unit: policy.Day, Location: time.UTC}, // gateway: "default 500/day", "resets midnight UTC"
		"one_at_a_time": policy.Concurrency{Max: 1},                                            // gateway: "one message at a time"
		"check_minute":  policy.SlidingWindow{Max: 20, Window: time.Minute},                    // ours
		"check_day":     policy.CalendarWindow{Max: 500, Unit: policy.Day, Location: time.UTC}, // ours: as many as sends
		"group_minute":  policy.SlidingWindow{Max: 10, Window: time.Minute},                    // WasenderAPI: "10 requests per minute"
	}, limits(p))
}

func TestUnlimited(t *testing.T) {
	t.Parallel()
	require.Equal(t, "unlimited", policy.Unlimited().Slug)
	require.Empty(t, policy.Unlimited().Rules)
}

func TestPresetsNameTheirActions(t *testing.T) {
	t.Parallel()
	want := map[string]policy.Action{
		"gap": policy.SendMessage, "pause": policy.SendMessage, "minute": policy.SendMessage, "day": policy.SendMessage,
		"one_at_a_time": policy.SendMessage,
		"check_minute":  policy.CheckNumber, "check_day": policy.CheckNumber, "group_minute": policy.GroupInfo,
	}
	for _, offer := range policy.Presets().Offers {
		for _, r := range offer.Policy.Rules {
			require.Equal(t, []policy.Action{want[r.Name]}, r.Actions, r.Name)
			require.Empty(t, r.Scope)
		}
	}
}

func TestPresetsAreValidAndReadable(t *testing.T) {
	t.Parallel()
	for _, offer := range policy.Presets().Offers {
		require.NoError(t, offer.Policy.Validate())
		require.NotEmpty(t, offer.Policy.Name)
		require.NotEmpty(t, offer.Policy.Description)
		written, err := json.Marshal(offer.Policy)
		require.NoError(t, err)
		var read policy.Policy
		require.NoError(t, json.Unmarshal(written, &read))
		require.Equal(t, offer.Policy, read)
	}
}

func TestPresetsAreFresh(t *testing.T) {
	t.Parallel()
	for _, preset := range []func() policy.Policy{policy.Strict, policy.Standard} {
		spoiled := preset()
		spoiled.Rules[0] = policy.Rule{}
		spoiled.Rules[1].Actions[0] = "spoiled"
		require.NotEqual(t, spoiled, preset())
		require.NoError(t, preset().Validate())
		require.Equal(t, []policy.Action{policy.SendMessage}, preset().Rules[1].Actions)
	}
}
