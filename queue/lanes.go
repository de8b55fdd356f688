package queue

import "hash/maphash"

// lanes are those of a shard, by their account.
type lanes struct {
	table[*lane]
	seed maphash.Seed
}

func (l *lane) hashed() (hash uint32, next **lane) { return l.line.hash, &l.next }

// hashOf is the part of an account's hash that does not choose its shard.
func (t *lanes) hashOf(account string) uint32 {
	return uint32(maphash.String(t.seed, account) >> 32)
}

// find is the lane of an account, or nil.
func (t *lanes) find(account string) *lane {
	if t.n == 0 {
		return nil
	}
	hash := t.hashOf(account)
	for l := t.head(hash); l != nil; l = l.next {
		if l.line.hash == hash && l.account == account {
			return l
		}
	}
	return nil
}

// add puts in a lane of an account that has none.
func (t *lanes) add(l *lane) {
	l.line.hash = t.hashOf(l.account)
	t.table.add(l)
}
