package queue

// A pile is items in an order, the first on top, each of which knows where it is. While
// they come in that order and go from the ends, it is a list: nobody looks at those
// between, which may be many and untouched for long. From then on, until it is empty,
// it is a binary heap. Its rule says which goes first.
type pile[R rule] struct {
	slots []*item
	gone  int32 // how many slots at the front are free
	mixed bool  // it is a heap and not in order
}

// A rule is an order of items, and where they keep their place in a pile of it.
type rule interface {
	before(a, b *item) bool
	place(it *item) *int32 // plus 1; 0 means in none
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

// items are those that are in, the first one first and the others in no order.
func (p *pile[R]) items() []*item { return p.slots[p.gone:] }

// first is the one on top, or nil.
func (p *pile[R]) first() *item {
	if p.slots == nil {
		return nil
	}
	return p.slots[p.gone]
}

// push puts one in.
func (p *pile[R]) push(it *item) {
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
func (p *pile[R]) remove(it *item) {
	var r R
	i, last := int(*r.place(it))-1, len(p.slots)-1
	*r.place(it) = 0
	switch {
	case last == int(p.gone):
		*p = pile[R]{}
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
func (p *pile[R]) close() {
	items := p.items()
	for i, it := range items {
		p.seat(i, it)
	}
	clear(p.slots[len(items):])
	p.slots, p.gone = p.slots[:len(items)], 0
}

func (p *pile[R]) seat(i int, it *item) {
	var r R
	p.slots[i] = it
	*r.place(it) = int32(i + 1)
}

func (p *pile[R]) swap(i, j int) {
	one, other := p.slots[i], p.slots[j]
	p.seat(i, other)
	p.seat(j, one)
}

func (p *pile[R]) up(i int) int {
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

func (p *pile[R]) down(i int) {
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
