package limiter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// A limiter whose permits live shorter than those of the one that took them finds that
// one ran out before the account's latest time. That time stays what it was.
func TestAPermitThatRanOutLongAgoSetsNoTimeBack(t *testing.T) {
	t.Parallel()
	window := policy.SlidingWindow{Max: 2, Window: time.Hour}
	for name, rules := range map[string][]policy.Rule{
		"the account's": {{Name: "account", Limit: window}},
		"a recipient's": {{Name: "account", Limit: window}, {Name: "recipient", Limit: window, Scope: policy.ScopeRecipient}},
	} {
		p := policy.Policy{Rules: rules}
		from, err := New(p, &Options{Seed: 1, PermitTTL: time.Hour})
		require.NoError(t, err)
		l, err := New(p, &Options{Seed: 1, PermitTTL: time.Minute})
		require.NoError(t, err)
		now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
		req := Request{Account: "a", Action: policy.SendMessage, Recipient: "r"}
		_, d := from.Take(now, req)
		require.Equal(t, Allowed, d.Answer)
		now = now.Add(10 * time.Minute)
		require.Equal(t, Allowed, from.Allow(now, req).Answer)
		saved, err := from.Snapshot(now, "a")
		require.NoError(t, err)
		require.NoError(t, l.Restore(now, saved))

		require.Equal(t, 50*time.Minute, l.Allow(now, req).RetryAfter)
		var f found
		l.find(&f, "a")
		require.Zero(t, f.account.flight, name)
		require.Equal(t, now.UnixNano(), f.account.last, name)
		f.shard.mu.Unlock()
	}
}
