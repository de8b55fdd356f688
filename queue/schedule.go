package queue

import "sync/atomic"

// A schedule is the lanes of a shard that wait for a time, the next one first: a
// 4-ary heap, which is flatter than a binary one and moves fewer lanes. Lanes that
// are due at once are served in the order they were scheduled, whatever their
// shard. It changes with the shard's lock held; the head and the size may be read without.
type schedule struct {
	heap       []entry
	seats      []*lane      // the scheduled lanes, by their numbers
	places     []int32      // of each number in the heap; of one that is free, the next free one
	free       int32        // the first free number, plus 1; 0 where there is none
	tickets    *tickets     // of all shards
	head       atomic.Int64 // when the first lane is due, never where there is none
	headTicket atomic.Uint32
	size       atomic.Int32 // of the heap
}

// An entry is a lane and the tick at which it is due. It has the lane's number, so that
// one which makes way writes to the places, which are close together, and not to a lane
// that nobody has touched for long.
type entry struct {
	due    int64
	ticket ticket // among the lanes that are due at once
	lane   int32
}

func (e *entry) before(other *entry) bool {
	return e.due < other.due || e.due == other.due && e.ticket.before(other.ticket)
}

// A ticket is a number in the order in which lanes were scheduled; 0 is none. The
// numbers begin anew after four thousand million: of two that are more than half of that
// apart, the later one passes for the earlier, which is only asked of lanes that are due
// at the same nanosecond.
type ticket uint32

func (t ticket) before(other ticket) bool { return int32(t-other) < 0 }

// tickets gives out the next one.
type tickets struct{ last atomic.Uint32 }

func (t *tickets) next() ticket {
	for {
		if next := ticket(t.last.Add(1)); next != 0 {
			return next
		}
	}
}

const arity = 4

// open makes a schedule ready, which takes its tickets from those of all shards.
func (s *schedule) open(tickets *tickets) {
	s.tickets = tickets
	s.show()
}

// next is the lane that is due first and when, or nil and never.
func (s *schedule) next() (l *lane, due int64) {
	if len(s.heap) == 0 {
		return nil, never
	}
	return s.seats[s.heap[0].lane], s.heap[0].due
}

// due is when a lane is, never where it is not scheduled.
func (s *schedule) due(l *lane) int64 {
	if l.line.seat == 0 {
		return never
	}
	return s.of(l).due
}

// ticket is that of a lane, 0 where it is not scheduled.
func (s *schedule) ticket(l *lane) ticket {
	if l.line.seat == 0 {
		return 0
	}
	return s.of(l).ticket
}

// of is the entry of a lane that is scheduled.
func (s *schedule) of(l *lane) *entry { return &s.heap[s.places[l.line.seat-1]] }

// serve has the lane that is due first have had its turn: set gives it another one,
// also for the same time. Until set or remove is called all see the lane that is due
// after it, so that others look there meanwhile and do not queue for the shard's lock.
func (s *schedule) serve() {
	s.heap[0].ticket = 0
	if len(s.heap) > 1 {
		after := &s.heap[s.least(1)]
		s.headTicket.Store(uint32(after.ticket))
		s.head.Store(after.due)
		return
	}
	s.head.Store(never)
}

// least is the first one of up to as many entries as one has below it.
func (s *schedule) least(from int) int {
	least := from
	for i := from + 1; i < min(from+arity, len(s.heap)); i++ {
		if s.heap[i].before(&s.heap[least]) {
			least = i
		}
	}
	return least
}

// set schedules a lane for a time, or moves it there.
func (s *schedule) set(l *lane, due int64) {
	if l.line.seat == 0 {
		s.seat(l)
	} else if e := s.of(l); e.due == due && e.ticket != 0 {
		return
	}
	s.put(int(s.places[l.line.seat-1]), entry{due, s.tickets.next(), l.line.seat - 1})
	s.show()
}

// seat gives a lane a number, and room at the heap's end.
func (s *schedule) seat(l *lane) {
	if s.free == 0 {
		s.seats, s.places = append(s.seats, nil), append(s.places, 0)
		s.free = int32(len(s.seats))
	}
	l.line.seat = s.free
	s.free = s.places[l.line.seat-1]
	s.seats[l.line.seat-1], s.places[l.line.seat-1] = l, int32(len(s.heap))
	s.heap = append(s.heap, entry{})
}

// remove takes a lane out of the schedule, if it is in.
func (s *schedule) remove(l *lane) {
	if l.line.seat == 0 {
		return
	}
	i, last := int(s.places[l.line.seat-1]), len(s.heap)-1
	moved := s.heap[last]
	s.heap = s.heap[:last]
	s.seats[l.line.seat-1], s.places[l.line.seat-1] = nil, s.free
	s.free, l.line.seat = l.line.seat, 0
	if i < last {
		s.put(i, moved)
	}
	s.show()
}

// show lets all see when the first lane is due.
func (s *schedule) show() {
	if n := int32(len(s.heap)); n != s.size.Load() {
		s.size.Store(n)
	}
	if len(s.heap) == 0 {
		s.head.Store(never)
		return
	}
	if e := &s.heap[0]; e.due != s.head.Load() || uint32(e.ticket) != s.headTicket.Load() {
		s.headTicket.Store(uint32(e.ticket))
		s.head.Store(e.due)
	}
}

// put fills the gap at i with an entry, or moves the gap to where that belongs.
func (s *schedule) put(i int, e entry) {
	for i > 0 {
		parent := (i - 1) / arity
		if !e.before(&s.heap[parent]) {
			break
		}
		s.move(i, s.heap[parent])
		i = parent
	}
	for {
		child := arity*i + 1
		if child >= len(s.heap) {
			break
		}
		least := s.least(child)
		if !s.heap[least].before(&e) {
			break
		}
		s.move(i, s.heap[least])
		i = least
	}
	s.move(i, e)
}

func (s *schedule) move(i int, e entry) {
	s.heap[i] = e
	s.places[e.lane] = int32(i)
}
