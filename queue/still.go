package queue

import (
	"hash/maphash"
	"slices"
)

// A still is the messages of a sketch as those of a lane, to be stepped ahead of the
// clock.
type still struct {
	line    line
	claimed []*item
	parked  []*item // in no order; until is when the check of each may be tried again
	target  *item   // the message that is asked for
}

// still is the messages of a sketch. Those of two stills have nothing in common but
// their terms.
func (s *sketch) still(seed maphash.Seed) *still {
	to := &still{line: newLine(newShard(seed))}
	campaigns := to.line.resume(s.campaigns, s.ready, slices.Clone(s.passed))
	items, ways := make([]item, len(s.marks)), make([]way, len(s.times))
	for i := range s.marks {
		m, it := &s.marks[i], &items[i]
		it.core, it.campaign, it.phase = m.core, campaigns[m.campaign].campaign, m.phase
		if m.stay > 0 {
			times := s.stayOf(m)
			it.way = &ways[m.stay-1]
			it.way.until, it.way.typed, it.way.began, it.way.again = times.until, times.typed, times.began, times.again
		}
		if m.behind {
			it.prev, items[i-1].next = &items[i-1], it
		}
		if m.ends {
			to.line.more().ends.push(it)
		}
		switch {
		case m.behind:
		case m.phase == waiting:
			it.campaign.ready.push(it)
		case m.phase == delayed:
			to.line.more().later.push(it)
		case m.phase == parked:
			to.parked = append(to.parked, it)
		}
	}
	for _, i := range s.claimed {
		to.claimed = append(to.claimed, &items[i])
	}
	if s.target >= 0 {
		to.target = &items[s.target]
	}
	return to
}
