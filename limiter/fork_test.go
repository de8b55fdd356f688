package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A fork answers what its limiter will, with the same pauses, also for an account that
// is new; nothing done to one changes the other.
func TestFork_AnswersAsItsLimiter(t *testing.T) {
	t.Parallel()
	for _, sent := range []int{0, 1, 19, 60} {
		l := newLimiter(t, policy.Standard())
		now := monday
		req := limiter.Request{Account: alice, Action: policy.SendMessage, Recipient: "r"}
		send := func(l *limiter.Limiter, now time.Time, n int) time.Time {
			for range n {
				d := l.Check(now, req)
				now = now.Add(d.RetryAfter)
				require.Equal(t, limiter.Allowed, l.Allow(now, req).Answer)
			}
			return now
		}
		now = send(l, now, sent)
		hold(t, l, now, limiter.Target{Account: alice}, time.Hour)
		require.NoError(t, l.Hold(now, limiter.Target{}, now.Add(time.Minute), "all"))
		before, err := l.Snapshot(now, alice)
		require.NoError(t, err)

		fork, err := l.Fork(now, alice, "")
		require.NoError(t, err)
		require.Equal(t, l.Holds(now, req), fork.Holds(now, req))
		end := send(fork, now, 50)
		after, err := l.Snapshot(now, alice)
		require.NoError(t, err)
		require.Equal(t, before, after)
		require.Equal(t, end, send(l, now, 50))
	}
}

// The permits in flight of a fork can be given up, and the pause follows.
func TestFork_PermitsInFlight(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Strict())
	req := limiter.Request{Account: alice, Action: policy.SendMessage, Recipient: "r"}
	p, _ := l.Take(monday, req)
	fork, err := l.Fork(monday, alice, "")
	require.NoError(t, err)
	require.Equal(t, limiter.Busy, fork.Check(monday, req).Answer)
	require.NoError(t, fork.Abandon(monday.Add(time.Second), alice))
	require.Equal(t, time.Minute, fork.Check(monday.Add(time.Second), req).RetryAfter)
	require.Equal(t, limiter.Busy, l.Check(monday, req).Answer)
	p.Settle(monday, limiter.Sent)
	require.Equal(t, time.Minute, l.Check(monday, req).RetryAfter)
}

func TestFork_BadTime(t *testing.T) {
	t.Parallel()
	_, err := newLimiter(t, policy.Strict()).Fork(time.Time{}, alice, "")
	require.ErrorIs(t, err, limiter.ErrRefused)
}

// All holds on a request, and no others, the one that ends last first.
func TestHolds(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Unlimited())
	require.Nil(t, l.Holds(monday, allOf()))
	all := targets()
	for i, target := range all {
		hold(t, l, monday, target, time.Duration(i+1)*time.Minute)
	}
	require.NoError(t, l.Hold(monday, limiter.Target{Account: bob}, time.Time{}, "another's"))
	require.NoError(t, l.Hold(monday, limiter.Target{Campaign: "d"}, time.Time{}, "another"))
	found := l.Holds(monday, allOf())
	require.Len(t, found, len(all))
	for i, h := range found {
		n := len(all) - i
		require.Equal(t, limiter.Holding{Target: all[n-1], Until: monday.Add(time.Duration(n) * time.Minute), Reason: "for a test"}, h)
	}
	require.Len(t, l.Holds(monday.Add(3*time.Minute), allOf()), len(all)-3)
	require.Equal(t, []limiter.Holding{
		{Target: limiter.Target{Account: bob}, Reason: "another's"},
		{Until: monday.Add(time.Minute), Reason: "for a test"},
	}, l.Holds(monday, limiter.Request{Account: bob}))
	require.Nil(t, l.Holds(time.Time{}, allOf()))
}
