package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// charge is one admitted cost of the brute-force model of a window.
type charge struct {
	at   time.Time
	cost int64
}

func usedSince(charges []charge, after time.Time) (used int64) {
	for _, c := range charges {
		if c.at.After(after) {
			used += c.cost
		}
	}
	return used
}

// A large window never holds too many, keeps nothing back that the last 0.1 % of
// its size does not explain, and says exactly when it frees.
func TestLargeWindowIsNeverOverAndHardlyUnder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1025, 10_000).Draw(t, "max")
		window := time.Duration(rapid.Int64Range(1, 1000).Draw(t, "window"))
		chunk := (size + 1023) / 1024
		l, err := limiter.New(policy.Policy{Rules: []policy.Rule{{Name: "w", Limit: policy.SlidingWindow{Max: size, Window: window}}}}, nil)
		require.NoError(t, err)
		now := time.Unix(1_700_000_000, 0)
		var sent []charge
		type flight struct {
			permit limiter.Permit
			charge charge
		}
		var flights []flight
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(window)/3+1).Draw(t, "pass")))
			if len(flights) > 0 && rapid.Bool().Draw(t, "settle") {
				i := rapid.IntRange(0, len(flights)-1).Draw(t, "which")
				f := flights[i]
				flights = append(flights[:i:i], flights[i+1:]...)
				outcome := rapid.SampledFrom([]limiter.Outcome{limiter.Sent, limiter.Refused, limiter.Unsent}).Draw(t, "outcome")
				f.permit.Settle(now, outcome)
				if outcome == limiter.Unsent {
					for i, c := range sent {
						if c == f.charge {
							sent = append(sent[:i:i], sent[i+1:]...)
							break
						}
					}
				}
				continue
			}
			cost := rapid.Int64Range(1, rapid.SampledFrom([]int64{1, chunk, 3 * chunk, size}).Draw(t, "cost at most")).Draw(t, "cost")
			req := limiter.Request{Account: "a", Action: policy.SendMessage, Cost: cost}
			used := usedSince(sent, now.Add(-window))
			permit, d := l.Take(now, req)
			switch d.Answer {
			case limiter.Allowed:
				require.LessOrEqual(t, used+cost, size, "over")
				sent = append(sent, charge{now, cost})
				flights = append(flights, flight{permit, charge{now, cost}})
			case limiter.Later:
				require.Greater(t, used+cost, size-chunk, "under")
				require.Equal(t, limiter.Allowed, l.Check(now.Add(d.RetryAfter), req).Answer, "after %v", d.RetryAfter)
				require.NotEqual(t, limiter.Allowed, l.Check(now.Add(d.RetryAfter-1), req).Answer, "just before %v", d.RetryAfter)
			default:
				t.Fatalf("answer %v", d.Answer)
			}
		}
	})
}

// A window of 10^12 takes charges of any cost in bounded memory and time.
func TestHugeWindowTakesHugeCosts(t *testing.T) {
	t.Parallel()
	const size = int64(1_000_000_000_000)
	l, err := limiter.New(policy.Policy{Rules: []policy.Rule{{Name: "w", Limit: policy.SlidingWindow{Max: size, Window: time.Hour}}}}, nil)
	require.NoError(t, err)
	req := limiter.Request{Account: "a", Action: policy.SendMessage, Cost: size}
	now := time.Unix(1_700_000_000, 0)
	for range 100 {
		require.Equal(t, limiter.Allowed, l.Allow(now, req).Answer)
		d := l.Allow(now, req)
		require.Equal(t, limiter.Later, d.Answer)
		require.Equal(t, time.Hour, d.RetryAfter)
		now = now.Add(time.Hour)
	}
	req.Cost = size + 1
	require.Equal(t, limiter.Never, l.Allow(now, req).Answer)
}

// Once a charge has left the window there is nothing to take back, of its own chunk or
// of one that came after it.
func TestAChargeThatHasLeftAChunkedWindowStays(t *testing.T) {
	t.Parallel()
	const size, window = 2048, time.Minute // chunks of 2
	for _, late := range []time.Duration{-1, 0, 1, time.Second} {
		l := newLimiter(t, only(policy.SlidingWindow{Max: size, Window: window}))
		p, d := l.Take(monday, request(2))
		require.Equal(t, limiter.Allowed, d.Answer)
		require.Equal(t, limiter.Allowed, l.Allow(monday.Add(30*time.Second), request(2)).Answer)
		now := monday.Add(window + late)
		p.Settle(now, limiter.Unsent)
		require.Equal(t, int64(2), usedOf(l, now), late)
	}
}

// Charges that are taken back leave chunks nearly empty. They are merged before
// there are many, and what they held still counts, hardly longer than it should.
func TestTakenBackChargesLeaveNoTrailOfChunks(t *testing.T) {
	t.Parallel()
	const size, window, n = 10_000, time.Hour, 9_000
	l := newLimiter(t, only(policy.SlidingWindow{Max: size, Window: window}))
	for i := range n {
		now := monday.Add(time.Duration(i) * time.Millisecond)
		p, d := l.Take(now, request(9))
		require.Equal(t, limiter.Allowed, d.Answer)
		require.Equal(t, limiter.Allowed, l.Allow(now, request(1)).Answer)
		p.Settle(now, limiter.Unsent)
	}
	require.LessOrEqual(t, len(l.State(alice).Logs[0]), 4*1024+1)
	for i := range n {
		d := l.Check(monday.Add(window+time.Duration(i)*time.Millisecond), request(1))
		used, still := size-1-d.Remaining, int64(n-1-i)
		require.GreaterOrEqual(t, used, still, "%d charges after the first", i)
		require.LessOrEqual(t, used, still+10, "%d charges after the first", i)
	}
}
