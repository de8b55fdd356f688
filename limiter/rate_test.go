package limiter_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A bucket answers as x/time/rate does on 100,000 random asks, except within 1 ns
// of a refill, which package rate rounds.
func TestTokenBucketAnswersAsPackageRate(t *testing.T) {
	t.Parallel()
	for _, b := range []policy.TokenBucket{
		{Max: 1, Per: time.Second},
		{Max: 10, Per: time.Second, Burst: 10},
		{Max: 3, Per: time.Second, Burst: 5},
		{Max: 7, Per: time.Minute, Burst: 20},
		{Max: 1000, Per: time.Second, Burst: 3},
		{Max: 999_983, Per: time.Minute, Burst: 17},
		{Max: 1, Per: time.Hour, Burst: 2},
		{Max: 11, Per: 24 * time.Hour, Burst: 4},
		{Max: 1, Per: 3},
		{Max: 10, Per: 100, Burst: 10},
	} {
		ours, theirs := newLimiter(t, only(b)), b.Limiter()
		dice := rand.New(rand.NewPCG(1, 2))
		now := monday
		refill := int64(b.Per) / b.Max
		allowed, rounded := 0, 0
		const asks = 10_000
		for i := range asks {
			if i%1000 == 999 {
				now = now.Add(b.Per * time.Duration(b.Size())) // full, as package rate should see it too
			}
			n := 1 + dice.Int64N(b.Size())
			if i%100 == 0 {
				n = b.Size() + 1
			}
			mine, yours := ours.Allow(now, request(n)), theirs.AllowN(now, int(n))
			switch {
			case mine.Answer == limiter.Allowed && !yours:
				rounded++
				now = now.Add(1)
				require.True(t, theirs.AllowN(now, int(n)), "%+v, ask %d: package rate refuses for more than 1 ns", b, i)
			case mine.Answer != limiter.Allowed && yours:
				rounded++
				require.Equal(t, time.Duration(1), mine.RetryAfter, "%+v, ask %d", b, i)
				now = now.Add(1)
				require.Equal(t, limiter.Allowed, ours.Allow(now, request(n)).Answer, "%+v, ask %d", b, i)
			}
			if mine.Answer == limiter.Allowed || yours {
				allowed++
			}
			switch pass := dice.Int64N(4); {
			case pass == 0 && mine.Answer == limiter.Later:
				now = now.Add(mine.RetryAfter) // to the refill itself
			case pass == 1:
				now = now.Add(time.Duration(dice.Int64N(4*refill*b.Size() + 1)))
			case pass == 2:
				now = now.Add(time.Duration(dice.Int64N(refill + 1)))
			}
		}
		require.Greater(t, allowed, asks/10, "%+v", b)
		require.Less(t, rounded, asks/5, "%+v: too much is put down to rounding", b)
	}
}

// At the edges too, where package rate's documentation says what they mean.
func TestTokenBucketMeetsPackageRateAtTheEdges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		limit rate.Limit
		burst int
	}{{0, 0}, {0, 5}, {1, 0}, {1, 1}, {0.5, 3}, {rate.Every(7 * time.Second), 2}, {1e9, 1}, {1e-6, 1}, {3, 1 << 30}} {
		b, err := policy.FromRate(tt.limit, tt.burst)
		require.NoError(t, err)
		ours, theirs := newLimiter(t, only(b)), b.Limiter()
		for i, n := range []int64{1, 2, 3, 1 << 30, 1<<30 + 1, 1<<31 - 1, 1} {
			require.Equal(t, theirs.AllowN(monday, int(n)), ours.Allow(monday, request(n)).Answer == limiter.Allowed, "%+v, ask %d", tt, i)
		}
	}
}
