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
		{1, "", 0, 0x96e44904dd6f5deb, 7357683425},
		{1, "", last, 0x80009e9e90eed62c, 7000037818},
		{1, "447700900000", 0, 0xbfe4c498dcd27000, 7998337888},
		{1, "447700900000", 1, 0xeb00285bbc091786, 8671884623},
		{1, "447700900000", 20, 0xeedc4c9b78d15205, 8732195999},
		{7, "447700900000", 0, 0x02f288b47db158f9, 5046053100},
		{7, "447700900000", 1, 0xf4c4b6f105b5a126, 8824506508},
		{7, "447700900000", 20, 0x21d73a6df20c5d95, 5528761489},
		{last, "447700900000", 0, 0xaca9f399d67a68fe, 7697873021},
		{last, "447700900000", last, 0x02e9433153f635bc, 5045487211},
	}
	for _, tt := range tests {
		a, what := dice.New(tt.seed).Account(tt.account), dice.Name("gap")
		require.Equal(t, tt.draw, a.Uint64(what, tt.n), "%+v", tt)
		require.Equal(t, tt.pause, a.Between(5*time.Second, 9*time.Second, what, tt.n), "%+v", tt)
	}
}

func TestEveryArgumentCounts(t *testing.T) {
	t.Parallel()
	d, other := dice.New(1), dice.New(2)
	a, b := dice.Name("a"), dice.Name("b")
	require.NotEqual(t, a, b)
	require.NotEqual(t, d.Account("a"), other.Account("a"))
	draw := d.Account("a").Uint64(b, 1)
	require.NotEqual(t, draw, other.Account("a").Uint64(b, 1), "the seed")
	require.NotEqual(t, draw, d.Account("b").Uint64(b, 1), "the account")
	require.NotEqual(t, draw, d.Account("a").Uint64(a, 1), "what is drawn")
	require.NotEqual(t, draw, d.Account("a").Uint64(b, 2), "the draw's number")
	require.NotEqual(t, draw, d.Account("b").Uint64(a, 1), "the order")
}

func TestBetweenStaysInBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lo := time.Duration(rapid.Int64().Draw(t, "lo"))
		hi := time.Duration(rapid.Int64().Draw(t, "hi"))
		a := dice.Account(rapid.Uint64().Draw(t, "account"))
		w, n := rapid.Uint64().Draw(t, "what"), rapid.Uint64().Draw(t, "n")
		got := a.Between(lo, hi, w, n)
		switch {
		case hi <= lo && got != lo:
			t.Fatalf("Between(%d, %d) = %d, want lo", lo, hi, got)
		case hi > lo && (got < lo || got > hi):
			t.Fatalf("Between(%d, %d) = %d", lo, hi, got)
		}
		if again := a.Between(lo, hi, w, n); again != got {
			t.Fatalf("asked twice: %d, then %d", got, again)
		}
	})
}

func TestBetweenAtTheEdges(t *testing.T) {
	t.Parallel()
	a, w := dice.New(1).Account("447700900000"), dice.Name("gap")
	const lowest, highest = time.Duration(math.MinInt64), time.Duration(math.MaxInt64)

	require.Equal(t, 5*time.Second, a.Between(5*time.Second, 5*time.Second, w, 0))
	require.Equal(t, 5*time.Second, a.Between(5*time.Second, time.Second, w, 0))
	require.Equal(t, highest, a.Between(highest, lowest, w, 0))

	tests := []struct{ lo, hi time.Duration }{{0, 1}, {-1, 0}, {highest - 1, highest}, {lowest, lowest + 1}}
	for _, tt := range tests {
		seen := map[time.Duration]bool{}
		for n := range uint64(64) {
			seen[a.Between(tt.lo, tt.hi, w, n)] = true
		}
		require.Equal(t, map[time.Duration]bool{tt.lo: true, tt.hi: true}, seen, "both ends are drawn")
	}

	below := 0
	for n := range uint64(1000) {
		if a.Between(lowest, highest, w, n) < 0 {
			below++
		}
	}
	require.InDelta(t, 500, below, 80, "the widest span is even too")
}

func TestBetweenIsEven(t *testing.T) {
	t.Parallel()
	const draws, bins = 100_000, 20
	a, w := dice.New(42).Account("447700900000"), dice.Name("gap")
	lo, hi := 5*time.Second, 9*time.Second
	var count [bins]float64
	for n := range uint64(draws) {
		count[int64(a.Between(lo, hi, w, n)-lo)*bins/int64(hi-lo+1)]++
	}
	chi := 0.0
	for _, c := range count {
		chi += (c - draws/bins) * (c - draws/bins) / (draws / bins)
	}
	require.Less(t, chi, 43.8, "chi squared of 19 degrees passes 43.8 once in 1,000 even dice: %v", count)
}

func TestSeedZeroIsSecret(t *testing.T) {
	t.Parallel()
	seen := map[dice.Account]bool{dice.Dice{}.Account("a"): true}
	for range 16 {
		seen[dice.New(0).Account("a")] = true
	}
	require.Len(t, seen, 17, "each is another, and none is seed 0")
	require.Equal(t, dice.New(5), dice.New(5), "a seed that is given is kept")
	require.NotEqual(t, dice.Dice{}, dice.New(5))
}
