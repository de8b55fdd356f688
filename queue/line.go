package queue

// A line is the messages of a lane that wait, in the order they go out. Taking
// one out of it and putting it back cost nothing, however long it is.
type line struct {
	first, last *item
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
}
