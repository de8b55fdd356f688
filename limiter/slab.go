package limiter

// A slab keeps rows by number. Pages do not move once full, so a slab of a million
// rows grows without copying them.
type slab[T any] struct {
	pages [][]T
	free  []uint32
	n     uint32 // rows in use or free
}

const (
	pageBits = 8
	pageRows = 1 << pageBits
)

// one is row i of a slab whose rows are single items. It is valid until the next
// call of take.
func (s *slab[T]) one(i uint32) *T { return &s.pages[i>>pageBits][i%pageRows] }

// row is row i of a slab whose rows have that many items, valid as one is.
func (s *slab[T]) row(i uint32, items int) []T {
	page, from := s.pages[i>>pageBits], int(i%pageRows)*items
	return page[from : from+items : from+items]
}

// take returns a row that nobody uses, with what was last in it. items is how many
// a row has, and the same for all rows of a slab.
func (s *slab[T]) take(items int) uint32 {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		return i
	}
	i := s.n
	s.n++
	s.reach(i, items)
	return i
}

// reach makes room for row i.
func (s *slab[T]) reach(i uint32, items int) {
	last := int(i >> pageBits)
	for last >= len(s.pages) {
		s.pages = append(s.pages, nil)
	}
	page := s.pages[last]
	if need := int(i%pageRows+1) * items; need > len(page) {
		// The first page starts small; later ones come whole.
		rows := pageRows
		if last == 0 {
			rows = min(pageRows, max(4, 2*int(i)))
		}
		grown := make([]T, rows*items)
		copy(grown, page)
		s.pages[last] = grown
	}
}

// give takes row i back.
func (s *slab[T]) give(i uint32) { s.free = append(s.free, i) }
