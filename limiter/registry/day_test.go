package registry_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/limiter/registry"
	"github.com/wapace/wapace/policy"
)

// TestNoDayHoldsMoreThanTheLooserPolicyAllows sends as fast as it may for a day and
// goes from Strict to Standard and back at two moments of it. Strict has 200 a day
// and Standard 500. Nothing is counted here but the sends themselves.
func TestNoDayHoldsMoreThanTheLooserPolicyAllows(t *testing.T) {
	t.Parallel()
	const cases = 10_000 / slower
	const strict, standard = 200, 500
	l, r := setup(t, new(registry.Memory))
	rng := rand.New(rand.NewPCG(3, 5))
	begin := monday.Truncate(24 * time.Hour)
	var full, cut int
	for i := range cases {
		account := fmt.Sprint("account ", i)
		moments := []time.Duration{time.Duration(rng.Int64N(int64(24 * time.Hour))), time.Duration(rng.Int64N(int64(24 * time.Hour)))}
		if i%2 == 0 { // at most of the moments of a day nothing is sent: its budget is used up
			moments = []time.Duration{time.Duration(rng.Int64N(int64(2 * time.Hour))), time.Duration(rng.Int64N(int64(4 * time.Hour)))}
		}
		slices.Sort(moments)
		var sends []time.Duration // since the begin
		now := time.Duration(0)
		for stretch, until := range []time.Duration{moments[0], moments[1], 24 * time.Hour} {
			slug := []string{"strict", "standard", "strict"}[stretch]
			now = max(now, []time.Duration{0, moments[0], moments[1]}[stretch])
			require.NoError(t, r.Choose(t.Context(), begin.Add(now), account, slug, "test"))
			least := []time.Duration{time.Minute, 5 * time.Second, time.Minute}[stretch]
			changed := len(sends)
			for now < until {
				d := l.Allow(begin.Add(now), send(account))
				if d.Answer == limiter.Allowed {
					if len(sends) > 0 {
						pause := now - sends[len(sends)-1]
						if pause < least && (len(sends) > changed || pause < 5*time.Second) {
							t.Fatalf("case %d: %v after %v", i, now, pause)
						}
					}
					sends = append(sends, now)
					continue
				}
				if d.Answer != limiter.Later {
					t.Fatalf("case %d: %v: %v", i, now, d.Err())
				}
				now += d.RetryAfter
			}
			now = until
			if stretch != 1 && len(sends) > changed {
				require.LessOrEqual(t, len(sends), strict, "case %d: strict lets more through than it has left", i)
			}
		}
		require.LessOrEqual(t, len(sends), standard, "case %d", i)
		if len(sends) == standard {
			full++
		}
		if len(sends) > strict && len(sends) < standard {
			cut++
		}
	}
	require.NotZero(t, full, "no case uses the looser day up")
	require.NotZero(t, cut, "no case changes back in between")
	require.Equal(t, "strict", r.Policy("account 0").Slug)
	require.Equal(t, policy.Strict(), r.Policy("account 0"))
}
