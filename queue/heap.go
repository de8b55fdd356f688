package queue

// A heap is a binary heap, the least first.
type heap[T lesser[T]] []T

type lesser[T any] interface{ less(than T) bool }

// push puts one in.
func (h *heap[T]) push(v T) {
	*h = append(*h, v)
	s := *h
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if !s[i].less(s[parent]) {
			return
		}
		s[i], s[parent] = s[parent], s[i]
		i = parent
	}
}

// pop takes the least out. There must be one.
func (h *heap[T]) pop() T {
	s := *h
	last := len(s) - 1
	least := s[0]
	var none T
	s[0], s[last] = s[last], none
	s = s[:last]
	*h = s
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return least
		}
		if child+1 < last && s[child+1].less(s[child]) {
			child++
		}
		if !s[child].less(s[i]) {
			return least
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
}
