package queue

import (
	"iter"
	"math/bits"
)

// A table is a hash table of chains that run through its entries, which takes less
// memory than a map that holds their keys once more. It grows by a chain at a time, so
// that no entry waits for the others to be moved.
type table[E hashed[E]] struct {
	first []E // of each chain
	n     int
}

// A hashed entry is a pointer to what a table holds.
type hashed[E any] interface {
	comparable

	// hashed is the entry's hash, which stays the same while it is in, and the next
	// one of its chain.
	hashed() (hash uint32, next *E)
}

// chain is the number of a hash's chain. There must be chains.
func (t *table[E]) chain(hash uint32) int {
	mask := 1<<bits.Len(uint(len(t.first)-1)) - 1
	if i := int(hash) & mask; i < len(t.first) {
		return i
	}
	return int(hash) & (mask >> 1)
}

// head is the first entry of a hash's chain, or nil. Others of the chain may have
// another hash.
func (t *table[E]) head(hash uint32) (first E) {
	if len(t.first) == 0 {
		return first
	}
	return t.first[t.chain(hash)]
}

// add puts in an entry that is not in.
func (t *table[E]) add(e E) {
	if t.n == len(t.first) {
		t.split()
	}
	t.n++
	t.place(e)
}

// place puts an entry into its chain.
func (t *table[E]) place(e E) {
	hash, next := e.hashed()
	i := t.chain(hash)
	*next, t.first[i] = t.first[i], e
}

// split adds a chain, which takes over those of another's entries that belong to it.
func (t *table[E]) split() {
	var none E
	t.first = append(t.first, none)
	added := len(t.first) - 1
	if added == 0 {
		return
	}
	from := added &^ (1 << (bits.Len(uint(added)) - 1))
	e := t.first[from]
	t.first[from] = none
	for e != none {
		_, next := e.hashed()
		follows := *next
		t.place(e)
		e = follows
	}
}

// remove takes an entry out, if it is in.
func (t *table[E]) remove(e E) {
	if len(t.first) == 0 {
		return
	}
	var none E
	hash, next := e.hashed()
	before := &t.first[t.chain(hash)]
	for *before != e {
		if *before == none {
			return
		}
		_, before = (*before).hashed()
	}
	*before, *next = *next, none
	t.n--
}

// all is every entry, in no order. The one that is yielded may be removed.
func (t *table[E]) all() iter.Seq[E] {
	return func(yield func(E) bool) {
		var none E
		for _, e := range t.first {
			for e != none {
				_, next := e.hashed()
				follows := *next
				if !yield(e) {
					return
				}
				e = follows
			}
		}
	}
}
