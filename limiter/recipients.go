package limiter

// recipients are distinct recipients by the time of the last send to each: a ring
// of sightings in the order of their times, and an index from a recipient to its
// sighting. A recipient is its hash. A sighting that was renewed stays in the ring,
// dead, until it is passed by or the ring is full.
type recipients struct {
	ring  []sighting
	first int
	n     int // sightings in the ring, dead ones too
	alive int

	index []uint32 // places in the ring, plus 1; open addressing
	past  cursor
}

// A sighting is a send to a recipient: the last one, or it is dead.
type sighting struct {
	who uint64
	at  int64
}

// A cursor says how many sightings have left the window, and how many of those are
// alive. It remembers the last look, because the next is mostly just after it, and
// means nothing more.
type cursor struct{ gone, alive int }

// place is where sighting i is kept.
func (s *recipients) place(i int) int {
	if i += s.first; i >= len(s.ring) {
		i -= len(s.ring)
	}
	return i
}

// find returns where in the index the recipient stands, or belongs, and the place
// of its sighting, or -1.
func (s *recipients) find(who uint64) (at, place int) {
	if len(s.index) == 0 {
		return 0, -1
	}
	mask := len(s.index) - 1
	for at = int(who) & mask; ; at = (at + 1) & mask {
		p := int(s.index[at]) - 1
		if p < 0 || s.ring[p].who == who {
			return at, p
		}
	}
}

func (s *recipients) living(place int) bool {
	_, p := s.find(s.ring[place].who)
	return p == place
}

// look moves the cursor to what has left the window at tick now, and returns how
// many recipients have not.
func (s *recipients) look(now int64, window uint64) int {
	expired := func(i int) bool {
		at := s.ring[s.place(i)].at
		return at <= now && since(now, at) >= window
	}
	for c := &s.past; ; {
		switch {
		case c.gone < s.n && expired(c.gone):
			if s.living(s.place(c.gone)) {
				c.alive++
			}
			c.gone++
		case c.gone > 0 && !expired(c.gone-1):
			c.gone--
			if s.living(s.place(c.gone)) {
				c.alive--
			}
		default:
			return s.alive - c.alive
		}
	}
}

// nth is the time of the nth living sighting that has not left the window, from 1.
// It requires that the cursor is at the window and that there are so many.
func (s *recipients) nth(n int64) int64 {
	for i := s.past.gone; ; i++ {
		if p := s.place(i); s.living(p) {
			if n--; n <= 0 {
				return s.ring[p].at
			}
		}
	}
}

// drop forgets what the cursor has passed.
func (s *recipients) drop() {
	for ; s.past.gone > 0; s.past.gone-- {
		if at, p := s.find(s.ring[s.first].who); p == s.first {
			s.unlink(at)
		}
		s.first, s.n = s.place(1), s.n-1
	}
	s.past = cursor{}
}

// last is the time of the latest sighting, or otherwise where there is none.
func (s *recipients) last(otherwise int64) int64 {
	if s.n == 0 {
		return otherwise
	}
	return s.ring[s.place(s.n-1)].at
}

// put sights a recipient at a time that is not before the last.
func (s *recipients) put(who uint64, at int64) {
	if s.n == len(s.ring) {
		s.rebuild(at, false)
	}
	s.n++
	p := s.place(s.n - 1)
	i, before := s.find(who)
	s.ring[p] = sighting{who, at}
	if before < 0 {
		s.alive++
	}
	s.index[i] = uint32(p) + 1
}

// remove forgets a recipient whose sighting is of that time.
func (s *recipients) remove(who uint64, at int64) {
	if i, p := s.find(who); p >= 0 && s.ring[p].at == at {
		s.unlink(i)
	}
}

// unlink takes an entry out of the index and moves those up that it kept from
// their own.
func (s *recipients) unlink(i int) {
	s.alive--
	mask := len(s.index) - 1
	for j := i; ; {
		j = (j + 1) & mask
		p := int(s.index[j]) - 1
		if p < 0 {
			s.index[i] = 0
			return
		}
		if own := int(s.ring[p].who) & mask; (j-own)&mask >= (j-i)&mask {
			s.index[i] = s.index[j]
			i = j
		}
	}
}

// rebuild leaves the dead out of the ring and makes room for one more at least. A
// ring with few dead grows by an eighth. With restart every sighting moves to at.
func (s *recipients) rebuild(at int64, restart bool) {
	ring := make([]sighting, 0, max(4, s.alive+s.alive/8+1))
	for i := range s.n {
		if p := s.place(i); s.living(p) {
			seen := s.ring[p]
			if restart {
				seen.at = at
			}
			ring = append(ring, seen)
		}
	}
	size := 4
	for 7*size < 8*cap(ring) {
		size *= 2
	}
	s.ring, s.first, s.n, s.alive, s.past = ring[:cap(ring)], 0, len(ring), 0, cursor{}
	s.index = make([]uint32, size)
	for p := range s.n {
		i, _ := s.find(ring[p].who)
		s.index[i] = uint32(p) + 1
		s.alive++
	}
}
