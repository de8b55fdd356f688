package queue

import "iter"

// A pile is items in an order, the first on top, each of which knows whether it is in. A
// pile of one is no more than that. Its rule says which goes first.
type pile[R rule] struct {
	top   *item     // nil where there is none
	below *below[R] // nil where there are no others
}

// The items below the top one know where they are. While they come in their order and go
// from the ends, they are a list: nobody looks at those between, which may be many and
// untouched for long. From then on, until there are none, they are a binary heap.
type below[R rule] struct {
	slots []*item
	gone  int32 // how many slots at the front are free
	mixed bool  // it is a heap and not in order
}

// A rule is an order of items, and where they keep their place in a pile of it.
type rule interface {
	before(a, b *item) bool
	place(it *item) *int32 // plus 1, or onTop; 0 means in none
}

// bySeq is the order in which messages came.
type bySeq struct{}

func (bySeq) before(a, b *item) bool { return a.seq < b.seq }

func (bySeq) place(it *item) *int32 { return &it.place }

// byTime is the order of the times that messages wait for.
type byTime struct{}

func (byTime) before(a, b *item) bool {
	if c := a.until().Compare(b.until()); c != 0 {
		return c < 0
	}
	return a.seq < b.seq
}

func (byTime) place(it *item) *int32 { return &it.place }

// byEnd is the order in which messages expire.
type byEnd struct{}

func (byEnd) before(a, b *item) bool {
	if c := a.terms.expiresAt.Compare(b.terms.expiresAt); c != 0 {
		return c < 0
	}
	return a.seq < b.seq
}

func (byEnd) place(it *item) *int32 { return &it.end }

// onTop is the place of the first item of a pile.
const onTop = -1

// first is the one on top, or nil.
func (p *pile[R]) first() *item { return p.top }

// len is how many there are.
func (p *pile[R]) len() int {
	switch {
	case p.top == nil:
		return 0
	case p.below == nil:
		return 1
	}
	return 1 + len(p.below.items())
}

// all is every item, the first one first and the others in no order.
func (p *pile[R]) all() iter.Seq[*item] {
	return func(yield func(*item) bool) {
		if p.top == nil || !yield(p.top) || p.below == nil {
			return
		}
		for _, it := range p.below.items() {
			if !yield(it) {
				return
			}
		}
	}
}

// push puts one in.
func (p *pile[R]) push(it *item) {
	var r R
	switch {
	case p.top == nil:
		p.lift(it)
		return
	case r.before(it, p.top):
		under := p.top
		p.lift(it)
		it = under
	}
	if p.below == nil {
		p.below = &below[R]{}
	}
	p.below.push(it)
}

// remove takes one out that is in.
func (p *pile[R]) remove(it *item) {
	var r R
	under := it
	if it == p.top {
		p.top, *r.place(it) = nil, 0
		if p.below == nil {
			return
		}
		under = p.below.first()
	}
	if p.below.remove(under); p.below.slots == nil {
		p.below = nil
	}
	if p.top == nil {
		p.lift(under)
	}
}

// lift puts one on top.
func (p *pile[R]) lift(it *item) {
	var r R
	p.top, *r.place(it) = it, onTop
}

// items are those that are in, the first one first and the others in no order.
func (p *below[R]) items() []*item { return p.slots[p.gone:] }

// first is the first one. There must be one.
func (p *below[R]) first() *item { return p.slots[p.gone] }

// push puts one in.
func (p *below[R]) push(it *item) {
	var r R
	n := len(p.slots)
	if !p.mixed && p.gone > 0 && r.before(it, p.slots[p.gone]) {
		p.gone--
		p.slots[p.gone] = it
		*r.place(it) = p.gone + 1
		return
	}
	if n == cap(p.slots) && int(p.gone) > n/2 {
		p.close()
		n = len(p.slots)
	}
	p.slots = append(p.slots, it)
	*r.place(it) = int32(n + 1)
	if p.mixed || n > int(p.gone) && r.before(it, p.slots[n-1]) {
		p.mixed = true
		p.up(n)
	}
}

// remove takes one out that is in.
func (p *below[R]) remove(it *item) {
	var r R
	i, last := int(*r.place(it))-1, len(p.slots)-1
	*r.place(it) = 0
	switch {
	case last == int(p.gone):
		*p = below[R]{}
	case i == int(p.gone) && !p.mixed:
		p.slots[i] = nil
		p.gone++
	default:
		moved := p.slots[last]
		p.slots[last], p.slots = nil, p.slots[:last]
		if i < last {
			p.mixed = true
			p.seat(i, moved)
			p.down(p.up(i))
		}
	}
}

// close moves all to the front.
func (p *below[R]) close() {
	items := p.items()
	for i, it := range items {
		p.seat(i, it)
	}
	clear(p.slots[len(items):])
	p.slots, p.gone = p.slots[:len(items)], 0
}

func (p *below[R]) seat(i int, it *item) {
	var r R
	p.slots[i] = it
	*r.place(it) = int32(i + 1)
}

func (p *below[R]) swap(i, j int) {
	one, other := p.slots[i], p.slots[j]
	p.seat(i, other)
	p.seat(j, one)
}

func (p *below[R]) up(i int) int {
	var r R
	top := int(p.gone)
	for i > top {
		parent := top + (i-top-1)/2
		if !r.before(p.slots[i], p.slots[parent]) {
			break
		}
		p.swap(i, parent)
		i = parent
	}
	return i
}

func (p *below[R]) down(i int) {
	var r R
	top := int(p.gone)
	for {
		least, child := i, i+(i-top)+1
		for end := min(child+2, len(p.slots)); child < end; child++ {
			if r.before(p.slots[child], p.slots[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		p.swap(i, least)
		i = least
	}
}
