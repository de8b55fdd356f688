package queue

import "hash/maphash"

// chains are those of a shard's lanes, each by its last message. A chain is named by
// what its messages have in common: their campaign, and the recipient that they ask
// for.
type chains struct {
	table[*item]
	seed  maphash.Seed
	salt  uint32 // of the last campaign with a title of its own
	plain title  // of all messages that have no campaign and no priority; nobody writes to it
}

// A title is what sets a campaign apart from the others of its lane.
type title struct {
	campaignName

	salt uint32 // of its chains' hashes
}

type campaignName struct {
	name     string
	priority int32
}

func (it *item) hashed() (hash uint32, next **item) { return it.hash, &it.alike }

// hashOf is the hash of a chain's name but for whose it is.
func (t *chains) hashOf(to string) uint32 { return uint32(maphash.String(t.seed, to)) }

// last is the last message of a chain, whose name has a hash, or nil.
func (t *chains) last(hash uint32, c *campaign, to string) *item {
	if t.n == 0 {
		return nil
	}
	for it := t.head(hash); it != nil; it = it.alike {
		if it.hash == hash && it.campaign == c && it.asked() == to {
			return it
		}
	}
	return nil
}

// title is that of a new campaign. Each has its part of the hashes of its chains, so
// that chains of many campaigns to one recipient do not meet.
func (t *chains) title(name campaignName) *title {
	if name == (campaignName{}) {
		return &t.plain
	}
	t.salt += 0x9e3779b9 // the golden ratio, which spreads numbers that follow each other
	return &title{name, t.salt}
}
