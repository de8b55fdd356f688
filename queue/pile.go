package queue

// A pile is a binary heap of items, the first on top, which knows where each is.
// Its rule says which goes first.
type pile[R rule] struct{ items []*item }

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

// first is the one on top, or nil.
func (p *pile[R]) first() *item {
	if len(p.items) == 0 {
		return nil
	}
	return p.items[0]
}

// push puts one in.
func (p *pile[R]) push(it *item) {
	var r R
	p.items = append(p.items, it)
	*r.place(it) = int32(len(p.items))
	p.up(len(p.items) - 1)
}

// remove takes one out that is in.
func (p *pile[R]) remove(it *item) {
	var r R
	i, last := int(*r.place(it))-1, len(p.items)-1
	p.swap(i, last)
	p.items[last], p.items = nil, p.items[:last]
	*r.place(it) = 0
	if i < last {
		p.down(p.up(i))
	}
	if last == 0 {
		p.items = nil
	}
}

func (p *pile[R]) swap(i, j int) {
	var r R
	p.items[i], p.items[j] = p.items[j], p.items[i]
	*r.place(p.items[i]), *r.place(p.items[j]) = int32(i+1), int32(j+1)
}

func (p *pile[R]) up(i int) int {
	var r R
	for i > 0 {
		parent := (i - 1) / 2
		if !r.before(p.items[i], p.items[parent]) {
			break
		}
		p.swap(i, parent)
		i = parent
	}
	return i
}

func (p *pile[R]) down(i int) {
	var r R
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(p.items); child++ {
			if r.before(p.items[child], p.items[least]) {
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
