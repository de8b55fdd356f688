package queue

import (
	"slices"
	"time"

	"github.com/wapace/wapace/limiter"
)

// A lane is one account's messages. It exists while it has any.
type lane struct {
	account string
	waiting []*item // in the order they go out
	claimed []*item // on their way: typing, sending, or about to be recorded

	due   time.Time
	order uint64
	place int // in the schedule's heap, plus 1; 0 means not scheduled
}

// An item is a message in its lane.
type item struct {
	record   Record
	seq      uint64
	finished chan<- Record // may be nil

	phase  phase
	until  time.Time      // when the phase is over, or, waiting, when to try again
	typed  time.Time      // when typing was last shown
	permit limiter.Permit // held while sending
	lost   bool           // given up by a stop: whatever its worker says comes too late
}

// A phase is where a claimed item stands.
type phase uint8

const (
	waiting   phase = iota // not claimed
	showing                // the sender is asked to show typing
	typing                 // typing is shown until its time is over
	onWire                 // the sender has it
	recording              // its end is known and could not be recorded yet
	saving                 // its end is being recorded
)

// retypeAfter is how long typing that was shown in vain is not shown again.
const retypeAfter = time.Minute

// patience is how long a lane waits before it asks again where nothing will tell
// it: a permit that other code holds, a store that failed.
const patience = time.Second

// A job is what a lane has to do outside the lock.
type job struct {
	lane *lane
	item *item
	do   func(w worker, l *lane, it *item)
}

// admit puts a new item at the end of its lane.
func (q *Queue) admit(it *item, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[it.record.Account]
	if l == nil {
		l = &lane{account: it.record.Account}
		q.lanes[l.account] = l
	}
	l.waiting = append(l.waiting, it)
	// Enqueues that overtook each other before they came here.
	for i := len(l.waiting) - 1; i > 0 && l.waiting[i-1].seq > it.seq; i-- {
		l.waiting[i-1], l.waiting[i] = l.waiting[i], l.waiting[i-1]
	}
	if len(l.waiting) == 1 && len(l.claimed) < q.width {
		q.reschedule(l, now)
	}
}

// reschedule makes a lane due and says so to Run. It requires q.mu.
func (q *Queue) reschedule(l *lane, due time.Time) {
	q.due.set(l, due)
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// next takes the first job that is due. Without one it says when the next lane is
// due, zero where none is.
func (q *Queue) next(now time.Time) (j job, due time.Time, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		l := q.due.next()
		if l == nil {
			return job{}, time.Time{}, false
		}
		if l.due.After(now) {
			return job{}, l.due, false
		}
		q.due.remove(l)
		if j, ok := q.advance(l, now); ok {
			q.due.set(l, now) // it may have more to do
			return j, time.Time{}, true
		}
	}
}

// advance finds the lane's next job, or schedules the lane for when there may be
// one. It requires q.mu.
func (q *Queue) advance(l *lane, now time.Time) (job, bool) {
	for _, it := range l.claimed {
		if it.phase != typing && it.phase != recording || it.until.After(now) {
			continue
		}
		if it.phase == recording {
			it.phase = saving
			return job{l, it, worker.save}, true
		}
		if j, ok := q.launch(l, it, now); ok {
			return j, true
		}
		break // it is not claimed any more
	}
	if j, ok := q.claim(l, now); ok {
		return j, true
	}
	var due time.Time
	for _, it := range l.claimed {
		if it.phase == typing || it.phase == recording {
			due = sooner(due, it.until)
		}
	}
	if len(l.waiting) > 0 && len(l.claimed) < q.width {
		due = sooner(due, l.waiting[0].until)
	}
	switch {
	case !due.IsZero():
		q.due.set(l, due)
	case len(l.waiting) == 0 && len(l.claimed) == 0:
		delete(q.lanes, l.account)
	}
	return job{}, false
}

// claim starts the first waiting message if the limiter is open for it. It
// requires q.mu.
func (q *Queue) claim(l *lane, now time.Time) (job, bool) {
	if len(l.waiting) == 0 || len(l.claimed) >= q.width || l.waiting[0].until.After(now) {
		return job{}, false
	}
	it := l.waiting[0]
	if q.typist == nil || !it.typed.IsZero() && now.Sub(it.typed) < retypeAfter {
		return q.launch(l, it, now)
	}
	if d := q.limiter.Check(now, request(&it.record.Message)); d.Answer != limiter.Allowed {
		return q.refused(l, it, d, now)
	}
	it.record.Typing = q.typing(&it.record.Message)
	it.typed, it.until = now, now.Add(it.record.Typing)
	l.move(it, showing)
	return job{l, it, worker.show}, true
}

// launch takes the permit for a message. It requires q.mu.
func (q *Queue) launch(l *lane, it *item, now time.Time) (job, bool) {
	permit, d := q.limiter.Take(now, request(&it.record.Message))
	if d.Answer != limiter.Allowed {
		return q.refused(l, it, d, now)
	}
	it.permit = permit
	l.move(it, onWire)
	return job{l, it, worker.send}, true
}

// refused puts a message back at its place, until the limiter may open, or ends
// it where that will never be. It requires q.mu.
func (q *Queue) refused(l *lane, it *item, d limiter.Decision, now time.Time) (job, bool) {
	if d.Answer == limiter.Never {
		it.record.Status, it.record.Code, it.record.Err = Failed, NeverAllowed, d.Err().Error()
		l.move(it, saving)
		return job{l, it, worker.save}, true
	}
	wait := d.RetryAfter
	if d.Answer == limiter.Busy {
		wait = max(wait, patience)
	}
	it.until = now.Add(wait)
	l.move(it, waiting)
	return job{}, false
}

// move gives an item its phase and keeps it in the list that the phase belongs to.
func (l *lane) move(it *item, to phase) {
	switch {
	case it.phase == waiting && to != waiting:
		l.waiting = remove(l.waiting, it)
		l.claimed = append(l.claimed, it)
	case it.phase != waiting && to == waiting:
		l.claimed = remove(l.claimed, it)
		at, _ := slices.BinarySearchFunc(l.waiting, it, func(a, b *item) int {
			if a.seq < b.seq {
				return -1
			}
			return 1
		})
		l.waiting = slices.Insert(l.waiting, at, it)
	}
	it.phase = to
}

// remove takes an item out. Taking the first one out copies nothing.
func remove(items []*item, it *item) []*item {
	i := slices.Index(items, it)
	if i == 0 {
		items[0] = nil
		return items[1:]
	}
	return slices.Delete(items, i, i+1)
}

// sooner is the earlier of two times, where the zero time is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
