package queue

import (
	"hash/maphash"
	"iter"
)

// lanes are those of a shard, by their account: a hash table of chains, which takes
// less memory than a map that holds the account once more.
type lanes struct {
	seed  maphash.Seed
	first []*lane // of each chain; as many as a power of 2
	n     int
}

// fewestChains is how many chains a table begins with.
const fewestChains = 8

// hashOf is the part of an account's hash that does not choose its shard.
func (t *lanes) hashOf(account string) uint32 {
	return uint32(maphash.String(t.seed, account) >> 32)
}

// chain is the chain of a hash. There must be chains.
func (t *lanes) chain(hash uint32) **lane { return &t.first[int(hash)&(len(t.first)-1)] }

// find is the lane of an account, or nil.
func (t *lanes) find(account string) *lane {
	if t.n == 0 {
		return nil
	}
	hash := t.hashOf(account)
	for l := *t.chain(hash); l != nil; l = l.next {
		if l.hash == hash && l.account == account {
			return l
		}
	}
	return nil
}

// add puts in a lane of an account that has none.
func (t *lanes) add(l *lane) {
	if t.n == len(t.first) {
		t.grow()
	}
	t.n++
	l.hash = t.hashOf(l.account)
	t.place(l)
}

// place puts a lane into its chain.
func (t *lanes) place(l *lane) {
	chain := t.chain(l.hash)
	l.next, *chain = *chain, l
}

// remove takes out a lane that is in.
func (t *lanes) remove(l *lane) {
	before := t.chain(l.hash)
	for *before != l {
		before = &(*before).next
	}
	*before, l.next = l.next, nil
	t.n--
}

func (t *lanes) grow() {
	old := lanes{first: t.first}
	t.first = make([]*lane, max(fewestChains, 2*len(old.first)))
	for l := range old.all() {
		t.place(l)
	}
}

// all is every lane, in no order. The one that is yielded may be removed.
func (t *lanes) all() iter.Seq[*lane] {
	return func(yield func(*lane) bool) {
		for _, l := range t.first {
			for l != nil {
				next := l.next
				if !yield(l) {
					return
				}
				l = next
			}
		}
	}
}
