package queue

import (
	"cmp"
	"slices"
	"time"
)

// tolerance is how far back the clock may step before everything that waits for
// a time is looked at again.
const tolerance = time.Second

// rewind has every lane ask again where the clock was set back from a tick: what
// they wait for was reckoned from a time that has not come.
func (q *Queue) rewind(latest int64) {
	now := q.clock.Now()
	tick := q.tick(now)
	step := back(latest, tick)
	if step <= tolerance || !q.latest.CompareAndSwap(latest, tick) {
		return // another one has done it
	}
	q.each("", func(l *lane) { q.restart(l, now, step) })
}

// back is how far a tick is before the latest one, saturated.
func back(latest, tick int64) time.Duration {
	switch d := latest - tick; {
	case latest <= tick:
		return 0
	case d < 0:
		return time.Duration(never)
	default:
		return time.Duration(d)
	}
}

// inOrder is all lanes, those that are due first first.
func (q *Queue) inOrder() []*lane {
	type place struct {
		due    int64
		ticket ticket
		lane   *lane
	}
	var places []place
	for l := range q.all() {
		places = append(places, place{l.shard().due.due(l), l.shard().due.ticket(l), l})
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(int32(a.ticket-b.ticket), 0))
	})
	lanes := make([]*lane, len(places))
	for i, p := range places {
		lanes[i] = p.lane
	}
	return lanes
}

// each calls do for the lane of an account, or for all in their order where it is
// empty, each with its shard's lock held.
func (q *Queue) each(account string, do func(l *lane)) {
	if account != "" {
		s := q.shardOf(account)
		s.mu.Lock()
		defer s.mu.Unlock()
		if l := s.lanes.find(account); l != nil {
			do(l)
		}
		return
	}
	for _, l := range q.inOrder() {
		s := l.shard()
		s.mu.Lock()
		if s.lanes.find(l.account) == l { // it has not ended meanwhile
			do(l)
		}
		s.mu.Unlock()
	}
}

// restart has a lane ask again for all that it waits for. It requires the shard's
// lock.
func (q *Queue) restart(l *lane, now time.Time, step time.Duration) {
	l.until = always
	l.restartLine(now)
	l.link.restart(step)
	if l.checks != nil {
		l.checks.restart()
	}
	for _, it := range l.claimed {
		if w := it.way; !w.until.IsZero() {
			w.until = w.until.Add(-step)
		}
	}
	l.shard().due.remove(l)
	q.plan(l, now)
}

// restartLine has the messages that wait for a time wait for it anew, and forgets
// when typing was shown for any.
func (l *lane) restartLine(now time.Time) {
	if l.line.nextLater() != nil {
		delayed := l.line.rare.later
		l.line.rare.later = pile[byTime]{}
		for it := range delayed.all() {
			it.place, it.way.typed = 0, time.Time{}
			l.line.lead(it, now)
		}
	}
	all, _ := l.line.contenders()
	for _, c := range all {
		for it := range c.ready.all() {
			if it.way != nil {
				it.way.typed = time.Time{}
			}
		}
	}
}
