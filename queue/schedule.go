package queue

import "sync/atomic"

// A schedule is the lanes of a shard that wait for a time, the next one first: a
// 4-ary heap, which is flatter than a binary one and moves fewer lanes. Lanes that
// are due at once are served in the order they were scheduled, whatever their
// shard. It changes with the shard's lock held; the head and the size may be read without.
type schedule struct {
	heap     []entry
	turns    *atomic.Uint64 // of all shards
	head     atomic.Int64   // when the first lane is due, never where there is none
	headTurn atomic.Uint64
	size     atomic.Int32 // of the heap
}

// An entry is a lane and the tick at which it is due.
type entry struct {
	due  int64
	turn uint64 // among the lanes that are due at once
	lane *lane
}

func (e *entry) before(other *entry) bool {
	return e.due < other.due || e.due == other.due && e.turn < other.turn
}

const arity = 4

// open makes a schedule ready, which takes its turns from those of all shards.
func (s *schedule) open(turns *atomic.Uint64) {
	s.turns = turns
	s.show()
}

// next is the lane that is due first and when, or nil and never.
func (s *schedule) next() (l *lane, due int64) {
	if len(s.heap) == 0 {
		return nil, never
	}
	return s.heap[0].lane, s.heap[0].due
}

// due is when a lane is, never where it is not scheduled.
func (s *schedule) due(l *lane) int64 {
	if l.place == 0 {
		return never
	}
	return s.heap[l.place-1].due
}

// turn is where a lane that is scheduled stands among those that are due at once.
func (s *schedule) turn(l *lane) uint64 {
	if l.place == 0 {
		return 0
	}
	return s.heap[l.place-1].turn
}

// serve has the lane that is due first have had its turn: set gives it another one,
// also for the same time.
func (s *schedule) serve() { s.heap[0].turn = 0 }

// set schedules a lane for a time, or moves it there.
func (s *schedule) set(l *lane, due int64) {
	if l.place == 0 {
		s.heap = append(s.heap, entry{})
		l.place = int32(len(s.heap))
	} else if e := &s.heap[l.place-1]; e.due == due && e.turn != 0 {
		return
	}
	s.put(int(l.place)-1, entry{due, s.turns.Add(1), l})
	s.show()
}

// remove takes a lane out of the schedule, if it is in.
func (s *schedule) remove(l *lane) {
	if l.place == 0 {
		return
	}
	i, last := int(l.place)-1, len(s.heap)-1
	moved := s.heap[last]
	s.heap[last], s.heap = entry{}, s.heap[:last]
	l.place = 0
	if i < last {
		s.put(i, moved)
	}
	s.show()
}

// show lets all see when the first lane is due.
func (s *schedule) show() {
	s.size.Store(int32(len(s.heap)))
	if len(s.heap) == 0 {
		s.head.Store(never)
		return
	}
	if e := &s.heap[0]; e.due != s.head.Load() || e.turn != s.headTurn.Load() {
		s.headTurn.Store(e.turn)
		s.head.Store(e.due)
	}
}

// put fills the gap at i with an entry, or moves the gap to where that belongs: one
// write to each lane that makes way.
func (s *schedule) put(i int, e entry) {
	for i > 0 {
		parent := (i - 1) / arity
		if !e.before(&s.heap[parent]) {
			break
		}
		s.seat(i, s.heap[parent])
		i = parent
	}
	for {
		child := arity*i + 1
		if child >= len(s.heap) {
			break
		}
		least := child
		for child++; child <= arity*i+arity && child < len(s.heap); child++ {
			if s.heap[child].before(&s.heap[least]) {
				least = child
			}
		}
		if !s.heap[least].before(&e) {
			break
		}
		s.seat(i, s.heap[least])
		i = least
	}
	s.seat(i, e)
}

func (s *schedule) seat(i int, e entry) {
	s.heap[i] = e
	e.lane.place = int32(i + 1)
}
