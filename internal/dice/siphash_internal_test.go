package dice

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestSipHash uses the vectors of the paper's appendix and reference code: the
// key is the bytes 00 to 0f, the text the bytes 00, 01, 02 and on.
func TestSipHash(t *testing.T) {
	t.Parallel()
	const k0, k1 = 0x0706050403020100, 0x0f0e0d0c0b0a0908
	var text []byte
	for i := range 64 {
		text = append(text, byte(i))
	}
	for length, want := range map[int]uint64{
		0:  0x726fdb47dd0e0e31,
		1:  0x74f839c593dc67fd,
		2:  0x0d6c8009d9a94f5a,
		3:  0x85676696d7fb7e2d,
		4:  0xcf2794e0277187b7,
		5:  0x18765564cd99a68d,
		6:  0xcbc9466e58fee3ce,
		7:  0xab0200f58b01d137,
		8:  0x93f5f5799a932462,
		9:  0x9e0082df0ba9e4b0,
		15: 0xa129ca6149be45e5, // the appendix's own
		16: 0x3f2acc7f57c29bdb,
		63: 0x958a324ceb064572,
	} {
		require.Equal(t, want, sipString(k0, k1, string(text[:length])), "%d bytes", length)
	}
}

func TestTwoWordsAreTheirBytes(t *testing.T) {
	t.Parallel()
	word := rapid.Uint64()
	rapid.Check(t, func(t *rapid.T) {
		k0, k1 := word.Draw(t, "k0"), word.Draw(t, "k1")
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		var text []byte
		for _, w := range []uint64{a, b} {
			text = binary.LittleEndian.AppendUint64(text, w)
		}
		if sip2(k0, k1, a, b) != sipString(k0, k1, string(text)) {
			t.Fatalf("two words and their %d bytes differ", len(text))
		}
	})
}
