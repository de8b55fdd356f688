package queue

import (
	"context"
	"slices"
	"time"

	"github.com/wapace/wapace/limiter"
)

// A lane is one account's messages. It exists while it has any.
type lane struct {
	account string
	waiting line
	claimed []*item // on their way; at most the queue's width
	checks  *checks // nil where none has been needed

	shard *shard
	turn  uint64 // among the lanes that are due at once
	place int32  // in the shard's schedule, plus 1; 0 means not scheduled
}

// An item is a message in its lane. Its fields change with the shard's lock held.
type item struct {
	record     *Record // as the store has it, but for a change under way and the verified recipient
	seq        uint64
	prev, next *item // in the line that it is in

	status   Status // as the store has it: queued or sending
	phase    phase
	verified bool           // its recipient is
	lost     bool           // given up by a stop: whatever its worker says comes too late
	marked   bool           // a Begin that failed may have marked it; its worker's own
	until    time.Time      // when the phase is over, or, waiting, when to try again
	typed    time.Time      // when typing was last shown
	typing   time.Duration  // how long it is shown
	hush     func()         // ends the call that shows it, or that checks
	permit   limiter.Permit // held while checking, and from starting until settled
}

// A phase is where an item stands.
type phase uint8

const (
	waiting   phase = iota // in line
	parked                 // its recipient is to be verified, or it is to be recorded as failed
	checking               // its recipient is being verified
	typing                 // typing is shown until its time is over
	starting               // it is being recorded as sending
	onWire                 // the sender has it
	saving                 // its end is being recorded
	recording              // its end could not be recorded and will be, later
)

// retypeAfter is how long typing that was shown in vain is not shown again.
const retypeAfter = time.Minute

// patience is how long a lane waits before it asks again where nothing will tell
// it: a permit that other code holds, a store that failed.
const patience = time.Second

// A job is what a lane has to do outside the lock: one of Queue's methods
// verify, show, send and save.
type job struct {
	lane   *lane
	item   *item
	record *Record // the item's, when the job was given out
	do     func(q *Queue, ctx context.Context, j job)
}

// admit puts a new item at the end of its lane.
func (q *Queue) admit(it *item, now time.Time) {
	s := q.shardOf(it.record.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[it.record.Account]
	if l == nil {
		l = &lane{account: it.record.Account, shard: s}
		s.lanes[l.account] = l
	}
	l.waiting.join(it)
	if l.waiting.first == it && len(l.claimed) < q.width {
		q.reschedule(l, now)
	}
}

// reschedule makes a lane due at a time, if it is not due sooner, and has it looked
// at then. It requires the shard's lock.
func (q *Queue) reschedule(l *lane, due time.Time) {
	if tick := q.tick(due); tick < l.shard.due.due(l) {
		l.shard.due.set(l, tick)
		q.attend(tick)
	}
}

// next gives out the first job that is due. Without one it says when the next lane
// is due, zero where none is.
func (q *Queue) next() (j job, due time.Time, ok bool) {
	for {
		s, _ := q.first()
		if s == nil {
			return job{}, time.Time{}, false
		}
		j, due, found := q.look(s)
		if found != again {
			return j, due, found == aJob
		}
	}
}

// A find is what a look at a shard has found.
type find uint8

const (
	again   find = iota // something may be due here or elsewhere
	aJob                // a job
	nothing             // nothing is due
)

// look has the lane of a shard that is due first do what it can.
func (q *Queue) look(s *shard) (j job, due time.Time, found find) {
	latest := q.latest.Load() // before the clock, so that the time never seems to go back
	s.mu.Lock()
	now := q.clock.Now() // with the lock held, for the same reason
	tick := q.tick(now)
	if back(latest, tick) > tolerance {
		s.mu.Unlock()
		q.rewind(latest)
		return job{}, time.Time{}, again
	}
	defer s.mu.Unlock()
	for latest < tick && !q.latest.CompareAndSwap(latest, tick) {
		latest = q.latest.Load()
	}
	l, at := s.due.next()
	switch {
	case l == nil:
		return job{}, time.Time{}, again
	case at > tick:
		return job{}, now.Add(time.Duration(at - tick)), nothing
	}
	s.due.remove(l)
	j, ok := q.advance(l, now)
	q.plan(l, now)
	if ok {
		return j, time.Time{}, aJob
	}
	return job{}, time.Time{}, again
}

// plan schedules a lane for the next time at which it has something to do of its
// own accord, or drops it where it has no messages. It calls no worker: one who does
// not look next itself calls watch after it. It requires the shard's lock.
func (q *Queue) plan(l *lane, now time.Time) {
	var due time.Time
	found := false
	soonest := func(t time.Time) {
		if !found || t.Before(due) {
			due, found = t, true
		}
	}
	for _, it := range l.claimed {
		if it.phase == recording {
			soonest(it.until)
		}
	}
	if it := l.leader(); it != nil {
		soonest(it.until)
	}
	if len(l.claimed) < q.width {
		if it := l.waiting.first; it != nil {
			soonest(it.until)
		}
		if l.checks != nil {
			if due, ok := l.checks.due(); ok {
				soonest(due)
			}
		}
	}
	switch {
	case found && due.Before(now):
		l.shard.due.set(l, q.tick(now)) // behind the lanes that were due before
	case found:
		l.shard.due.set(l, q.tick(due))
	default: // a worker that has one of its messages will plan it again
		l.shard.due.remove(l)
		if len(l.claimed) == 0 {
			delete(l.shard.lanes, l.account)
		}
	}
}

// advance finds a lane's next job. It requires the shard's lock.
func (q *Queue) advance(l *lane, now time.Time) (job, bool) {
	for _, it := range l.claimed {
		if it.phase == recording && !it.until.After(now) {
			it.phase = saving
			return job{l, it, it.record, (*Queue).save}, true
		}
	}
	if it := l.leader(); it != nil && !it.until.After(now) {
		if first := l.waiting.first; first == nil || it.seq < first.seq {
			return q.launch(l, it, now)
		}
		l.move(it, waiting) // behind one that was put back
	}
	if len(l.claimed) >= q.width {
		return job{}, false
	}
	if l.checks != nil {
		if j, ok := q.check(l, now); ok {
			return j, true
		}
	}
	return q.claim(l, now)
}

// leader is the first message that typing is shown for. The others follow it.
func (l *lane) leader() (first *item) {
	for _, it := range l.claimed {
		if it.phase == typing && (first == nil || it.seq < first.seq) {
			first = it
		}
	}
	return first
}

// claim starts the first waiting message if the limiter is open for it. It
// requires the shard's lock.
func (q *Queue) claim(l *lane, now time.Time) (job, bool) {
	it := l.waiting.first
	if it == nil || len(l.claimed) >= q.width || it.until.After(now) {
		return job{}, false
	}
	if !q.vouched(l, it, now) {
		return job{}, false
	}
	if q.typist == nil || !it.typed.IsZero() && now.Sub(it.typed) < retypeAfter {
		return q.follow(l, it, now)
	}
	if d := q.limiter.Check(now, request(&it.record.Message)); d.Answer != limiter.Allowed {
		return q.refused(l, it, d, now)
	}
	it.typing = q.drawTyping(&it.record.Message)
	for _, before := range l.claimed {
		if before.phase == typing && before.seq < it.seq {
			it.typing = max(it.typing, before.until.Sub(now)) // it will not overtake that one
		}
	}
	if it.typing == 0 {
		return q.follow(l, it, now)
	}
	it.typed, it.until = now, now.Add(it.typing)
	l.move(it, typing)
	return job{l, it, it.record, (*Queue).show}, true
}

// follow launches a waiting message that no typing is shown for, behind those that
// it is shown for. It requires the shard's lock.
func (q *Queue) follow(l *lane, it *item, now time.Time) (job, bool) {
	if l.leader() == nil {
		return q.launch(l, it, now)
	}
	it.until = now
	l.move(it, typing)
	return job{}, false
}

// launch takes the permit for a message. It requires the shard's lock.
func (q *Queue) launch(l *lane, it *item, now time.Time) (job, bool) {
	if it.hush != nil {
		it.hush()
		it.hush = nil
	}
	permit, d := q.limiter.Take(now, request(&it.record.Message))
	if d.Answer != limiter.Allowed {
		return q.refused(l, it, d, now)
	}
	it.permit = permit
	l.move(it, starting)
	return job{l, it, it.record, (*Queue).send}, true
}

// refused puts a message back at its place, until the limiter may open, or ends
// it where that will never be. It requires the shard's lock.
func (q *Queue) refused(l *lane, it *item, d limiter.Decision, now time.Time) (job, bool) {
	if d.Answer == limiter.Never {
		r := *it.record
		r.Version++
		r.Status, r.Code, r.Err = Failed, NeverAllowed, d.Err().Error()
		it.record = &r
		l.move(it, saving)
		return job{l, it, it.record, (*Queue).save}, true
	}
	it.until = now.Add(pause(d))
	l.move(it, waiting)
	return job{}, false
}

// move gives an item its phase and keeps it in the list that the phase belongs to.
func (l *lane) move(it *item, to phase) {
	switch {
	case it.phase == waiting && to != waiting:
		l.waiting.leave(it)
		l.claimed = append(l.claimed, it)
	case it.phase != waiting && to == waiting:
		l.drop(it)
		l.waiting.rejoin(it)
	}
	it.phase = to
}

// drop takes a claimed item out of its lane.
func (l *lane) drop(it *item) {
	i := slices.Index(l.claimed, it)
	l.claimed = slices.Delete(l.claimed, i, i+1)
}
