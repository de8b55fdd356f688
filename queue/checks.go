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

// park adds a message that is in no list. It reports whether the check ranks higher
// for it.
func (c *check) park(it *item) (higher bool) {
	it.phase = parked
	i := 0
	for i < len(c.parked) && ranks(c.parked[i], it) {
		i++
	}
	c.parked = slices.Insert(c.parked, i, it)
	if i > 0 || c.priority > it.priority() || c.priority == it.priority() && c.seq <= it.seq {
		return false
	}
	c.priority, c.seq = it.priority(), it.seq
	return true
}

// park adds a message that is in no list to a check.
func (c *checks) park(to *check, it *item) {
	if !to.park(it) {
		return
	}
	asking := c.asking
	c.asking = nil
	for _, a := range asking {
		c.asking.push(a)
	}
}

// unpark takes out a message that waits for a check.
func (c *checks) unpark(it *item) {
	if from := c.all[it.to]; from != nil {
		from.parked = slices.DeleteFunc(from.parked, func(p *item) bool { return p == it })
	}
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
