package queue

import "time"

// A schedule is the lanes that wait for a time, the next one first: a 4-ary heap,
// which is flatter than a binary one and moves fewer lanes. Lanes that are due at
// once are served in the order they were scheduled.
type schedule struct {
	heap []*lane
	n    uint64
}

const arity = 4

// next is the lane that is due first, or nil.
func (s *schedule) next() *lane {
	if len(s.heap) == 0 {
		return nil
	}
	return s.heap[0]
}

// set schedules a lane for a time, or moves it there.
func (s *schedule) set(l *lane, due time.Time) {
	if l.place == 0 {
		s.heap = append(s.heap, l)
		l.place = len(s.heap)
	} else if l.due.Equal(due) {
		return
	}
	s.n++
	l.due, l.order = due, s.n
	s.down(s.up(l.place - 1))
}

// remove takes a lane out of the schedule, if it is in.
func (s *schedule) remove(l *lane) {
	if l.place == 0 {
		return
	}
	i, last := l.place-1, len(s.heap)-1
	s.swap(i, last)
	s.heap[last], s.heap = nil, s.heap[:last]
	l.place = 0
	if i < last {
		s.down(s.up(i))
	}
}

func (s *schedule) less(i, j int) bool {
	a, b := s.heap[i], s.heap[j]
	if c := a.due.Compare(b.due); c != 0 {
		return c < 0
	}
	return a.order < b.order
}

func (s *schedule) swap(i, j int) {
	s.heap[i], s.heap[j] = s.heap[j], s.heap[i]
	s.heap[i].place, s.heap[j].place = i+1, j+1
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
