package queue

// A seeker finds messages in long chains, where to walk them each time would take too
// long. It knows all messages of the chains that were walked too often, by their order.
type seeker struct {
	walked int // how many messages, since a chain was taken in last
	known  map[uint64]*item
}

const (
	shortWalk  = 64      // is not counted
	mostWalked = 1 << 16 // before a chain is taken in
)

// knows reports whether a message's chain was taken in.
func (s *seeker) knows(it *item) bool { return s != nil && it != nil && s.known[it.seq] == it }

// joined takes in a new message of a chain that was.
func (s *seeker) joined(it *item) {
	if s.knows(it.prev) || s.knows(it.next) {
		s.known[it.seq] = it
	}
}

// left forgets a message.
func (s *seeker) left(it *item) {
	if s.knows(it) {
		delete(s.known, it.seq)
	}
}

// seek is the message of a record in the chain of a last message, or nil, and how many
// messages it took to find.
func (q *line) seek(last *item, r *Record) (found *item, steps int) {
	if q.rare.seeker.knows(last) {
		return q.rare.seeker.known[r.Order], 1
	}
	for it := last; it != nil; it = it.prev {
		if steps++; it.seq == r.Order {
			found = it
			break
		}
	}
	if steps <= shortWalk {
		return found, steps
	}
	s := q.more().seeker
	if s == nil {
		s = &seeker{known: make(map[uint64]*item)}
		q.rare.seeker = s
	}
	if s.walked += steps; s.walked < mostWalked {
		return found, steps
	}
	s.walked = 0
	for it := last; it != nil; it = it.prev {
		steps++
		s.known[it.seq] = it
	}
	return found, steps
}
