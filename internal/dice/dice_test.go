package dice_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/internal/dice"
)

// TestDrawsAreFrozen holds the draws that replays and replicas agree on. These
// figures never change.
func TestDrawsAreFrozen(t *testing.T) {
	t.Parallel()
	const last = math.MaxUint64
	tests := []struct {
		seed    uint64
		account string
		n       uint64
		draw    uint64
		pause   time.Duration // from 5 s to 9 s
	}{
		{1, "", 0, 0x4921b4261a861704, 6142682111},
		{1, "", last, 0xa25ff943f7c546a3, 7537107770},
		{1, "447700900000", 0, 0x461cbce6aad013db, 6095504022},
		{1, "447700900000", 1, 0x956649c30006cf79, 7334368172},
		{1, "447700900000", 20, 0x205eccaf85873a59, 5505786105},
		{7, "447700900000", 0, 0xdb171f8dae97b709, 8423286332},
		{7, "447700900000", 1, 0xfd3410a3fa990044, 8956302796},
		{7, "447700900000", 20, 0x15fc1439493b5fc1, 5343510681},
		{last, "447700900000", 0, 0xc74e6f05c49c9dd1, 8114162212},
		{last, "447700900000", last, 0x3200abfdedc8b047, 5781291006},
	}
	for _, tt := range tests {
		d := dice.New(tt.seed)
		account, what := d.Name(tt.account), d.Name("gap")
		require.Equal(t, tt.draw, d.Uint64(account, what, tt.n), "%+v", tt)
		require.Equal(t, tt.pause, d.Between(5*time.Second, 9*time.Second, account, what, tt.n), "%+v", tt)
	}
}

func TestEveryArgumentCounts(t *testing.T) {
	t.Parallel()
	d, other := dice.New(1), dice.New(2)
	a, b := d.Name("a"), d.Name("b")
	require.NotEqual(t, a, b)
	require.NotEqual(t, a, other.Name("a"))
	draw := d.Uint64(a, b, 1)
	require.NotEqual(t, draw, other.Uint64(a, b, 1), "the seed")
	require.NotEqual(t, draw, d.Uint64(b, b, 1), "the account")
	require.NotEqual(t, draw, d.Uint64(a, a, 1), "what is drawn")
	require.NotEqual(t, draw, d.Uint64(a, b, 2), "the draw's number")
	require.NotEqual(t, draw, d.Uint64(b, a, 1), "the order")
}

func TestBetweenStaysInBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := dice.New(rapid.Uint64Min(1).Draw(t, "seed"))
		lo := time.Duration(rapid.Int64().Draw(t, "lo"))
		hi := time.Duration(rapid.Int64().Draw(t, "hi"))
		a, w, n := rapid.Uint64().Draw(t, "account"), rapid.Uint64().Draw(t, "what"), rapid.Uint64().Draw(t, "n")
		got := d.Between(lo, hi, a, w, n)
		switch {
		case hi <= lo && got != lo:
			t.Fatalf("Between(%d, %d) = %d, want lo", lo, hi, got)
		case hi > lo && (got < lo || got > hi):
			t.Fatalf("Between(%d, %d) = %d", lo, hi, got)
		}
		if again := d.Between(lo, hi, a, w, n); again != got {
			t.Fatalf("asked twice: %d, then %d", got, again)
		}
	})
}

func TestBetweenAtTheEdges(t *testing.T) {
	t.Parallel()
	d := dice.New(1)
	a, w := d.Name("447700900000"), d.Name("gap")
	const lowest, highest = time.Duration(math.MinInt64), time.Duration(math.MaxInt64)

	require.Equal(t, 5*time.Second, d.Between(5*time.Second, 5*time.Second, a, w, 0))
	require.Equal(t, 5*time.Second, d.Between(5*time.Second, time.Second, a, w, 0))
	require.Equal(t, highest, d.Between(highest, lowest, a, w, 0))

	tests := []struct{ lo, hi time.Duration }{{0, 1}, {-1, 0}, {highest - 1, highest}, {lowest, lowest + 1}}
	for _, tt := range tests {
		seen := map[time.Duration]bool{}
		for n := range uint64(64) {
			seen[d.Between(tt.lo, tt.hi, a, w, n)] = true
		}
		require.Equal(t, map[time.Duration]bool{tt.lo: true, tt.hi: true}, seen, "both ends are drawn")
	}

	below := 0
	for n := range uint64(1000) {
		if d.Between(lowest, highest, a, w, n) < 0 {
			below++
		}
	}
	require.InDelta(t, 500, below, 80, "the widest span is even too")
}

func TestBetweenIsEven(t *testing.T) {
	t.Parallel()
	const draws, bins = 100_000, 20
	d := dice.New(42)
	a, w := d.Name("447700900000"), d.Name("gap")
	lo, hi := 5*time.Second, 9*time.Second
	var count [bins]float64
	for n := range uint64(draws) {
		count[int64(d.Between(lo, hi, a, w, n)-lo)*bins/int64(hi-lo+1)]++
	}
	chi := 0.0
	for _, c := range count {
		chi += (c - draws/bins) * (c - draws/bins) / (draws / bins)
	}
	require.Less(t, chi, 43.8, "chi squared of 19 degrees passes 43.8 once in 1,000 even dice: %v", count)
}

func TestSeedZeroIsSecret(t *testing.T) {
	t.Parallel()
	seen := map[uint64]bool{dice.Dice{}.Name("a"): true}
	for range 16 {
		seen[dice.New(0).Name("a")] = true
	}
	require.Len(t, seen, 17, "each is another, and none is seed 0")
	require.Equal(t, dice.New(5), dice.New(5), "a seed that is given is kept")
	require.NotEqual(t, dice.Dice{}, dice.New(5))
}
