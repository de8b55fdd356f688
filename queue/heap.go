package queue

// A heap is a binary heap, the least first, of values that know where they are in it.
type heap[T seated[T]] []T

type seated[T any] interface {
	less(than T) bool
	seat(i int) // its place in the heap, -1 once it is out
}

// push puts one in.
func (h *heap[T]) push(v T) {
	*h = append(*h, v)
	last := len(*h) - 1
	v.seat(last)
	h.fix(last)
}

// pop takes the least out. There must be one.
func (h *heap[T]) pop() T {
	least := (*h)[0]
	h.remove(0)
	return least
}

// remove takes out the one at a place.
func (h *heap[T]) remove(i int) {
	s := *h
	last := len(s) - 1
	moved := s[last]
	s[i].seat(-1)
	var none T
	s[last] = none
	*h = s[:last]
	if i == last {
		return
	}
	s[i] = moved
	moved.seat(i)
	h.fix(i)
}

// fix puts the one at a place where it belongs.
func (h *heap[T]) fix(i int) {
	s := *h
	for i > 0 && s[i].less(s[(i-1)/2]) {
		s.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	for {
		child := 2*i + 1
		if child+1 < len(s) && s[child+1].less(s[child]) {
			child++
		}
		if child >= len(s) || !s[child].less(s[i]) {
			return
		}
		s.swap(i, child)
		i = child
	}
}

func (h heap[T]) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].seat(i)
	h[j].seat(j)
}
