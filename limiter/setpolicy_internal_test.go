package limiter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// Plans is how many plans the limiter has made, for tests.
func (l *Limiter) Plans() int { return len(*l.plans.all.Load()) }

// The limiter numbers plans with 16 bits and says so when they run out; the
// accounts that have one keep it.
func TestPlansRunOut(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	of := func(n int64) policy.Policy {
		return policy.Policy{Slug: "mine", Rules: []policy.Rule{{Name: "r", Limit: policy.SlidingWindow{Max: n, Window: time.Hour}}}}
	}
	l, err := New(of(0), nil)
	require.NoError(t, err)
	full := make([]*plan, mostPlans)
	for i := range full {
		full[i] = l.plan
	}
	l.plans.all.Store(&full)
	for range 2 {
		err = l.SetPolicy(now, "a", of(1))
		require.EqualError(t, err, `limiter: policy "mine": accounts have 65535 different policies already; share them`)
	}
	require.NoError(t, l.SetPolicy(now, "a", of(0)))
	require.Equal(t, mostPlans, l.Plans())
}
