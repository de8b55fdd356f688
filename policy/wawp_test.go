package policy_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// wawpExample is the example answer of Wawp's page on session rate limits.
const wawpExample = `{
"status": "success",
"current_policy": "standard_policy",
"has_active_plan": false,
"free_policies": {
  "0": "strict",
  "1": "standard_policy"
  },
"policies": {
  "0": {
    "id": 1,
    "name": "Strict",
    "slug": "strict",
    "description": "Conservative limits for fresh or sensitive accounts.",
    "limits": {
      "send_message_per_minute": 8,
      "send_message_daily_cap": 200,
      "account_protection_seconds": 60,
      "concurrent_limit": 1
      },
    "available": true
    }
  }
}`

func TestWawpExample(t *testing.T) {
	t.Parallel()
	var a policy.WawpAnswer
	require.NoError(t, json.Unmarshal([]byte(wawpExample), &a))
	require.Equal(t, "success", a.Status)
	require.Equal(t, "standard_policy", a.CurrentPolicy)
	require.False(t, a.HasActivePlan)
	require.Equal(t, []string{"strict", "standard_policy"}, a.FreePolicies)
	require.Len(t, a.Policies, 1)
	require.True(t, a.Policies[0].Available)

	strict, err := a.Policies[0].Policy()
	require.NoError(t, err)
	require.NoError(t, strict.Validate())
	preset := policy.Strict()
	require.Equal(t, preset.ID, strict.ID)
	require.Equal(t, preset.Name, strict.Name)
	require.Equal(t, preset.Slug, strict.Slug)
	require.Equal(t, preset.Description, strict.Description)
	require.Subset(t, preset.Rules, strict.Rules)
	require.Len(t, strict.Rules, 4)

	c, err := a.Catalog()
	require.NoError(t, err)
	chosen, err := c.Choose("strict", false)
	require.NoError(t, err)
	require.Equal(t, strict, chosen)
	_, err = c.Choose("standard_policy", true)
	require.ErrorIs(t, err, policy.ErrUnknownPolicy, "a free slug without limits is no policy that allows everything")

	written, err := json.Marshal(a)
	require.NoError(t, err)
	require.JSONEq(t, wawpExample, string(written))
}

// The answer from the presets has every field of Wawp's example, with its value.
func TestWawpAnswerOfPresets(t *testing.T) {
	t.Parallel()
	written, err := json.Marshal(policy.Presets().WawpAnswer("standard_policy", false))
	require.NoError(t, err)
	var want, got map[string]any
	require.NoError(t, json.Unmarshal([]byte(wawpExample), &want))
	require.NoError(t, json.Unmarshal(written, &got))
	holds(t, "answer", want, got)

	policies, ok := got["policies"].(map[string]any)
	require.True(t, ok)
	require.Len(t, policies, 3)
	unlimited, ok := policies["2"].(map[string]any)
	require.True(t, ok)
	require.Equal(t, false, unlimited["available"])
	require.Empty(t, unlimited["limits"])

	paid := policy.Presets().WawpAnswer("unlimited", true)
	for _, p := range paid.Policies {
		require.True(t, p.Available)
	}
	require.Equal(t, []string{"strict", "standard_policy"}, paid.FreePolicies)
}

// holds requires that got has all of want.
func holds(t *testing.T, path string, want, got any) {
	t.Helper()
	fields, isObject := want.(map[string]any)
	if !isObject {
		require.Equal(t, want, got, path)
		return
	}
	has, ok := got.(map[string]any)
	require.True(t, ok, path)
	for name, value := range fields {
		require.Contains(t, has, name, path)
		holds(t, path+"."+name, value, has[name])
	}
}

func of(n int64) *int64 { return &n }

func utcDay(n int64) policy.Limit {
	return policy.CalendarWindow{Max: n, Unit: policy.Day, Location: time.UTC}
}

func TestWawpLimitsBothWays(t *testing.T) {
	t.Parallel()
	all := policy.WawpLimits{
		SendMessagePerMinute:     of(8),
		SendMessageDailyCap:      of(200),
		AccountProtectionSeconds: of(60),
		ConcurrentLimit:          of(2),
		GroupReqPerMinute:        of(3),
		GroupDailyCap:            of(30),
		CheckReqPerMinute:        of(4),
		CheckDailyCap:            of(0),
	}
	rules, err := all.Rules()
	require.NoError(t, err)
	require.Equal(t, map[string]policy.Limit{
		"minute":       policy.SlidingWindow{Max: 8, Window: time.Minute},
		"day":          utcDay(200),
		"gap":          policy.Gap{Min: time.Minute, Max: time.Minute},
		"concurrent":   policy.Concurrency{Max: 2},
		"group_minute": policy.SlidingWindow{Max: 3, Window: time.Minute},
		"group_day":    utcDay(30),
		"check_minute": policy.SlidingWindow{Max: 4, Window: time.Minute},
		"check_day":    utcDay(0),
	}, limits(policy.Policy{Rules: rules}))
	back, unsaid := policy.Policy{Rules: rules}.WawpLimits()
	require.Equal(t, all, back)
	require.Empty(t, unsaid)

	// No protection is no gap: one of 0 s would let one message go at a time.
	free, err := policy.WawpLimits{AccountProtectionSeconds: of(0), ConcurrentLimit: of(5)}.Rules()
	require.NoError(t, err)
	require.Equal(t, map[string]policy.Limit{"concurrent": policy.Concurrency{Max: 5}}, limits(policy.Policy{Rules: free}))

	none, err := policy.WawpLimits{}.Rules()
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestWawpLimitsNeverLooserThanRules(t *testing.T) {
	t.Parallel()
	said, unsaid := policy.Standard().WawpLimits()
	require.Equal(t, policy.WawpLimits{
		SendMessageDailyCap:      of(500),
		AccountProtectionSeconds: of(9), // the longest of 5 to 9 s
		ConcurrentLimit:          of(1),
		GroupReqPerMinute:        of(10),
		CheckReqPerMinute:        of(20),
		CheckDailyCap:            of(500),
	}, said)
	require.Equal(t, policy.Standard().Rules[:2], unsaid)

	send := []policy.Action{policy.SendMessage}
	said, unsaid = policy.Policy{Rules: []policy.Rule{
		{Name: "a", Actions: send, Limit: policy.SlidingWindow{Max: 8, Window: time.Minute}},
		{Name: "b", Actions: send, Limit: policy.SlidingWindow{Max: 5, Window: time.Minute}},
		{Name: "c", Actions: send, Limit: policy.SlidingWindow{Max: 7, Window: time.Minute}},
		{Name: "d", Actions: send, Limit: policy.Gap{Min: 2 * time.Second, Max: 2 * time.Second}},
		{Name: "e", Actions: send, Limit: policy.Gap{Min: 1500 * time.Millisecond, Max: 2001 * time.Millisecond}},
		{Name: "f", Actions: send, Limit: policy.Gap{Min: time.Second, Max: time.Second}},
		{Name: "no pause", Actions: send, Limit: policy.Gap{}}, // but one at a time
		{Name: "shadow", Actions: send, Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}, Shadow: true},
		{Name: "pair", Actions: send, Scope: policy.ScopeRecipient, Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}},
		{Name: "everything", Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}},
		{Name: "elsewhere", Actions: []policy.Action{policy.UploadMedia}, Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}},
		{Name: "london", Actions: send, Limit: policy.CalendarWindow{Max: 1, Unit: policy.Day, Location: zone(t, "Europe/London")}},
	}}.WawpLimits()
	require.Equal(t, policy.WawpLimits{SendMessagePerMinute: of(5), AccountProtectionSeconds: of(3)}, said)
	var names []string
	for _, r := range unsaid {
		names = append(names, r.Name)
	}
	require.Equal(t, []string{"e", "no pause", "shadow", "pair", "everything", "elsewhere", "london"}, names)
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	require.NoError(t, err)
	return l
}

func TestWawpListsAndKeyedObjects(t *testing.T) {
	t.Parallel()
	one := `{"slug":"a","limits":{"send_message_daily_cap":1}}`
	two := `{"slug":"b","limits":[],"new":[1],"available":true}`
	for _, data := range []string{
		`{"free_policies":["x","y"],"policies":[` + one + `,` + two + `]}`,
		`{"free_policies":{"1":"y","0":"x"},"policies":{"10":` + two + `,"2":` + one + `},"more":null}`,
	} {
		var a policy.WawpAnswer
		require.NoError(t, json.Unmarshal([]byte(data), &a))
		require.Equal(t, []string{"x", "y"}, a.FreePolicies)
		require.Equal(t, []policy.WawpPolicy{
			{Slug: "a", Limits: policy.WawpLimits{SendMessageDailyCap: of(1)}},
			{Slug: "b", Available: true},
		}, a.Policies)
	}
	for _, data := range []string{`{}`, `{"free_policies":null,"policies":null}`, `{"free_policies":{},"policies":[]}`} {
		var a policy.WawpAnswer
		require.NoError(t, json.Unmarshal([]byte(data), &a))
		require.Zero(t, a)
	}
	written, err := json.Marshal(policy.WawpAnswer{})
	require.NoError(t, err)
	require.JSONEq(t, `{"status":"","current_policy":"","has_active_plan":false,"free_policies":{},"policies":{}}`, string(written))
}

func TestWawpErrorsAllAtOnce(t *testing.T) {
	t.Parallel()
	before := policy.WawpAnswer{Status: "before"}
	a := before
	err := json.Unmarshal([]byte(`{
		"status": 1, "current_policy": {}, "has_active_plan": "no",
		"free_policies": {"0": 7, "01": "a", "x": "b", "0": "c"},
		"policies": {
			"0": null,
			"1": {"id": -1, "limits": {"send_message_per_minute": "8", "send_message_daily_cap": -1, "per_hour": 5}},
			"2": {"slug": "a", "slug": "b", "limits": {"account_protection_seconds": 9223372036854775807, "concurrent_limit": 1.5}},
			"3": {"slug": "c"},
			"4": {"slug": "d", "limits": 7}
		}
	}`), &a)
	require.ErrorIs(t, err, policy.ErrInvalid)
	require.ElementsMatch(t, []string{
		`policy: status: 1: write a text`,
		`policy: current_policy: an object: write a slug`,
		`policy: has_active_plan: "no": write true or false`,
		`policy: free_policies.01: "a": use the keys "0", "1" and so on`,
		`policy: free_policies.x: "b": use the keys "0", "1" and so on`,
		`policy: free_policies.0: "c": given twice; keep one`,
		`policy: policies.0: null: write a policy as an object`,
		`policy: policies.1.id: -1: use 0 for none, or more`,
		`policy: policies.1.slug: missing: write the policy's slug`,
		`policy: policies.1.limits.send_message_per_minute: "8": write a whole number`,
		`policy: policies.1.limits.send_message_daily_cap: -1: use 0 or more, or leave it out for no limit`,
		`policy: policies.1.limits.per_hour: 5: unknown limit; known are send_message_per_minute, send_message_daily_cap, ` +
			`account_protection_seconds, concurrent_limit, group_req_per_minute, group_daily_cap, check_req_per_minute and check_daily_cap`,
		`policy: policies.2.slug: "b": given twice; keep one`,
		`policy: policies.2.limits.account_protection_seconds: 9223372036854775807: use at most 3155760000`,
		`policy: policies.2.limits.concurrent_limit: 1.5: write a whole number`,
		`policy: policies.3.limits: missing: write the limits as an object such as {"send_message_daily_cap":200}`,
		`policy: policies.4.limits: 7: write the limits as an object such as {"send_message_daily_cap":200}`,
	}, messages(err))
	require.Equal(t, before, a, "an error changes nothing")

	bad := policy.WawpAnswer{Policies: []policy.WawpPolicy{
		{ID: -1, Slug: "\xff", Limits: policy.WawpLimits{CheckDailyCap: of(-5)}},
		{ID: -2, Limits: policy.WawpLimits{CheckDailyCap: of(-6)}},
	}}
	_, err = bad.Catalog()
	require.Len(t, messages(err), 5)
	_, err = json.Marshal(bad)
	require.ErrorIs(t, err, policy.ErrInvalid)
	_, err = bad.Policies[0].Policy()
	require.Len(t, messages(err), 3)
	_, err = policy.WawpLimits{AccountProtectionSeconds: of(1 << 62)}.Rules()
	require.EqualError(t, err, "policy: account_protection_seconds: 4611686018427387904: use at most 3155760000")
}

// FuzzWawpAnswer holds reading to its word for any bytes: no panic, an error that
// names fields, or an answer whose policies are valid and which writes and reads
// back as itself.
func FuzzWawpAnswer(f *testing.F) {
	f.Add([]byte(wawpExample))
	f.Add([]byte(`{"policies":{"0":{"slug":"a","limits":{"account_protection_seconds":3155760000}},"5":{}}}`))
	f.Add([]byte(`{"policies":[{"slug":"a","limits":{"account_protection_seconds":0}}]}`))
	f.Add([]byte(`{"policies":[{"slug":"a","limits":[]}],"free_policies":{"-1":"a"}}`))
	f.Add([]byte(`{"policies":{"9223372036854775807":{"limits":{"check_daily_cap":-0}}}}`))
	f.Add([]byte(`{"free_policies":[null,[],{}],"policies":{"":{}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var a policy.WawpAnswer
		if err := a.UnmarshalJSON(data); err != nil {
			var field *policy.FieldError
			require.ErrorAs(t, err, &field)
			require.NotEmpty(t, field.Remedy)
			require.Zero(t, a)
			return
		}
		c, err := a.Catalog()
		require.NoError(t, err)
		for i, o := range c.Offers {
			require.NoError(t, o.Policy.Validate())
			limits, unsaid := o.Policy.WawpLimits()
			want := a.Policies[i].Limits
			if p := want.AccountProtectionSeconds; p != nil && *p == 0 {
				want.AccountProtectionSeconds = nil // which is the same
			}
			require.Equal(t, want, limits)
			require.Empty(t, unsaid)
		}
		written, err := json.Marshal(a)
		require.NoError(t, err)
		var back policy.WawpAnswer
		err = back.UnmarshalJSON(written)
		if err != nil && len(data) > 1<<16 {
			return // escapes may carry a long text over the bound
		}
		require.NoError(t, err)
		require.Equal(t, a, back)
	})
}
