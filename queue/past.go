package queue

import (
	"cmp"
	"slices"
)

// A past is the order in which messages were taken in and done with.
type past struct {
	order []*kept // all that are kept, and some that are forgotten
	gone  int     // how many are forgotten
	last  uint64  // the highest order that a message ever had

	done    []*kept // those done with, each time that they were: a ring once it is full
	oldest  int
	history int // how large the ring is
}

// add puts in a new message.
func (p *past) add(k *kept) {
	p.last = max(p.last, k.order)
	p.order = slices.Insert(p.order, p.place(k.order+1), k)
}

// place is that of the first message with an order or a higher one.
func (p *past) place(order uint64) int {
	if n := len(p.order); n == 0 || p.order[n-1].order < order {
		return n
	}
	at, _ := slices.BinarySearchFunc(p.order, order, func(k *kept, order uint64) int { return cmp.Compare(k.order, order) })
	return at
}

// finish adds a message to those done with, and returns the one that was so longest
// where they are too many now, unless it was done with again since.
func (p *past) finish(k *kept) *kept {
	if p.history == 0 {
		return k
	}
	k.ends++
	if len(p.done) < p.history {
		p.done = append(p.done, k)
		return nil
	}
	oldest := p.done[p.oldest]
	p.done[p.oldest] = k
	p.oldest = (p.oldest + 1) % p.history
	if oldest.ends--; oldest.ends > 0 {
		return nil
	}
	return oldest
}

// trim is told that a message is gone. Its place among the others goes when it is the
// first, or when many are gone.
func (p *past) trim() {
	p.gone++
	n := 0
	for n < len(p.order) && p.order[n].gone {
		p.order[n] = nil
		n++
	}
	p.order = p.order[n:]
	if p.gone -= n; p.gone > len(p.order)/2+64 {
		p.order = slices.DeleteFunc(p.order, func(k *kept) bool { return k.gone })
		p.gone = 0
	}
}
