package queue

import "hash/maphash"

// chains are those of a shard's lanes, each by its last message. A chain is named by
// what its messages have in common: their campaign, and the recipient that they ask
// for.
type chains struct {
	table[*item]
	seed maphash.Seed
	salt uint32 // of the last campaign
}

func (it *item) hashed() (hash uint32, next **item) { return it.hash, &it.alike }

// hashOf is the hash of a chain's name.
func (t *chains) hashOf(c *campaign, to string) uint32 {
	return uint32(maphash.String(t.seed, to)) ^ c.salt
}

// last is the last message of a chain, or nil.
func (t *chains) last(c *campaign, to string) *item {
	if t.n == 0 {
		return nil
	}
	hash := t.hashOf(c, to)
	for it := t.head(hash); it != nil; it = it.alike {
		if it.hash == hash && it.campaign == c && it.asked() == to {
			return it
		}
	}
	return nil
}

// season gives a new campaign its part of the hashes of its chains, so that chains of
// many campaigns to one recipient do not meet.
func (t *chains) season(c *campaign) {
	t.salt += 0x9e3779b9 // the golden ratio, which spreads numbers that follow each other
	c.salt = t.salt
}
