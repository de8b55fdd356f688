package policy_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

func TestAllAreValidAndReadable(t *testing.T) {
	t.Parallel()
	slugs := map[string]bool{}
	for _, p := range policy.All() {
		require.NoError(t, p.Validate())
		require.NotEmpty(t, p.Name, p.Slug)
		require.NotEmpty(t, p.Description, p.Slug)
		require.Regexp(t, `^[a-z0-9_]+$`, p.Slug)
		require.False(t, slugs[p.Slug], "%s is given twice", p.Slug)
		slugs[p.Slug] = true

		written, err := json.Marshal(p)
		require.NoError(t, err)
		var read policy.Policy
		require.NoError(t, json.Unmarshal(written, &read))
		require.Equal(t, p, read)
	}
	require.Len(t, slugs, 29)
}

func TestAllAreFresh(t *testing.T) {
	t.Parallel()
	want, err := json.Marshal(policy.All())
	require.NoError(t, err)
	for _, p := range policy.All() {
		for i := range p.Rules {
			for j := range p.Rules[i].Actions {
				p.Rules[i].Actions[j] = "spoiled"
			}
			p.Rules[i] = policy.Rule{}
		}
	}
	got, err := json.Marshal(policy.All())
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func TestFor(t *testing.T) {
	t.Parallel()
	for _, p := range policy.All() {
		got, err := policy.For(p.Slug)
		require.NoError(t, err)
		require.Equal(t, p, got)
	}
	got, err := policy.For("standard")
	require.NoError(t, err)
	require.Equal(t, policy.Standard(), got)

	for _, slug := range []string{"", "Strict", "meta"} {
		got, err := policy.For(slug)
		require.ErrorIs(t, err, policy.ErrUnknownPolicy)
		require.ErrorContains(t, err, "use strict, standard_policy, unlimited, wasender_trial,")
		require.Zero(t, got)
	}
}

// The figures of each provider, by slug and rule.
func TestProviderFigures(t *testing.T) {
	t.Parallel()
	const s, h = time.Second, time.Hour
	window := func(n int64, d time.Duration) policy.Limit { return policy.SlidingWindow{Max: n, Window: d} }
	wasender := map[string]policy.Limit{
		"group_minute":   window(10, 60*s),
		"picture_minute": window(60, 60*s),
		"check_minute":   window(60, 60*s),
	}
	plans := map[string]policy.Limit{
		"sessions":      window(5, h),
		"bulk":          window(1, 60*s),
		"media":         window(30, 60*s),
		"webhook_tests": window(5, h),
	}
	pair := policy.TokenBucket{Max: 1, Per: 6 * s, Burst: 45}
	for slug, want := range map[string]map[string]policy.Limit{
		"wasender_trial":           with(wasender, "minute", window(1, 60*s)),
		"wasender_trial_protected": with(with(wasender, "minute", window(1, 60*s)), "protection", window(1, 5*s)),
		"wasender_paid":            with(wasender, "minute", window(256, 60*s)),
		"wasender_paid_protected":  with(with(wasender, "minute", window(256, 60*s)), "protection", window(1, 5*s)),
		"free_plan":                with(with(with(plans, "minute", window(10, 60*s)), "hour", window(100, h)), "day", window(1_000, 24*h)),
		"basic_plan":               with(with(with(plans, "minute", window(60, 60*s)), "hour", window(1_000, h)), "day", window(10_000, 24*h)),
		"premium_plan":             with(with(with(plans, "minute", window(300, 60*s)), "hour", window(5_000, h)), "day", window(50_000, 24*h)),
		"enterprise_plan":          with(with(with(plans, "minute", window(1_000, 60*s)), "hour", window(20_000, h)), "day", window(200_000, 24*h)),
		"meta_tier_2k":             {"throughput": window(80, s), "pair": pair, "recipients": policy.UniqueRecipients{Max: 2_000, Window: 24 * h}},
		"meta_tier_unlimited":      {"throughput": window(80, s), "pair": pair},
		"meta_high":                {"throughput": window(1_000, s), "pair": pair},
		"meta_coexistence_tier_250": {
			"throughput": window(20, s), "pair": pair, "recipients": policy.UniqueRecipients{Max: 250, Window: 24 * h},
		},
		"whatsbiz_tier_1": {
			"throughput": window(80, s), "pair": pair, "media": window(25, s), "recipients": policy.UniqueRecipients{Max: 1_000, Window: 24 * h},
		},
		"whatsbiz_high": {"throughput": window(1_000, s), "pair": pair, "media": window(25, s)},
		"gateway_api":   {"requests": window(120, 15*60*s)},
	} {
		p, err := policy.For(slug)
		require.NoError(t, err)
		require.Equal(t, want, limits(p), slug)
	}
}

func with(limits map[string]policy.Limit, name string, l policy.Limit) map[string]policy.Limit {
	more := map[string]policy.Limit{name: l}
	for name, l := range limits {
		more[name] = l
	}
	return more
}

func TestWhoseRecipientsCount(t *testing.T) {
	t.Parallel()
	scope := func(p policy.Policy) policy.Scope {
		for _, r := range p.Rules {
			if r.Name == "recipients" {
				return r.Scope
			}
		}
		return "none"
	}
	for _, tier := range policy.MetaLadder().Tiers[:4] {
		require.Equal(t, policy.ScopePortfolio, scope(policy.Meta(tier)))
		require.Equal(t, policy.ScopePortfolio, scope(policy.MetaCoexistence(tier)))
	}
	for _, tier := range policy.LegacyLadder().Tiers[:4] {
		require.Equal(t, policy.ScopeAccount, scope(policy.WhatsBiz(tier)))
	}
}

func TestEndpointsByMethodAndPath(t *testing.T) {
	t.Parallel()
	covers := func(action policy.Action) (names []string) {
		for _, r := range policy.BasicPlan().Rules {
			if len(r.Actions) > 0 && r.Covers(action) {
				names = append(names, r.Name)
			}
		}
		return names
	}
	for action, want := range map[policy.Action][]string{
		"POST /api/v1/sessions":       {"sessions"},
		"GET /api/v1/sessions":        nil, // "/api/v1/sessions (POST)"
		"POST /api/v1/messages/bulk":  {"bulk"},
		"POST /api/v1/messages":       nil,
		"GET /api/v1/media/photo":     {"media"}, // "Media upload/download operations"
		"POST /api/v1/media/":         {"media"},
		"PURGE /api/v1/media/photo":   {"media"},
		"OPTIONS /api/v1/media/photo": {"media"},
		"POST /api/v1/webhooks/test":  {"webhook_tests"},
		"POST /api/v1/webhooks/tests": nil,
		policy.CreateSession:          {"sessions"},
		policy.BulkSend:               {"bulk"},
		policy.UploadMedia:            {"media"},
		policy.TestWebhook:            {"webhook_tests"},
		policy.SendMessage:            nil,
	} {
		require.Equal(t, want, covers(action), action)
	}
}
