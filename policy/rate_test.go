package policy_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/wapace/wapace/policy"
)

// exact fails unless l survives the way into a bucket and back.
func exact(t *testing.T, l rate.Limit) policy.TokenBucket {
	t.Helper()
	b, err := policy.FromRate(l, 1)
	if err != nil || b.Limiter().Limit() != l {
		t.Fatalf("FromRate(%v, 1) = %+v, %v; back it is %v", float64(l), b, err, float64(b.Limiter().Limit()))
	}
	return b
}

func TestFromRate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		limit rate.Limit
		burst int
		want  policy.TokenBucket
	}{
		{1, 1, policy.TokenBucket{Max: 1, Per: time.Second, Burst: 1}},
		{80, 5, policy.TokenBucket{Max: 80, Per: time.Second, Burst: 5}},
		{1e18, 1, policy.TokenBucket{Max: 1e18, Per: time.Second, Burst: 1}},
		{2.5, 1, policy.TokenBucket{Max: 1, Per: 400 * time.Millisecond, Burst: 1}},
		{rate.Every(5 * time.Second), 1, policy.TokenBucket{Max: 1, Per: 5 * time.Second, Burst: 1}},
		{rate.Every(1500 * time.Millisecond), 1, policy.TokenBucket{Max: 1, Per: 1500 * time.Millisecond, Burst: 1}},
		{rate.Every(24 * time.Hour), 9, policy.TokenBucket{Max: 1, Per: 24 * time.Hour, Burst: 9}},
		{rate.Every(3), 1, policy.TokenBucket{Max: 1, Per: 3, Burst: 1}},
		{7.0 / 60, 1, policy.TokenBucket{Max: 7, Per: time.Minute, Burst: 1}},
		{11.0 / 86400, 1, policy.TokenBucket{Max: 11, Per: 24 * time.Hour, Burst: 1}},
		{rate.Every(policy.MaxDuration), 1, policy.TokenBucket{Max: 1, Per: policy.MaxDuration, Burst: 1}},

		{0, 5, policy.TokenBucket{Per: time.Second}},
		{rate.Limit(math.Copysign(0, -1)), 5, policy.TokenBucket{Per: time.Second}},
		{10, 0, policy.TokenBucket{Per: time.Second}},
		{0, 0, policy.TokenBucket{Per: time.Second}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%v/%d", float64(tt.limit), tt.burst), func(t *testing.T) {
			t.Parallel()
			got, err := policy.FromRate(tt.limit, tt.burst)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			back := got.Limiter()
			if tt.want.Max == 0 {
				require.False(t, back.AllowN(time.Unix(0, 0), 1), "it refuses everything")
				return
			}
			require.Equal(t, tt.limit, back.Limit())
			require.Equal(t, tt.burst, back.Burst())
		})
	}
}

func TestFromRateKeepsEvery(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		d := time.Duration(math.Exp2(dice.Float64() * 51)) // evenly over all magnitudes up to 26 days
		l := rate.Every(d)
		b := exact(t, l)
		want := policy.TokenBucket{Max: 1, Per: d, Burst: 1}
		if whole := math.Trunc(float64(l)); whole == float64(l) {
			want = policy.TokenBucket{Max: int64(whole), Per: time.Second, Burst: 1}
		}
		if b != want {
			t.Fatalf("rate.Every(%v): got %+v, want %+v", d, b, want)
		}
	}
	for range 20_000 {
		d := time.Duration(dice.Int64N(int64(policy.MaxDuration)) + 1)
		if b := exact(t, rate.Every(d)); b.Max != 1 {
			t.Fatalf("rate.Every(%v): got %+v", d, b)
		}
	}
}

func TestFromRateKeepsWholeNumbers(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(3, 4))
	for i := range 4_000 {
		n := int64(i + 1)
		if i >= 2_000 {
			n = int64(float64(dice.Int64N(math.MaxInt64-1024) + 1)) // what a float64 can hold
		}
		require.Equal(t, policy.TokenBucket{Max: n, Per: time.Second, Burst: 1}, exact(t, rate.Limit(n)))
	}
}

func TestFromRateKeepsCountsPerDuration(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(5, 6))
	for range 2_000 {
		per := time.Duration(dice.IntN(100_000)+1) * time.Second
		n := dice.IntN(1_000_000) + 1
		b := exact(t, rate.Limit(float64(n)/per.Seconds()))
		got, want := big.NewRat(b.Max, int64(b.Per)), big.NewRat(int64(n), int64(per))
		require.Zero(t, got.Cmp(want), "%d per %v is %+v", n, per, b)
	}
}

func TestFromRateIsExactForAnyFloat(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(7, 8))
	for range 4_000 {
		exact(t, rate.Limit(math.Exp2(dice.Float64()*83-23))) // 1.2e-7 to 1.1e18
	}
	for range 500 { // the neighbours of round numbers are the hardest to hit
		round := math.Round(math.Exp2(dice.Float64()*60)) / math.Pow10(dice.IntN(9))
		exact(t, rate.Limit(math.Nextafter(round, 0)))
		exact(t, rate.Limit(math.Nextafter(round, math.Inf(1))))
	}
}

func TestFromRateBad(t *testing.T) {
	t.Parallel()
	const (
		sign    = "use events per second, 0 or more"
		noLimit = "this is no limit; leave the rule out"
		none    = "no count per duration up to 876600h has exactly this rate; use one from 1e-07 to 1e+18"
	)
	tests := []struct {
		limit float64
		burst int
		want  []string
	}{
		{math.NaN(), 1, []string{"policy: limit: NaN: " + sign}},
		{-1, 1, []string{"policy: limit: -1: " + sign}},
		{math.Inf(-1), 1, []string{"policy: limit: -Inf: " + sign}},
		{math.Inf(1), 1, []string{"policy: limit: +Inf: " + noLimit}},
		{float64(rate.Inf), 0, []string{"policy: limit: 1.7976931348623157e+308: " + noLimit}},
		{math.SmallestNonzeroFloat64, 1, []string{"policy: limit: 5e-324: " + none}},
		{1e-10, 1, []string{"policy: limit: 1e-10: " + none}},
		{1e300, 1, []string{"policy: limit: 1e+300: " + none}},
		{1, -1, []string{"policy: burst: -1: use 1 or more, or 0 to refuse everything"}},
		{-1, -1, []string{
			"policy: burst: -1: use 1 or more, or 0 to refuse everything",
			"policy: limit: -1: " + sign,
		}},
		{float64(rate.Every(policy.MaxDuration)), 2, []string{
			"policy: burst: 2: filling it takes longer than 876600h; lower burst or per, or raise max",
		}},
	}
	for _, tt := range tests {
		b, err := policy.FromRate(rate.Limit(tt.limit), tt.burst)
		require.ErrorIs(t, err, policy.ErrInvalid)
		require.Equal(t, tt.want, messages(err))
		require.Zero(t, b)
	}
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	l := policy.TokenBucket{Max: 3, Per: time.Minute}.Limiter()
	require.Equal(t, 1, l.Burst(), "burst 0 means 1")
	require.Equal(t, rate.Limit(3/60.0), l.Limit())

	require.Equal(t, math.MaxInt, policy.TokenBucket{Max: math.MaxInt64, Per: 1, Burst: math.MaxInt64}.Limiter().Burst())

	for _, b := range []policy.TokenBucket{
		{}, {Per: time.Second, Burst: 9}, {Max: -1, Per: time.Second}, {Max: 1}, {Max: 1, Per: -1}, {Max: 1, Per: 1, Burst: -1},
	} {
		refuses := b.Limiter()
		require.False(t, refuses.AllowN(time.Unix(0, 0), 1), "%+v", b)
		require.False(t, refuses.AllowN(time.Unix(1e9, 0), 1), "%+v", b)
	}
}
