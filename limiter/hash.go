package limiter

import (
	"hash/maphash"
	"math/bits"
)

// A hasher hashes keys under a secret, so that nobody can choose keys whose hashes are
// alike. Names are hashed as two words are by wyhash, which the runtime uses too where it
// has no instructions for AES; what lies in a name needs no more than two products.
type hasher struct {
	seed   maphash.Seed
	secret [4]uint64
}

func newHasher() hasher {
	h := hasher{seed: maphash.MakeSeed()}
	for i := range h.secret {
		h.secret[i] = maphash.Comparable(h.seed, i)
	}
	return h
}

// of is the hash of a key.
func (h *hasher) of(key string) uint64 { return h.named(named(key), key) }

// named is the hash of a key whose name, without a number, is n.
func (h *hasher) named(n name, key string) uint64 {
	if n.tail == isLong {
		return maphash.String(h.seed, key)
	}
	hi, lo := bits.Mul64(n.head^h.secret[0], n.tail^h.secret[1])
	hi, lo = bits.Mul64(lo^h.secret[2], hi^h.secret[3])
	return hi ^ lo
}
