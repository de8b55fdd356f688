package dice

import (
	"encoding/binary"
	"math/bits"
)

// sip is the state of SipHash-2-4, by Aumasson and Bernstein,
// https://www.aumasson.jp/siphash/siphash.pdf.
type sip struct{ v0, v1, v2, v3 uint64 }

func start(k0, k1 uint64) sip {
	return sip{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
}

func (s sip) round() sip {
	s.v0 += s.v1
	s.v2 += s.v3
	s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
	s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
	s.v0 = bits.RotateLeft64(s.v0, 32)
	s.v2 += s.v1
	s.v0 += s.v3
	s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
	s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
	s.v2 = bits.RotateLeft64(s.v2, 32)
	return s
}

func (s sip) word(m uint64) sip {
	s.v3 ^= m
	s = s.round().round()
	s.v0 ^= m
	return s
}

func (s sip) sum() uint64 {
	s.v2 ^= 0xff
	s = s.round().round().round().round()
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

// sip2 hashes two words, which is SipHash-2-4 of their 16 bytes.
func sip2(k0, k1, a, b uint64) uint64 {
	return start(k0, k1).word(a).word(b).word(16 << 56).sum()
}

func sipString(k0, k1 uint64, text string) uint64 {
	s := start(k0, k1)
	last := uint64(len(text)) << 56
	for ; len(text) >= 8; text = text[8:] {
		s = s.word(binary.LittleEndian.Uint64([]byte(text[:8])))
	}
	for i := range len(text) {
		last |= uint64(text[i]) << (8 * i)
	}
	return s.word(last).sum()
}
