package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// What is asked after a rewind is answered as it was after the checkpoint, whatever was
// taken in between, also for an account that is new, in the limiter and in a fork.
func TestCheckpoint_Rewind(t *testing.T) {
	t.Parallel()
	rules := []policy.Rule{
		{Name: "gap", Limit: policy.Gap{Min: time.Second, Max: 9 * time.Second, Every: 2}},
		{Name: "window", Limit: policy.SlidingWindow{Max: 5, Window: time.Minute}},
		{Name: "bucket", Limit: policy.TokenBucket{Max: 9, Per: time.Minute, Burst: 4}},
		{Name: "day", Limit: policy.CalendarWindow{Max: 70, Unit: policy.Day}},
		{Name: "recipients", Limit: policy.UniqueRecipients{Max: 6, Window: time.Minute}},
		{Name: "pair", Limit: policy.SlidingWindow{Max: 2, Window: time.Minute}, Scope: policy.ScopeRecipient},
		{Name: "portfolio", Limit: policy.SlidingWindow{Max: 10, Window: 2 * time.Minute}, Scope: policy.ScopePortfolio},
	}
	req := func(n int) limiter.Request {
		return limiter.Request{Account: alice, Action: policy.SendMessage, Portfolio: "p", Recipient: string(rune('a' + n%9))}
	}
	for _, own := range []bool{false, true} {
		for _, sent := range []int{0, 1, 7, 40} {
			l := newLimiter(t, policy.Policy{Rules: rules})
			if own {
				require.NoError(t, l.SetPolicy(monday, alice, policy.Policy{Rules: rules[:3]}))
			}
			send := func(l *limiter.Limiter, now time.Time, n int) (all []limiter.Decision, end time.Time) {
				for i := range n {
					d := l.Check(now, req(i))
					now = now.Add(d.RetryAfter)
					p, taken := l.Take(now, req(i))
					require.Equal(t, limiter.Allowed, taken.Answer)
					p.Settle(now, limiter.Sent)
					all = append(all, d, taken)
				}
				return all, now
			}
			_, now := send(l, monday, sent)
			fork, err := l.Fork(now, alice, "p")
			require.NoError(t, err)
			at, err := l.Checkpoint(now, alice, "p")
			require.NoError(t, err)
			first, end := send(fork, now, 50)
			far, err := fork.Checkpoint(end, alice, "p")
			require.NoError(t, err)
			second, _ := send(fork, end, 50)
			for range 2 {
				require.NoError(t, fork.Rewind(now, at))
				again, _ := send(fork, now, 50)
				require.Equal(t, first, again)
				require.NoError(t, fork.Rewind(end, far))
				again, _ = send(fork, end, 50)
				require.Equal(t, second, again)
			}
			again, _ := send(l, now, 50)
			require.Equal(t, first, again)
		}
	}
}

// Permits of before a rewind do nothing; those in flight at the checkpoint are given up.
func TestCheckpoint_PermitsInFlight(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Strict())
	req := limiter.Request{Account: alice, Action: policy.SendMessage, Recipient: "r"}
	p, _ := l.Take(monday, req)
	at, err := l.Checkpoint(monday, alice, "")
	require.NoError(t, err)
	fork, err := l.Fork(monday, alice, "")
	require.NoError(t, err)
	require.NoError(t, fork.Abandon(monday.Add(time.Second), alice))
	q, d := fork.Take(monday.Add(time.Hour), req)
	require.Equal(t, limiter.Allowed, d.Answer)
	require.NoError(t, fork.Rewind(monday, at))
	q.Settle(monday.Add(time.Hour), limiter.Unsent)
	require.Equal(t, limiter.Busy, fork.Check(monday, req).Answer)
	require.NoError(t, fork.Abandon(monday.Add(time.Second), alice))
	require.Equal(t, time.Minute, fork.Check(monday.Add(time.Second), req).RetryAfter)
	p.Settle(monday, limiter.Sent)
	require.Equal(t, time.Minute, l.Check(monday, req).RetryAfter)
}

func TestCheckpoint_Bad(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Strict())
	_, err := l.Checkpoint(time.Time{}, alice, "")
	require.ErrorIs(t, err, limiter.ErrRefused)
	at, err := l.Checkpoint(monday, alice, "")
	require.NoError(t, err)
	require.ErrorIs(t, l.Rewind(time.Time{}, at), limiter.ErrRefused)
	require.ErrorContains(t, l.Rewind(monday, limiter.Checkpoint{}), "another limiter")
	require.ErrorContains(t, newLimiter(t, policy.Strict()).Rewind(monday, at), "another limiter")
}
