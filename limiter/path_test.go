package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A path without a method is one budget for all methods.
func TestPathCoversEveryMethod(t *testing.T) {
	t.Parallel()
	l, err := limiter.New(policy.Policy{Rules: []policy.Rule{{
		Name:    "webhook_tests",
		Actions: []policy.Action{"/api/v1/webhooks/test"},
		Limit:   policy.SlidingWindow{Max: 2, Window: time.Hour},
	}}}, nil)
	require.NoError(t, err)
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	ask := func(action policy.Action) limiter.Decision {
		return l.Allow(now, limiter.Request{Account: "key", Action: action})
	}
	require.EqualValues(t, 1, ask("POST /api/v1/webhooks/test").Remaining)
	require.EqualValues(t, 0, ask("GET /api/v1/webhooks/test").Remaining)
	require.Equal(t, "webhook_tests", ask("PURGE /api/v1/webhooks/test").Rule)
	require.Equal(t, limiter.Later, ask("/api/v1/webhooks/test").Answer)
	require.Empty(t, ask("POST /api/v1/webhooks/test/again").Rule)
}
