package limiter

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/policy"
)

// TestLeftIsExact counts the tokens of buckets small and large in debt with numbers
// that have no bounds.
func TestLeftIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Custom(func(t *rapid.T) int64 {
			return rapid.Int64Range(1, 1<<rapid.IntRange(1, 62).Draw(t, "bits")).Draw(t, "size")
		})
		b := rapid.Custom(func(t *rapid.T) policy.TokenBucket {
			return policy.TokenBucket{Max: size.Draw(t, "max"), Per: time.Duration(size.Draw(t, "per")), Burst: size.Draw(t, "burst")}
		}).Filter(func(b policy.TokenBucket) bool {
			return policy.Policy{Rules: []policy.Rule{{Name: "bucket", Limit: b}}}.Validate() == nil
		}).Draw(t, "bucket")
		m := newTokenBucket(b)
		debt := span{
			ticks: rapid.Uint64Range(0, m.full.ticks+1).Draw(t, "ticks"),
			frac:  rapid.Uint64Range(0, m.max-1).Draw(t, "frac"),
		}
		part := func(n uint64) *big.Int { return new(big.Int).SetUint64(n) }
		owed := part(debt.ticks)
		owed.Mul(owed, part(m.max)).Add(owed, part(debt.frac))
		whole := part(uint64(b.Burst))
		whole.Mul(whole, part(m.per)).Sub(whole, owed)
		want := new(big.Int)
		if whole.Sign() > 0 {
			want.Div(whole, part(m.per))
		}
		require.Equal(t, want.String(), big.NewInt(m.left(debt)).String())
	})
}

// A record that was made up may say that the bucket is full in centuries, which adds
// up to more than 64 bits where the clock is before 1970.
func TestDebtOfCenturiesIsNotForgotten(t *testing.T) {
	t.Parallel()
	m := newTokenBucket(policy.TokenBucket{Max: 1, Per: time.Second, Burst: 5})
	for _, now := range []int64{math.MinInt64 + 1, -1, 0, 1} {
		for _, full := range []int64{never - 1, never} {
			c := cells{words: []int64{full, 0, 0}}
			r := claim{demand: demand{cost: 1}, at: instant{tick: now}}
			require.Equal(t, Later, m.ask(c, &r).answer, "%d, %d", now, full)
			m.charge(c, &r)
			require.Equal(t, Later, m.ask(c, &r).answer, "%d, %d", now, full)
		}
	}
}
