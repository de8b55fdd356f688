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
	own := it.campaign
	turns := own.pass
	if own.at >= q.ready {
		turns = max(turns, *q.passOf(int(own.priority)))
	}
	for _, c := range q.turns() {
		if c == own {
			mine := c.count(it.seq)
			n += mine
			turns += uint64(mine)
		}
	}
	for _, c := range q.turns() {
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
	for _, it := range c.ready.items() {
		for ; it != nil && it.seq < seq; it = it.next {
			n++
		}
	}
	return n
}
