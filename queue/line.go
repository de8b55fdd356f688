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
	rare *rare    // the shard's, which has nothing, until it is used
	own  campaign // mostly the only one; others stand beside it
	hash uint32   // of the account, which sets the line's chains apart from those of others
	seat int32    // of its lane in the shard's schedule, plus 1; 0 means not scheduled
}

// A rare is what the lines of most lanes have no use for.
type rare struct {
	shard  *shard                     // whose lane it is
	later  pile[byTime]               // the first of chains that wait for a time
	ends   pile[byEnd]                // those that expire and are not on their way
	heard  []contender                // all campaigns that have messages, unless that is the line's own alone
	ready  int32                      // how many of these have a message that may go
	names  map[campaignName]*campaign // the same, where they are many
	passed []priorityPass             // where the turns of each priority stand
	seeker *seeker                    // where chains are long and messages are asked for
}

// newLine is a line without messages, of a lane of the shard.
func newLine(s *shard) line { return line{rare: &s.common} }

// shard is where the line's lane belongs, which keeps its chains.
func (q *line) shard() *shard { return q.rare.shard }

// more is the rest of a line, to write to.
func (q *line) more() *rare {
	if s := q.shard(); q.rare == &s.common {
		q.rare = &rare{shard: s}
	}
	return q.rare
}

// empty reports whether no message is in the line.
func (q *line) empty() bool { return q.own.n == 0 && q.rare.heard == nil }

// size is how many messages there are.
func (q *line) size() (n int) {
	all, _ := q.contenders()
	for _, c := range all {
		n += int(c.n)
	}
	return n
}

// nextLater is the message that waits for a time which comes first, or nil.
func (q *line) nextLater() *item { return q.rare.later.first() }

// nextEnd is the message that expires first, or nil.
func (q *line) nextEnd() *item { return q.rare.ends.first() }

// A campaign is the messages of one priority and campaign.
type campaign struct {
	*title

	ready pile[bySeq]
	at    int32 // among all that have messages
	n     int32 // how many messages it has
}

// first is the message that goes next, or nil.
func (q *line) first() *item {
	switch r := q.rare; {
	case r.heard == nil:
		return q.own.ready.first()
	case r.ready == 0:
		return nil
	default:
		return r.heard[0].ready.first()
	}
}

// join puts a new message in, of a campaign and priority.
func (q *line) join(it *item, campaign string, priority int, now time.Time) {
	q.stir()
	c := q.campaign(campaignName{campaign, int32(priority)})
	it.campaign = c
	c.n++
	q.mayExpire(it)
	chains := &q.shard().chains
	it.hash = q.chainHash(c, it.asked())
	last := chains.last(it.hash, c, it.asked())
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
	q.rare.seeker.joined(it)
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
	q.rare.seeker.left(it)
	prev, next := it.prev, it.next
	it.prev, it.next = nil, nil
	if next != nil && it.met {
		next.meet()
	}
	switch {
	case next != nil:
		next.prev = prev
	case prev != nil:
		q.shard().chains.remove(it)
		q.shard().chains.add(prev)
	default:
		q.shard().chains.remove(it)
	}
	if prev != nil {
		prev.next = next
	} else if next != nil {
		q.lead(next, now)
	}
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
	q.contend(c)
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
	q.turn(it.campaign)
	q.unlist(it)
}

// put takes a message back that was on its way. It has had no turn.
func (q *line) put(it *item) {
	q.unturn(it.campaign)
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
	c := q.known(campaignName{r.Campaign, int32(r.Priority)})
	if c == nil {
		return nil
	}
	it, _ := q.seek(q.last(c, to), r)
	return it
}

// last is the last message of the chain of a campaign to a recipient, or nil.
func (q *line) last(c *campaign, to string) *item {
	return q.shard().chains.last(q.chainHash(c, to), c, to)
}

// chainHash is the hash of a chain's name.
func (q *line) chainHash(c *campaign, to string) uint32 {
	return q.shard().chains.hashOf(to) ^ q.hash ^ c.salt
}
