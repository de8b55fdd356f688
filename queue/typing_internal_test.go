package queue

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/internal/dice"
)

func TestTyping_Name(t *testing.T) {
	t.Parallel()
	require.Equal(t, uint64(typingName), dice.Name("typing"))
}

// The time for a text is that of adding up its runes one by one.
func TestTyping_Bounds(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(1, 0))
	sizes := []time.Duration{0, 1, 7, time.Millisecond, time.Second, time.Hour, math.MaxInt64 / 2, math.MaxInt64}
	for range 20_000 {
		typing := Typing{
			Start: sizes[dice.IntN(len(sizes))], PerRune: sizes[dice.IntN(len(sizes))], Max: sizes[dice.IntN(len(sizes))],
			Spread: dice.IntN(101),
		}
		text := strings.Repeat("\u00e9", dice.IntN(30))
		base := min(typing.Start, typing.Max)
		for range text {
			base += min(typing.PerRune, typing.Max-base)
		}
		off := base/100*time.Duration(typing.Spread) + base%100*time.Duration(typing.Spread)/100
		least, most := typing.bounds(typing.runes(text))
		require.Equal(t, base-off, least, "%+v %d", typing, len(text))
		require.Equal(t, base+min(off, typing.Max-base), most, "%+v %d", typing, len(text))
	}
}

// A long text is not read to its end.
func TestTyping_LongText(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, 129, DefaultTyping().runes(strings.Repeat("x", MaxText)))
	require.Zero(t, Typing{Start: 1, Max: time.Second}.runes(strings.Repeat("x", MaxText)))
}
