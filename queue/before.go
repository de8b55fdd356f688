package queue

import "math"

// before is how many messages of the line go before another one does, as things stand:
// those that may go now, and those of its chain. Those on their way are not counted.
func (q *line) before(it *item) (n int) {
	if q.head(it).phase != waiting {
		for before := it.prev; before != nil; before = before.prev {
			if !before.phase.claimed() {
				n++
			}
		}
	}
	all, ready := q.contenders()
	own := all[it.campaign.at]
	turns := own.pass
	if int(own.at) < ready {
		mine := own.count(it.seq)
		n += mine
		turns += uint64(mine)
	} else {
		turns = max(turns, q.passed(own.priority))
	}
	for _, c := range all[:ready] {
		switch {
		case c == own, c.priority < own.priority:
		case c.priority > own.priority:
			n += c.count(math.MaxUint64)
		case c.pass <= turns:
			theirs := turns - c.pass
			if c.ready.first().seq < it.seq {
				theirs++
			}
			n += int(min(theirs, uint64(c.count(math.MaxUint64))))
		}
	}
	return n
}

// count is how many messages of a campaign may go, with those that follow them in
// their chains, that came before another one.
func (c *campaign) count(seq uint64) (n int) {
	for it := range c.ready.all() {
		for ; it != nil && it.seq < seq; it = it.next {
			n++
		}
	}
	return n
}
