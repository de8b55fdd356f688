package queue

import (
	"slices"
	"time"
)

// checks are the recipients of a lane that are to be verified, by number, and so
// in the order of their messages where they wait for budget or their turn, and of
// their times where they rest after a check that failed. A recipient that is being
// checked is in neither heap.
type checks struct {
	all     map[string]*check
	asking  heap[*check]
	resting heap[resting]
	until   time.Time // when those that ask may go on
}

// A check is a recipient that is to be verified, with the messages to it that were
// next in their lane. The one that carries the check out is not among them.
type check struct {
	to       string
	priority int     // of the message that ranks first
	seq      uint64  // of that one
	parked   []*item // as they rank
	failed   int     // how often in a row
	underway bool    // a message carries it out
	settled  bool
}

func (c *check) less(other *check) bool {
	if c.priority != other.priority {
		return c.priority > other.priority
	}
	return c.seq < other.seq
}

// park adds a message that is in no list. It reports whether the check ranks otherwise
// for it.
func (c *check) park(it *item) (moved bool) {
	it.phase = parked
	i := 0
	for i < len(c.parked) && ranks(c.parked[i], it) {
		i++
	}
	c.parked = slices.Insert(c.parked, i, it)
	return c.rank()
}

// rank has a check rank as the first of its messages that wait. It reports whether it
// did not.
func (c *check) rank() (moved bool) {
	if len(c.parked) == 0 {
		return false
	}
	first := c.parked[0]
	moved = c.priority != first.priority() || c.seq != first.seq
	c.priority, c.seq = first.priority(), first.seq
	return moved
}

// park adds a message that is in no list to a check.
func (c *checks) park(to *check, it *item) {
	if to.park(it) {
		c.reorder()
	}
}

// unpark takes out a message that waits for a check. One that nobody waits for any more
// is not carried out.
func (c *checks) unpark(it *item) {
	from := c.all[it.to]
	if from == nil {
		return
	}
	from.parked = slices.DeleteFunc(from.parked, func(p *item) bool { return p == it })
	switch {
	case from.underway:
	case len(from.parked) == 0:
		c.settle(from)
	case from.rank():
		c.reorder()
	}
}

// reorder puts the checks in order once one ranks otherwise.
func (c *checks) reorder() {
	asking, resting := c.asking, c.resting
	c.asking, c.resting = nil, nil
	for _, a := range asking {
		c.asking.push(a)
	}
	for _, r := range resting {
		c.resting.push(r)
	}
}

// settle forgets a check and returns the messages that wait for it, as they rank.
func (c *checks) settle(done *check) []*item {
	done.settled = true
	delete(c.all, done.to)
	all := done.parked
	done.parked = nil
	return all
}

// fail has a check that failed rest. One that nobody waits for is not carried out again.
func (c *checks) fail(failed *check, now time.Time) {
	if len(failed.parked) == 0 {
		c.settle(failed)
		return
	}
	failed.failed++
	c.resting.push(resting{failed, now.Add(rest(failed.failed))})
}

// A resting check is one that failed and is carried out again later.
type resting struct {
	*check
	until time.Time
}

func (r resting) less(other resting) bool {
	if c := r.until.Compare(other.until); c != 0 {
		return c < 0
	}
	return r.check.less(other.check)
}

// first is the check to be carried out first, or nil. Those whose rest is over ask
// again.
func (c *checks) first(now time.Time) *check {
	for len(c.resting) > 0 && (c.resting[0].settled || !c.resting[0].until.After(now)) {
		c.asking.push(c.resting.pop().check)
	}
	for len(c.asking) > 0 && c.asking[0].settled {
		c.asking.pop()
	}
	if len(c.asking) == 0 {
		return nil
	}
	return c.asking[0]
}

// due is when the checks have something to do next.
func (c *checks) due() (due time.Time, ok bool) {
	if len(c.asking) > 0 {
		due, ok = c.until, true
	}
	if len(c.resting) > 0 && (!ok || c.resting[0].until.Before(due)) {
		due, ok = c.resting[0].until, true
	}
	return due, ok
}

// restart lets everything ask again: the clock was set back.
func (c *checks) restart() {
	c.until = time.Time{}
	for i := range c.resting {
		c.asking.push(c.resting[i].check)
	}
	clear(c.resting)
	c.resting = c.resting[:0]
}

// follows reports whether a message ranks before the check.
func (c *check) follows(it *item) bool {
	if c.priority != it.priority() {
		return it.priority() > c.priority
	}
	return it.seq < c.seq
}
