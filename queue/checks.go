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
	parked   []*item // as they rank
	seq      uint64  // of the one that ranks first
	priority int32   // of that one
	place    int32   // in the heap that it is in, plus 1; 0 means in none
	failed   int32   // how often in a row
	rests    bool    // it is in the heap of those that rest
	underway bool    // a message carries it out
}

func (c *check) seat(i int) { c.place = int32(i + 1) }

func (c *check) less(other *check) bool {
	if c.priority != other.priority {
		return c.priority > other.priority
	}
	return c.seq < other.seq
}

// park adds a message that is in no list.
func (c *check) park(it *item) {
	it.phase = parked
	i, _ := slices.BinarySearchFunc(c.parked, it, func(a, b *item) int {
		if ranks(a, b) {
			return -1
		}
		return 1
	})
	c.parked = slices.Insert(c.parked, i, it)
	c.rank()
}

// rank has a check rank as the first of its messages that wait.
func (c *check) rank() {
	if len(c.parked) > 0 {
		c.priority, c.seq = c.parked[0].campaign.priority, c.parked[0].seq
	}
}

// park adds a message that is in no list to a check.
func (c *checks) park(to *check, it *item) {
	to.park(it)
	c.reorder(to)
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
	default:
		from.rank()
		c.reorder(from)
	}
}

// reorder puts a check where it belongs once it ranks otherwise.
func (c *checks) reorder(one *check) {
	switch {
	case one.place == 0:
	case one.rests:
		c.resting.fix(int(one.place) - 1)
	default:
		first := c.asking[0]
		c.asking.fix(int(one.place) - 1)
		c.look(first)
	}
}

// look has the check that is first now go on at once, where another one was: what kept
// that one back may not keep this one.
func (c *checks) look(before *check) {
	if c.asking[0] != before {
		c.until = time.Time{}
	}
}

// ask has a check, which is in no heap, ask for its turn.
func (c *checks) ask(one *check) {
	var first *check
	if len(c.asking) > 0 {
		first = c.asking[0]
	}
	one.rests = false
	c.asking.push(one)
	c.look(first)
}

// rest has a check, which is in no heap, rest until a time.
func (c *checks) rest(one *check, until time.Time) {
	one.rests = true
	c.resting.push(resting{one, until})
}

// take takes a check out of the heap that it is in, if it is in one.
func (c *checks) take(one *check) {
	switch {
	case one.place == 0:
	case one.rests:
		c.resting.remove(int(one.place) - 1)
	default:
		c.asking.remove(int(one.place) - 1)
	}
}

// settle forgets a check and returns the messages that wait for it, as they rank.
func (c *checks) settle(done *check) []*item {
	c.take(done)
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
	c.rest(failed, now.Add(rest(int(failed.failed))))
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
	for len(c.resting) > 0 && !c.resting[0].until.After(now) {
		c.ask(c.resting.pop().check)
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
	for len(c.resting) > 0 {
		c.ask(c.resting.pop().check)
	}
}

// follows reports whether a message ranks before the check.
func (c *check) follows(it *item) bool {
	if p := it.campaign.priority; p != c.priority {
		return p > c.priority
	}
	return it.seq < c.seq
}
