package limiter

import "slices"

// A lookback is where a peek has found the clock of an account, or a portfolio, set
// back: at tick to, when the latest at which something was taken or settled was last.
// A peek restarts no wait, since its time may be any; it looks at copies in which they
// are. The next one goes on from the lookback, so that whoever is told to wait is told
// once, and so does whoever takes or settles something then.
type lookback struct{ last, to int64 }

// A rewinding is a restart of waits, from the latest tick of before.
type rewinding struct {
	from int64
	to   instant
}

// restarts is the instant from which the waits of account i run again, whose clock was
// set back to an instant.
func (s *shard) restarts(i uint32, at instant) instant {
	if b, ok := s.lookbacks[i]; ok && b.last == s.accounts.at(i).last && b.to <= at.tick {
		return instant{b.to, sub(at.wall, clamp(since(at.tick, b.to))), at.steady}
	}
	return at
}

// forgetLookback forgets the lookback of account i: something was taken or settled, or
// its clock has not been set back after all.
func (l *Limiter) forgetLookback(s *shard, i uint32) {
	if _, ok := s.lookbacks[i]; ok {
		delete(s.lookbacks, i)
		l.holds.count.Add(-1)
	}
}

// lookBack fills in what an account or portfolio holds whose clock was set back to an
// instant, for a peek.
func (l *Limiter) lookBack(h *holder, s *shard, pl *plan, scope int, at instant) {
	last := h.record.last
	h.back = &rewinding{last, s.restarts(h.number, at)}
	if s.lookbacks == nil {
		s.lookbacks = make(map[uint32]lookback)
	}
	if _, ok := s.lookbacks[h.number]; !ok {
		l.holds.count.Add(1)
	}
	s.lookbacks[h.number] = lookback{last, h.back.to.tick}
	h.at, h.words = at, s.mine(pl, scope, h.number, h.record)
	h.imagine(pl, scope)
}

// imagine restarts the holder's waits in copies of what it has.
func (h *holder) imagine(pl *plan, scope int) {
	h.words = h.words.clone()
	copies := new(stock)
	for rules := pl.in[scope]; rules != 0; rules &= rules - 1 {
		r := &pl.rules[rules.first()]
		c := cells{h.words.of(r), copies}
		h.stock.copyTo(copies, r.layout(), c.words)
		r.rewind(c, h.key, h.back.from, h.back.to.tick)
	}
	h.stock = copies
}

// copyTo copies what a meter's words refer to, and has them refer to that.
func (s *stock) copyTo(o *stock, layout []cell, words []int64) {
	for i, c := range layout {
		switch c {
		case aLog, aTally:
			if from := s.logs.at(words[i]); from != nil {
				words[i] = o.logs.open()
				*o.logs.at(words[i]) = log{slices.Clone(from.ring), from.first, from.n}
			}
		case aSet:
			if from := s.sets.at(words[i]); from != nil {
				words[i] = o.sets.open()
				to := o.sets.at(words[i])
				*to = *from
				to.ring, to.index = slices.Clone(from.ring), slices.Clone(from.index)
			}
		case aCount, aTick, aWall, aSerial, aFlights, aSends, aSum:
		}
	}
}
