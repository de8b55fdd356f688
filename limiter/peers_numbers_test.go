package limiter_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func peerTinyIntervals(t *testing.T) {
	for _, bad := range []policy.Limit{
		policy.TokenBucket{Max: 5}, policy.SlidingWindow{Max: 5}, policy.TokenBucket{Max: -1, Per: time.Second},
	} {
		_, err := limiter.New(only(bad), nil)
		require.Error(t, err, "%+v", bad)
	}
	for _, limit := range []policy.Limit{policy.TokenBucket{Per: time.Second}, policy.SlidingWindow{Window: time.Second}} {
		require.Equal(t, limiter.Never, newLimiter(t, only(limit)).Allow(monday, request(1)).Answer, "%+v", limit)
	}
	l := newLimiter(t, only(policy.TokenBucket{Max: 3e9, Per: time.Second, Burst: 3}))
	require.Equal(t, 3, admitted(l, 10, func(int) time.Time { return monday }))
	require.Equal(t, 3, admitted(l, 10, func(int) time.Time { return monday.Add(1) }))
}

func peerCostOverflows(t *testing.T) {
	for _, cost := range []int64{200_000_000, math.MaxInt64 / int64(time.Minute), math.MaxInt64} {
		l := newLimiter(t, only(policy.TokenBucket{Max: 1, Per: time.Minute, Burst: 10}))
		require.Equal(t, limiter.Never, l.Allow(monday, request(cost)).Answer)
		require.Equal(t, int64(9), l.Allow(monday, request(1)).Remaining)
	}
}

func peerBurstOverflows(t *testing.T) {
	// Above 100 years of refill the policy is refused.
	_, err := limiter.New(only(policy.TokenBucket{Max: 1, Per: 24 * time.Hour, Burst: 200_000}), nil)
	require.Error(t, err)
	l := newLimiter(t, only(policy.TokenBucket{Max: 1, Per: 24 * time.Hour, Burst: 36_500}))
	require.Equal(t, int64(36_499), l.Allow(monday, request(1)).Remaining)
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(36_499)).Answer)
	require.Equal(t, 24*time.Hour, l.Allow(monday, request(1)).RetryAfter)
}

func peerBrokenSeconds(t *testing.T) {
	for name, limit := range map[string]policy.Limit{
		"bucket":  policy.TokenBucket{Max: 1, Per: 1900 * time.Millisecond},
		"sliding": policy.SlidingWindow{Max: 1, Window: 1900 * time.Millisecond},
	} {
		l := newLimiter(t, only(limit))
		require.Equal(t, 1, admitted(l, 1900, func(i int) time.Time { return monday.Add(time.Duration(i) * time.Millisecond) }), name)
		require.Equal(t, limiter.Allowed, l.Allow(monday.Add(1900*time.Millisecond), request(1)).Answer, name)
	}
}

func peerCostAboveBurst(t *testing.T) {
	for name, limit := range sized(10) {
		if name == "people" || name == "contacts" {
			continue // they count requests
		}
		d := newLimiter(t, only(limit)).Allow(monday, request(11))
		require.Equal(t, limiter.Never, d.Answer, name)
		require.Zero(t, d.RetryAfter, name)
	}
}

func peerPartOfAToken(t *testing.T) {
	l := newLimiter(t, only(policy.TokenBucket{Max: 1, Per: time.Second, Burst: 5}))
	l.Allow(monday, request(5))
	now := monday.Add(1750 * time.Millisecond)
	for range 10 {
		require.Equal(t, 250*time.Millisecond, l.Allow(now, request(2)).RetryAfter)
	}
	require.Equal(t, limiter.Allowed, l.Allow(now, request(1)).Answer)
	require.Equal(t, limiter.Allowed, l.Allow(now.Add(250*time.Millisecond), request(1)).Answer)
}

func peerNegativeCost(t *testing.T) {
	for name, limit := range sized(10) {
		l := newLimiter(t, only(limit))
		for _, cost := range []int64{-1, -1000, math.MinInt64} {
			d := l.Allow(monday, request(cost))
			require.Equal(t, "request", d.Rule, name)
			require.ErrorIs(t, d.Err(), limiter.ErrRefused, name)
		}
		require.Zero(t, l.Accounts(), name)
	}
	l := newLimiter(t, only(policy.TokenBucket{Per: time.Hour, Burst: 5}))
	require.Equal(t, limiter.Never, l.Allow(monday, request(1)).Answer)
}

func peerLargestCost(t *testing.T) {
	for name, limit := range sized(12) {
		if name == "people" || name == "contacts" {
			continue
		}
		l := newLimiter(t, only(limit))
		l.Allow(monday, request(10))
		for _, cost := range []int64{10, -100, math.MaxInt64, math.MinInt64, math.MaxInt64 - 9} {
			require.NotEqual(t, limiter.Allowed, l.Allow(monday, request(cost)).Answer, "%s %d", name, cost)
		}
		require.Equal(t, int64(1), l.Allow(monday, request(1)).Remaining, name)
	}
}

func peerShortPeriod(t *testing.T) {
	for name, limit := range map[string]policy.Limit{
		"bucket":  policy.TokenBucket{Max: 1, Per: 300 * time.Microsecond},
		"sliding": policy.SlidingWindow{Max: 1, Window: 300 * time.Microsecond},
		"people":  policy.UniqueRecipients{Max: 1, Window: 300 * time.Microsecond},
	} {
		l := newLimiter(t, only(limit))
		for i := range 10 {
			req := request(1)
			req.Recipient = fmt.Sprint(i)
			now := monday.Add(time.Duration(i) * 300 * time.Microsecond)
			require.Equal(t, limiter.Allowed, l.Allow(now, req).Answer, name)
			req.Recipient = "another"
			require.Equal(t, 300*time.Microsecond, l.Allow(now, req).RetryAfter, name)
		}
	}
}

func peerMonths(t *testing.T) {
	for month := time.January; month <= time.December; month++ {
		for _, year := range []int{2026, 2028} {
			l := newLimiter(t, only(policy.CalendarWindow{Max: 1, Unit: policy.Month, Location: time.UTC}))
			now := time.Date(year, month, 15, 12, 0, 0, 0, time.UTC)
			l.Allow(now, request(1))
			require.Equal(t, time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC), now.Add(l.Allow(now, request(1)).RetryAfter))
		}
	}
}

func peerFraction(t *testing.T) {
	l := newLimiter(t, only(policy.TokenBucket{Max: 3, Per: 10 * time.Second, Burst: 5}))
	l.Allow(monday, request(5)) // owes 50/3 s
	now := monday.Add(time.Second)
	require.NoError(t, l.SetPolicy(now, alice, only(policy.TokenBucket{Max: 3, Per: 10 * time.Second, Burst: 2})))
	// 50/3 s less 1 s, and 10/3 s for the token, less the 20/3 s that may be owed: 37/3 s.
	require.Equal(t, 12_333_333_334*time.Nanosecond, l.Allow(now, request(1)).RetryAfter)
	require.NoError(t, l.SetPolicy(now, alice, only(policy.TokenBucket{Max: 3, Per: 10 * time.Second, Burst: 5})))
	require.Equal(t, (7*time.Second+2)/3, l.Allow(now, request(1)).RetryAfter) // 10/3 s less 1 s
}
