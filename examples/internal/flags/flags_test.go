package flags_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/examples/internal/flags"
	"github.com/wapace/wapace/policy"
)

func TestSeedsDiffer(t *testing.T) {
	t.Parallel()
	seen := make(map[uint64]int64)
	for _, n := range []int64{0, 1, 2, -1, -2, math.MaxInt64, math.MinInt64 + 1} {
		seed := flags.Seed(n)
		require.NotZero(t, seed, "seed %d would be a secret one", n)
		require.NotContains(t, seen, seed, "seed %d", n)
		seen[seed] = n
	}
	require.NotZero(t, flags.Seed(math.MinInt64))
}

func TestStart(t *testing.T) {
	t.Parallel()
	start, err := flags.Start("2026-01-05T08:00:00+05:45")
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, time.January, 5, 2, 15, 0, 0, time.UTC), start)
}

func TestEveryPresetHasAName(t *testing.T) {
	t.Parallel()
	for _, p := range policy.All() {
		got, err := flags.Policy(p.Slug)
		require.NoError(t, err)
		require.Equal(t, p, got)
	}
}

func TestPolicyOfAFile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mine.json", "mine"} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(`{"rules":[{"name":"a","type":"gap","min":"5s","max":"9s"}]}`), 0o600))
		p, err := flags.Policy(path)
		require.NoError(t, err)
		require.Equal(t, path, p.Slug)
	}
}
