package queue

import "iter"

// A line is the messages of a lane that wait, in the order they go out. Taking
// the first out of it and putting it back cost nothing, however long it is.
type line struct {
	first, last *item
	back        heap[*item] // came back from afar; each later than the first
}

// join puts a new item at the end, or before those of the end that came after it.
func (q *line) join(it *item) {
	before := q.last
	for before != nil && before.seq > it.seq {
		before = before.prev
	}
	q.insert(it, before)
}

// rejoin puts an item back that was near the front.
func (q *line) rejoin(it *item) {
	after := q.first
	for after != nil && after.seq < it.seq {
		after = after.next
	}
	if after == nil {
		q.insert(it, q.last)
		return
	}
	q.insert(it, after.prev)
}

// insert puts an item behind another, or first where that is nil.
func (q *line) insert(it, before *item) {
	after := q.first
	if before != nil {
		after = before.next
	}
	it.prev, it.next = before, after
	if before == nil {
		q.first = it
	} else {
		before.next = it
	}
	if after == nil {
		q.last = it
	} else {
		after.prev = it
	}
}

// leave takes an item out.
func (q *line) leave(it *item) {
	if it.prev == nil {
		q.first = it.next
	} else {
		it.prev.next = it.next
	}
	if it.next == nil {
		q.last = it.prev
	} else {
		it.next.prev = it.prev
	}
	it.prev, it.next = nil, nil
	if len(q.back) > 0 && (q.first == nil || q.back[0].less(q.first)) {
		q.insert(q.back.pop(), nil)
	}
}

// readmit puts an item back that may have been anywhere, and is not slowed down by
// those before it.
func (q *line) readmit(it *item) {
	switch {
	case q.first == nil || it.less(q.first):
		q.insert(it, nil)
	case q.last.less(it):
		q.insert(it, q.last)
	default:
		q.back.push(it)
	}
}

// all is every item, in no order.
func (q *line) all() iter.Seq[*item] {
	return func(yield func(*item) bool) {
		for it := q.first; it != nil; it = it.next {
			if !yield(it) {
				return
			}
		}
		for _, it := range q.back {
			if !yield(it) {
				return
			}
		}
	}
}

func (it *item) less(other *item) bool { return it.seq < other.seq }
