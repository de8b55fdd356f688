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
func (h *hasher) of(key string) uint64 {
	_, hash := h.named(key)
	return hash
}

// named is the name of a key, for a long one without the number, and its hash.
func (h *hasher) named(key string) (n name, hash uint64) {
	if n = named(key); n.tail == isLong {
		return n, maphash.String(h.seed, key)
	}
	hi, lo := bits.Mul64(n.head^h.secret[0], n.tail^h.secret[1])
	hi, lo = bits.Mul64(lo^h.secret[2], hi^h.secret[3])
	return n, hi ^ lo
}
