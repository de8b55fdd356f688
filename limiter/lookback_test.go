package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// To look at a time that is long past changes nothing, for whatever kind of limit,
// whether or not the clock is set back later.
func TestLookingBackChangesNothing(t *testing.T) {
	t.Parallel()
	kinds := full()
	kinds["people"] = fillable{policy.UniqueRecipients{Max: 1, Window: time.Minute}, 1, time.Minute}
	for name, tt := range kinds {
		for _, scope := range []policy.Scope{policy.ScopeAccount, policy.ScopeRecipient, policy.ScopePortfolio} {
			rule := policy.Rule{Name: "only", Scope: scope, Limit: tt.limit}
			if (policy.Policy{Rules: []policy.Rule{rule}}).Validate() != nil {
				continue
			}
			l := newLimiter(t, policy.Policy{Rules: []policy.Rule{rule}})
			req := limiter.Request{Account: alice, Action: policy.SendMessage, Recipient: "r", Portfolio: "p", Cost: tt.cost}
			permit, d := l.Take(monday, req)
			require.Equal(t, limiter.Allowed, d.Answer, name)
			permit.Settle(monday, limiter.Sent)
			if req.Cost = 1; name == "people" {
				req.Recipient = "another"
			}
			saved := func() [2][]byte {
				b, err := l.SnapshotPortfolio(monday, "p")
				require.NoError(t, err)
				return [2][]byte{snapshot(t, l, monday), b}
			}
			before := saved()
			past := monday.AddDate(-6, 0, 0)
			require.Equal(t, limiter.Later, l.Check(past, req).Answer, name)
			l.Gates(past.Add(time.Hour), req)
			_, err := l.Forecast(past, req, 3)
			require.NoError(t, err)
			require.Equal(t, before, saved(), "%s by %s", name, scope)
			require.Equal(t, tt.free, l.Check(monday, req).RetryAfter, "%s by %s", name, scope)

			// Now it is set back, and whoever looks before it asks is told once.
			now := monday.Add(-2 * time.Hour)
			d = l.Check(now, req)
			require.Equal(t, limiter.Later, d.Answer, name)
			require.LessOrEqual(t, tt.free, d.RetryAfter+2*time.Hour, "%s by %s", name, scope)
			require.NotEqual(t, limiter.Allowed, l.Check(now.Add(d.RetryAfter-1), req).Answer, name)
			require.Equal(t, d.RetryAfter/2, l.Check(now.Add(d.RetryAfter-d.RetryAfter/2), req).RetryAfter, "%s by %s", name, scope)
			require.Equal(t, before, saved(), "%s by %s", name, scope)
			require.Equal(t, limiter.Allowed, l.Allow(now.Add(d.RetryAfter), req).Answer, "%s by %s", name, scope)
		}
	}
}
