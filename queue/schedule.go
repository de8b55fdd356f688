package queue

import "sync/atomic"

// A schedule is the lanes of a shard that wait for a time, the next one first: a
// 4-ary heap, which is flatter than a binary one and moves fewer lanes. Lanes that
// are due at once are served in the order they were scheduled, whatever their
// shard. It changes with the shard's lock held; the head may be read without.
type schedule struct {
	heap     []entry
	turns    *atomic.Uint64 // of all shards
	head     atomic.Int64   // when the first lane is due, never where there is none
	headTurn atomic.Uint64
}

// An entry is a lane and the tick at which it is due.
type entry struct {
	due  int64
	lane *lane
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

// set schedules a lane for a time, or moves it there.
func (s *schedule) set(l *lane, due int64) {
	if l.place == 0 {
		s.heap = append(s.heap, entry{due, l})
		l.place = int32(len(s.heap))
	} else if s.due(l) == due {
		return
	}
	i := int(l.place) - 1
	s.heap[i].due, l.turn = due, s.turns.Add(1)
	s.down(s.up(i))
	s.show()
}

// remove takes a lane out of the schedule, if it is in.
func (s *schedule) remove(l *lane) {
	if l.place == 0 {
		return
	}
	i, last := int(l.place)-1, len(s.heap)-1
	s.swap(i, last)
	s.heap[last], s.heap = entry{}, s.heap[:last]
	l.place = 0
	if i < last {
		s.down(s.up(i))
	}
	s.show()
}

// show lets all see when the first lane is due.
func (s *schedule) show() {
	l, due := s.next()
	if l != nil {
		s.headTurn.Store(l.turn)
	}
	s.head.Store(due)
}

func (s *schedule) less(i, j int) bool {
	a, b := s.heap[i], s.heap[j]
	if a.due != b.due {
		return a.due < b.due
	}
	return a.lane.turn < b.lane.turn
}

func (s *schedule) swap(i, j int) {
	s.heap[i], s.heap[j] = s.heap[j], s.heap[i]
	s.heap[i].lane.place, s.heap[j].lane.place = int32(i+1), int32(j+1)
}

func (s *schedule) up(i int) int {
	for i > 0 {
		parent := (i - 1) / arity
		if !s.less(i, parent) {
			break
		}
		s.swap(i, parent)
		i = parent
	}
	return i
}

func (s *schedule) down(i int) {
	for {
		least := i
		for child := arity*i + 1; child <= arity*i+arity && child < len(s.heap); child++ {
			if s.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		s.swap(i, least)
		i = least
	}
}
