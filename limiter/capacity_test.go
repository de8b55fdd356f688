package limiter_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// More accounts and portfolios are restored than there is room for: none has its budget
// back, only new ones are refused, until enough of the old are as good as new.
func TestRestoreKeepsMoreThanThereIsRoomFor(t *testing.T) {
	t.Parallel()
	const many, most = 50, 10
	window := policy.SlidingWindow{Max: 1, Window: time.Hour}
	for _, scope := range []policy.Scope{policy.ScopeAccount, policy.ScopePortfolio} {
		p := policy.Policy{Rules: []policy.Rule{{Name: "window", Scope: scope, Limit: window}}}
		key := func(key string) limiter.Request {
			if scope == policy.ScopePortfolio {
				return limiter.Request{Account: alice, Action: policy.SendMessage, Portfolio: key}
			}
			return of(key)
		}
		original, err := limiter.New(p, &limiter.Options{Seed: 1})
		require.NoError(t, err)
		l, err := limiter.New(p, &limiter.Options{Seed: 2, MaxAccounts: most})
		require.NoError(t, err)
		for i := range many {
			name := fmt.Sprint("old", i)
			require.Equal(t, limiter.Allowed, original.Allow(monday, key(name)).Answer)
			b, err := original.Snapshot(monday, name)
			if scope == policy.ScopePortfolio {
				b, err = original.SnapshotPortfolio(monday, name)
			}
			require.NoError(t, err)
			require.NoError(t, l.Restore(monday, b))
		}
		now := monday.Add(time.Minute)
		for range 3 {
			for i := range many {
				d := l.Allow(now, key(fmt.Sprint("old", i)))
				require.Equal(t, "window", d.Rule)
				require.Equal(t, 59*time.Minute, d.RetryAfter)
				require.Equal(t, noRoom, l.Allow(now, key(fmt.Sprint("new", i))).Gate)
			}
		}
		now = monday.Add(time.Hour + time.Second)
		sent := 0
		for i := range 2 * many { // each looks for some to forget
			if l.Allow(now, key(fmt.Sprint("new", i))).Answer == limiter.Allowed {
				sent++
			}
		}
		require.Equal(t, most, sent, "what was restored has made no room")
	}
}

// A policy of an account's own is kept where there is no room, and stays.
func TestSetPolicyKeepsMoreThanThereIsRoomFor(t *testing.T) {
	t.Parallel()
	const most = 3
	l, err := limiter.New(only(policy.SlidingWindow{Max: 1, Window: time.Hour}), &limiter.Options{MaxAccounts: most})
	require.NoError(t, err)
	own := only(policy.Concurrency{})
	for i := range 3 * most {
		require.NoError(t, l.SetPolicy(monday, fmt.Sprint("own", i), own))
	}
	for range 2 {
		for i := range 3 * most {
			require.Equal(t, limiter.Never, l.Allow(monday, of(fmt.Sprint("own", i))).Answer)
			require.Equal(t, noRoom, l.Allow(monday, of(fmt.Sprint("new", i))).Gate)
		}
	}
	require.Equal(t, 3*most, l.Accounts())
}
