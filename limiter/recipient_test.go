package limiter_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// An account's charge is kept whatever records its recipients need, and theirs too.
func TestNewRecipientsLoseNoCharge(t *testing.T) {
	t.Parallel()
	const n = 1000
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
		{Name: "account", Limit: policy.CalendarWindow{Max: n, Unit: policy.Day}},
		{Name: "recipient", Scope: policy.ScopeRecipient, Limit: policy.CalendarWindow{Max: 1, Unit: policy.Day}},
	}})
	to := func(i int) limiter.Request {
		return limiter.Request{Account: alice, Action: policy.SendMessage, Recipient: fmt.Sprint(i)}
	}
	for i := range n {
		p, d := l.Take(monday, to(i))
		require.NoError(t, d.Err())
		if i%2 == 0 {
			p.Settle(monday, limiter.Unsent)
			require.NoError(t, l.Allow(monday, to(i)).Err())
		}
		for _, g := range l.Gates(monday, to(n)) {
			if g.Rule == "account" {
				require.Equal(t, max(0, int64(n-i-2)), g.Remaining, "after %d", i+1)
			}
		}
	}
	for i := range n {
		require.Equal(t, limiter.Later, l.Check(monday, to(i)).Answer)
	}
	require.Equal(t, "account", l.Check(monday, to(n)).Rule)
}
