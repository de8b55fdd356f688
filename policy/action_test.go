package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

func TestActionMatches(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, action policy.Action
		want            bool
	}{
		{policy.SendMessage, policy.SendMessage, true},
		{policy.SendMessage, policy.CheckNumber, false},
		{"POST /api/v1/media/*", "POST /api/v1/media/photo", true},
		{"POST /api/v1/media/*", "POST /api/v1/media/", true},
		{"POST /api/v1/media/*", "POST /api/v1/media", false},
		{"POST /api/v1/media/*", "GET /api/v1/media/photo", false},
		{"*", policy.SendMessage, true},
		{"*", "", true},
		{"a*b", "axb", false}, // only a trailing * is a pattern
		{"a*b", "a*b", true},
		{"a**", "a*", true},
		{"a**", "ab", false},
		{"send_message", "send_message*", false}, // an asked action is never a pattern
		{"", "", true},
		{"", "a", false},
		{"/api/v1/media/*", "GET /api/v1/media/photo", true},
		{"/api/v1/media/*", "POST /api/v1/media/photo", true},
		{"/api/v1/media/*", "/api/v1/media/photo", true},
		{"/api/v1/media/*", "GET /api/v2/media/photo", false},
		{"/api/v1/webhooks/test", "POST /api/v1/webhooks/test", true},
		{"/api/v1/webhooks/test", "POST /api/v1/webhooks/test2", false},
		{"/a b", "/a b", true},
		{"/*", "POST /", true},
		{"/*", "POST", false},
		{"/*", "POST x /", false}, // what follows a method is its path
		{"/*", policy.SendMessage, false},
		{"POST /api/v1/media/*", "/api/v1/media/photo", false},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, tt.pattern.Matches(tt.action), "%q matches %q", tt.pattern, tt.action)
	}
}

func TestRuleCovers(t *testing.T) {
	t.Parallel()
	require.True(t, policy.Rule{}.Covers("anything"), "no actions means all")
	require.True(t, policy.Rule{}.Covers(""))

	r := policy.Rule{Actions: []policy.Action{policy.GroupInfo, "upload_*"}}
	require.True(t, r.Covers(policy.GroupInfo))
	require.True(t, r.Covers(policy.UploadMedia))
	require.False(t, r.Covers(policy.SendMessage))
	require.False(t, r.Covers(""))
}
