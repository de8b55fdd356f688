package limiter

// A log is a ring of numbers, mostly ticks, oldest first. A nil log is empty.
type log struct {
	ring  []int64
	first int
	n     int
}

func (l *log) len() int {
	if l == nil {
		return 0
	}
	return l.n
}

// slot is where entry i is kept.
func (l *log) slot(i int) int {
	if i += l.first; i >= len(l.ring) {
		i -= len(l.ring)
	}
	return i
}

func (l *log) at(i int) int64 { return l.ring[l.slot(i)] }

func (l *log) set(i int, v int64) { l.ring[l.slot(i)] = v }

// before is how many entries are at least window older than now. It looks from
// the oldest on in growing steps: few entries expire between two looks.
func (l *log) before(now int64, window uint64) int {
	expired := func(i int) bool {
		at := l.at(i)
		return at <= now && since(now, at) >= window
	}
	lo, hi := 0, 1
	for hi <= l.n && expired(hi-1) {
		lo, hi = hi, 2*hi
	}
	hi = min(hi-1, l.n)
	for lo < hi {
		if mid := int(uint(lo+hi) / 2); expired(mid) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// drop forgets the k oldest entries.
func (l *log) drop(k int) {
	if k > 0 {
		l.first, l.n = l.slot(k), l.n-k
	}
}

// push appends an entry. The ring grows by doubling and never beyond most.
func (l *log) push(at, most int64) {
	if l.n == len(l.ring) {
		size := max(4, 2*int64(l.n))
		ring := make([]int64, min(size, most))
		for i := range l.n {
			ring[i] = l.at(i)
		}
		l.ring, l.first = ring, 0
	}
	l.n++
	l.ring[l.slot(l.n-1)] = at
}

// remove takes out up to cost entries of the instant at.
func (l *log) remove(at, cost int64) {
	end := l.n
	for end > 0 && l.at(end-1) > at {
		end--
	}
	start := end
	for start > 0 && int64(end-start) < cost && l.at(start-1) == at {
		start--
	}
	for i := end; i < l.n; i++ {
		l.ring[l.slot(start+i-end)] = l.at(i)
	}
	l.n -= end - start
}

// fill sets every entry to the instant at.
func (l *log) fill(at int64) {
	for i := range l.n {
		l.ring[l.slot(i)] = at
	}
}
