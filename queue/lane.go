package queue

import (
	"context"
	"time"
)

// A lane is one account's messages. It exists while it has any.
type lane struct {
	account string
	line    line
	until   int64 // the tick until when nothing of the line may go
	*affairs

	next  *lane  // whose hash is like it
	sends timing // how long they take
}

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
	record *Record // what is to be recorded of the message, once its worker has made it
	do     func(q *Queue, ctx context.Context, j job)
}

// shard is where the lane belongs.
func (l *lane) shard() *shard { return l.line.shard() }

// newLane is the lane of an account in its shard.
func newLane(account string, s *shard) *lane {
	return &lane{account: account, line: newLine(s), affairs: &s.none, until: always}
}

// admit puts a message into its lane.
func (q *Queue) admit(r *Record, from origin, now time.Time) {
	it := q.item(r, from.contact)
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entering, r.ID)
	l := s.lanes.find(r.Account)
	if l == nil {
		l = newLane(r.Account, s)
		s.lanes.add(l)
	}
	if from.portfolio != "" {
		q.belongs(l, from.portfolio)
	}
	l.line.join(it, r.Campaign, r.Priority, now)
	if l.line.first() == it {
		l.until = always // what kept others back may not keep this one
	}
	before := s.due.due(l)
	q.plan(l, now)
	if due := s.due.due(l); due < before {
		q.attend(due, q.tick(now))
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
	s.due.serve()
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
	due := never
	soonest := func(tick int64) { due = min(due, tick) }
	for _, it := range l.claimed {
		if it.phase == recording || (it.phase == onWire || it.phase == starting || it.phase == checking) && !it.way.until.IsZero() {
			soonest(q.due(it.way.until, now))
		}
	}
	if it := l.leader(); it != nil {
		soonest(q.due(it.way.until, now))
	}
	if len(l.gone) > 0 {
		soonest(always)
	}
	if it := l.line.nextEnd(); it != nil {
		soonest(q.due(it.terms.expiresAt, now))
	}
	if it := l.line.nextLater(); it != nil {
		soonest(q.due(it.way.until, now))
	}
	if len(l.claimed) < q.widthOf(l) {
		opens := q.due(l.link.opens(), now)
		if l.line.first() != nil {
			soonest(max(l.until, opens))
		}
		if l.checks != nil {
			if until, ok := l.checks.due(); ok {
				soonest(max(q.due(until, now), opens))
			}
		}
	}
	switch {
	case due != never:
		l.shard().due.set(l, max(due, q.tick(now))) // behind the lanes that were due before
	case len(l.claimed) == 0 && l.line.empty():
		l.shard().due.remove(l)
		l.shard().lanes.remove(l)
		q.belongs(l, "")
	default: // a worker that has one of its messages will plan it again
		l.shard().due.remove(l)
	}
	l.rest()
}

// advance finds a lane's next job. It requires the shard's lock.
func (q *Queue) advance(l *lane, now time.Time) (job, bool) {
	for _, it := range l.claimed {
		switch {
		case it.way.until.After(now):
		case it.phase == recording:
			it.phase = saving
			return job{lane: l, item: it, do: (*Queue).save}, true
		case it.phase == starting && !it.way.until.IsZero():
			it.way.until = now.Add(q.options.SendTimeout) // the store takes its time
		case it.phase == checking && !it.way.until.IsZero():
			return q.overdueCheck(l, it, now)
		case it.phase == onWire && !it.way.until.IsZero():
			if j, ok := q.overdue(l, it, now); ok {
				return j, true
			}
		}
	}
	l.expire(now)
	if len(l.gone) > 0 {
		return l.bury(), true
	}
	l.wake(now)
	if it := l.leader(); it != nil && !it.way.until.After(now) {
		if first := l.line.first(); first == nil || !ahead(first, it) {
			return q.launch(l, it, now)
		}
		it.quiet()
		l.putBack(it) // behind one that came, or was put back
	}
	if len(l.claimed) >= q.widthOf(l) || l.link.opens().After(now) {
		return job{}, false
	}
	if l.checks != nil {
		if j, ok := q.check(l, now); ok {
			return j, true
		}
	}
	return q.claim(l, now)
}

// wake has those wait for their turn whose time has come. What kept others back may not
// keep one that goes next now.
func (l *lane) wake(now time.Time) {
	next := l.line.first()
	if l.line.wake(now); l.line.first() != next {
		l.until = always
	}
}

// leader is the first message that typing is shown for. The others follow it.
func (l *lane) leader() (first *item) {
	for _, it := range l.claimed {
		if it.phase == typing && (first == nil || ranks(it, first)) {
			first = it
		}
	}
	return first
}

// latest is the later one of two times.
func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// earliest is the earlier one of two times.
func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
