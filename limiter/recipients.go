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

	index []uint32 // places in the ring, plus 1, and perhaps again; open addressing
	past  cursor
}

// A sighting is a send to a recipient: the last one, or it is dead.
type sighting struct {
	who uint64
	at  int64
}

// again, in the index, says that the recipient was sighted before at the same
// instant, so that whoever did so first can no longer take it back.
const again = 1 << 31

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
		p := int(s.index[at]&^again) - 1
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

// nth is the nth living sighting that has not left the window, from 1. It requires
// that the cursor is at the window and that there are so many.
func (s *recipients) nth(n int64) sighting {
	if s.alive == s.n { // none is dead
		return s.ring[s.place(s.past.gone+int(n)-1)]
	}
	for i := s.past.gone; ; i++ {
		if p := s.place(i); s.living(p) {
			if n--; n <= 0 {
				return s.ring[p]
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

// put sights a recipient at a time that is not before the last.
func (s *recipients) put(who uint64, at int64) {
	if s.n == len(s.ring) {
		s.rebuild(at, false)
	}
	s.n++
	p := s.place(s.n - 1)
	i, before := s.find(who)
	entry := uint32(p) + 1
	switch {
	case before < 0:
		s.alive++
	case s.ring[before].at == at:
		entry |= again
	}
	s.ring[p] = sighting{who, at}
	s.index[i] = entry
}

// remove forgets a recipient whose first sighting is of that time, and the last.
func (s *recipients) remove(who uint64, at int64) {
	if i, p := s.find(who); p >= 0 && s.ring[p].at == at && s.index[i]&again == 0 {
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
		p := int(s.index[j]&^again) - 1
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
	room := max(4, s.alive+s.alive/8+1)
	size := 4
	for 7*size < 8*room {
		size *= 2
	}
	fresh := recipients{ring: make([]sighting, room), index: make([]uint32, size)}
	for i := range s.n {
		p := s.place(i)
		seen := s.ring[p]
		entry, last := s.find(seen.who)
		if last != p {
			continue
		}
		if restart {
			seen.at = at
		}
		own, _ := fresh.find(seen.who)
		fresh.ring[fresh.n] = seen
		fresh.n++
		fresh.alive++
		fresh.index[own] = uint32(fresh.n) | s.index[entry]&again
	}
	*s = fresh
}
