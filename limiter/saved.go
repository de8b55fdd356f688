package limiter

import "math"

// saved is one meter's record outside of any shard, with its times on the wall.
type saved struct {
	words []int64
	logs  [][]int64
	sets  [][]sighting
}

// save takes a meter's record out of its cells. shift is the wall less the ticks.
func save(m meter, c cells, shift int64) saved {
	s := saved{words: make([]int64, len(c.words))}
	for i, what := range m.layout() {
		word := c.words[i]
		switch what {
		case aTick:
			s.words[i] = move(word, shift)
		case aSerial: // nobody has a permit of before once this is restored
		case aLog, aTally:
			log := c.stock.logs.at(word)
			list := make([]int64, log.len())
			for k := range list {
				list[k] = log.at(k)
				if what == aLog {
					list[k] = move(list[k], shift)
				}
			}
			s.logs = append(s.logs, list)
		case aSet:
			var set []sighting
			if held := c.stock.sets.at(word); held != nil {
				for k := range held.n {
					if p := held.place(k); held.living(p) {
						set = append(set, sighting{held.ring[p].who, move(held.ring[p].at, shift)})
					}
				}
			}
			s.sets = append(s.sets, set)
		case aSends: // what is in flight is counted again when this is restored
			s.words[i] = word & mostSends
		case aCount, aWall, aFlights, aSum:
			s.words[i] = word
		}
	}
	return s
}

// load puts a record into fresh cells.
func (s saved) load(m meter, c cells, shift int64) {
	logs, sets := s.logs, s.sets
	for i, what := range m.layout() {
		switch what {
		case aTick:
			c.words[i] = move(s.words[i], -shift)
		case aSerial:
		case aLog, aTally:
			if list := logs[0]; len(list) > 0 {
				c.words[i] = c.stock.logs.open()
				log := c.stock.logs.at(c.words[i])
				for _, v := range list {
					if what == aLog {
						v = move(v, -shift)
					}
					log.push(v, never)
				}
			}
			logs = logs[1:]
		case aSet:
			if set := sets[0]; len(set) > 0 {
				c.words[i] = c.stock.sets.open()
				held := c.stock.sets.at(c.words[i])
				for _, seen := range set {
					held.put(seen.who, move(seen.at, -shift))
				}
			}
			sets = sets[1:]
		case aCount, aWall, aFlights, aSends, aSum:
			c.words[i] = s.words[i]
		}
	}
}

// move shifts a tick; the extremes are no times and stay.
func move(tick, shift int64) int64 {
	if tick == math.MinInt64 || tick == never {
		return tick
	}
	return add(tick, shift)
}

func (w *writer) saved(m meter, s saved) {
	logs, sets := s.logs, s.sets
	for i, what := range m.layout() {
		switch what {
		case aLog, aTally:
			w.count(len(logs[0]))
			before := int64(0)
			for _, v := range logs[0] {
				w.int(v - before) // wraps, and back again
				before = v
			}
			logs = logs[1:]
		case aSet:
			w.count(len(sets[0]))
			before := int64(0)
			for _, seen := range sets[0] {
				w.fixed(seen.who)
				w.int(seen.at - before)
				before = seen.at
			}
			sets = sets[1:]
		case aCount, aTick, aWall, aFlights, aSends, aSum:
			w.int(s.words[i])
		case aSerial:
		}
	}
}

func (r *reader) saved(m meter) saved {
	layout := m.layout()
	s := saved{words: make([]int64, len(layout))}
	for i, what := range layout {
		switch what {
		case aLog, aTally:
			list := make([]int64, r.count(1))
			before := int64(0)
			for k := range list {
				before += r.int()
				list[k] = before
				if what == aLog && k > 0 && list[k] < list[k-1] {
					r.fail("times are out of order")
				}
				if what == aLog {
					r.newest = max(r.newest, before)
				}
			}
			s.logs = append(s.logs, list)
		case aSet:
			set := make([]sighting, r.count(9))
			seen := make(map[uint64]bool, len(set))
			before := int64(0)
			for k := range set {
				who := r.fixed()
				before += r.int()
				set[k] = sighting{who, before}
				if seen[who] || k > 0 && before < set[k-1].at {
					r.fail("recipients are out of order")
				}
				seen[who] = true
				r.newest = max(r.newest, before)
			}
			s.sets = append(s.sets, set)
		case aCount, aTick, aWall, aFlights, aSends, aSum:
			s.words[i] = r.int()
			if s.words[i] < 0 && (what == aCount || what == aFlights || what == aSends) {
				r.fail("a count is negative")
			}
		case aSerial:
		}
	}
	if r.bad == nil && !m.sound(s) {
		r.fail("a record of kind %T is impossible", m)
	}
	return s
}
