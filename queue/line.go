package queue

import "time"

// A line is the messages of a lane, in the order they go out: those of a higher
// priority first, then the campaigns in turn, then as they came. Those of one
// priority and campaign to one recipient are a chain, and only the first of a chain
// may go: the next one follows when that is done with. So what waits for something
// of its own holds up nothing but its chain.
//
// A message is in the line until it is done with, also while it is on its way.
type line struct {
	shard  *shard       // that keeps the chains
	sole   [1]*campaign // the only one that has messages, where there are no others
	rare   *rare        // made once used
	passed uint64       // where the turns of priority 0 stand
	n      int32        // how many messages there are
	ready  int32        // how many campaigns have a message that may go
}

// A rare is what the lines of most lanes have no use for.
type rare struct {
	later  pile[byTime]               // the first of chains that wait for a time
	ends   pile[byEnd]                // those that expire and are not on their way
	heard  []*campaign                // all that have messages, where they are several
	names  map[campaignName]*campaign // the same, where they are many
	passed []priorityPass             // where the turns of the other priorities stand
	seeker *seeker                    // where chains are long and messages are asked for
}

// more is the rest of a line that has a use for it.
func (q *line) more() *rare {
	if q.rare == nil {
		q.rare = &rare{}
	}
	return q.rare
}

// nextLater is the message that waits for a time which comes first, or nil.
func (q *line) nextLater() *item {
	if q.rare == nil {
		return nil
	}
	return q.rare.later.first()
}

// nextEnd is the message that expires first, or nil.
func (q *line) nextEnd() *item {
	if q.rare == nil {
		return nil
	}
	return q.rare.ends.first()
}

// A campaign is the messages of one priority and campaign.
type campaign struct {
	name     string
	ready    pile[bySeq]
	pass     uint64 // how many turns it has had; one that comes late begins with the others
	priority int32
	at       int32  // among all that have messages
	n        int32  // how many messages it has
	salt     uint32 // of its chains' hashes
}

type priorityPass struct {
	priority int
	pass     uint64
}

// first is the message that goes next, or nil.
func (q *line) first() *item {
	if q.ready == 0 {
		return nil
	}
	return q.heard()[0].ready.first()
}

// join puts a new message in, of a campaign and priority.
func (q *line) join(it *item, campaign string, priority int, now time.Time) {
	q.stir()
	c := q.campaign(campaign, priority)
	it.campaign = c
	c.n++
	q.n++
	q.mayExpire(it)
	chains := &q.shard.chains
	last := chains.last(c, it.asked())
	it.hash = chains.hashOf(c, it.asked())
	if last == nil {
		chains.add(it)
		q.lead(it, now)
		return
	}
	before := last
	for before != nil && before.seq > it.seq && (before.phase == behind || before.phase == waiting || before.phase == delayed) {
		before = before.prev // it was overtaken on its way into the line
	}
	switch before {
	case last:
		chains.remove(last)
		chains.add(it)
	case nil:
		it.next = q.head(last)
		q.unlist(it.next)
		it.next.phase = behind
	default:
		it.next = before.next
	}
	it.prev = before
	if it.next != nil {
		it.next.prev = it
	}
	if q.rare != nil {
		q.rare.seeker.joined(it)
	}
	if before == nil {
		q.lead(it, now)
		return
	}
	before.next, it.phase = it, behind
}

// head is the first message of a chain.
func (q *line) head(it *item) *item {
	for it.prev != nil {
		it = it.prev
	}
	return it
}

// leave takes a message out for good. The next one of its chain may go then.
func (q *line) leave(it *item, now time.Time) {
	q.stir()
	q.unlist(it)
	q.forgetEnd(it)
	if q.rare != nil {
		q.rare.seeker.left(it)
	}
	prev, next := it.prev, it.next
	it.prev, it.next = nil, nil
	if next != nil && it.met {
		next.meet()
	}
	switch {
	case next != nil:
		next.prev = prev
	case prev != nil:
		q.shard.chains.remove(it)
		q.shard.chains.add(prev)
	default:
		q.shard.chains.remove(it)
	}
	if prev != nil {
		prev.next = next
	} else if next != nil {
		q.lead(next, now)
	}
	q.n--
	if it.campaign.n--; it.campaign.n == 0 {
		q.dismiss(it.campaign)
	}
	it.campaign = nil
}

// lead makes a message that is the first of its chain one that may go, now or later.
func (q *line) lead(it *item, now time.Time) {
	if t := it.terms; t != nil {
		due := t.notBefore
		if t.retryAt.After(due) {
			due = latest(due, earliest(t.retryAt, now.Add(t.retryAt.Sub(t.refused)))) // in full, on a clock that was set back
		}
		if due.After(now) {
			q.delay(it, due)
			return
		}
	}
	q.enter(it)
}

// delay has the first message of a chain, which is in no list, wait for a time.
func (q *line) delay(it *item, until time.Time) {
	q.stir()
	it.phase, it.under().until = delayed, until
	q.more().later.push(it)
}

// enter has the first message of a chain, which is in no list, wait for its turn.
func (q *line) enter(it *item) {
	q.stir()
	it.phase, it.held = waiting, false
	if it.way != nil {
		it.way.until = time.Time{}
	}
	c := it.campaign
	c.ready.push(it)
	if c.at >= q.ready {
		c.pass = max(c.pass, *q.passOf(int(c.priority)))
		q.swap(int(c.at), int(q.ready))
		q.ready++
	}
	q.fix(c)
}

// unlist takes a message out of the list that it waits in, if it is in one.
func (q *line) unlist(it *item) {
	q.stir()
	switch it.phase {
	case waiting:
		c := it.campaign
		c.ready.remove(it)
		q.fix(c)
	case delayed:
		q.rare.later.remove(it)
	case behind, parked, doomed, checking, typing, starting, onWire, saving, recording:
	}
}

// take has the message that goes next go.
func (q *line) take(it *item) {
	c := it.campaign
	*q.passOf(int(c.priority)) = c.pass
	c.pass++
	q.unlist(it)
}

// put takes a message back that was on its way. It has had no turn.
func (q *line) put(it *item) {
	if it.campaign.pass > 0 {
		it.campaign.pass--
	}
	q.enter(it)
}

// wake has those wait for their turn whose time has come.
func (q *line) wake(now time.Time) {
	for it := q.nextLater(); it != nil && !it.until().After(now); it = q.nextLater() {
		q.rare.later.remove(it)
		q.enter(it)
	}
}

// mayExpire has a message expire in the line, where it does.
func (q *line) mayExpire(it *item) {
	if _, ok := it.expires(); ok {
		q.more().ends.push(it)
	}
}

// forgetEnd has a message not expire in the line any more.
func (q *line) forgetEnd(it *item) {
	if it.end != 0 {
		q.rare.ends.remove(it)
	}
}

// find is the message of a record, or nil.
func (q *line) find(r *Record) *item {
	to := r.AskedTo
	if to == "" {
		to = r.To
	}
	c := q.known(r.Campaign, r.Priority)
	if c == nil {
		return nil
	}
	it, _ := q.seek(q.shard.chains.last(c, to), r)
	return it
}
