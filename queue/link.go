package queue

import (
	"time"

	"github.com/wapace/wapace/limiter"
)

// A Connector is a [Sender] that knows which accounts are connected. The queue asks
// it before it shows typing and before it sends. The messages of an account that is
// not connected keep their place, attempts and budget; those that expire meanwhile
// do.
type Connector interface {
	// Connected reports whether an account can send now. It is called often, by
	// several at once, and must not block. A panic, which is logged, means yes.
	Connected(account string) bool

	// Reconnected receives the name of each account that is connected again, or the
	// empty string for all. Where a name is lost, the queue asks again after a
	// minute. It returns the same channel each time; nil: none.
	Reconnected() <-chan string
}

// A link is what a lane knows of its account's connection. Nil is one that was
// there for long.
type link struct {
	down   bool
	failed int       // how often in a row
	until  time.Time // nothing may go before
	since  time.Time // when the account was back
}

// askAgain is how long an account that is not connected is left alone where its
// Connector says nothing.
const askAgain = time.Minute

// opens is when the next message may go, as far as the connection is concerned.
func (k *link) opens() time.Time {
	if k == nil {
		return time.Time{}
	}
	return k.until
}

// restart is for a clock that was set back by a step.
func (k *link) restart(step time.Duration) {
	if k == nil {
		return
	}
	k.until = time.Time{}
	if !k.since.IsZero() {
		k.since = k.since.Add(-step)
	}
}

// widthOf is how many messages of a lane may be on their way at once.
func (q *Queue) widthOf(l *lane) int { return l.link.width(q) }

// width is how many messages of the account may be on their way at once: one, where it
// is to show whether the account is back, and while that comes back slowly.
func (k *link) width(q *Queue) int {
	if k != nil {
		return 1
	}
	return q.width
}

// unreachable puts a message back whose account is not connected.
func (q *Queue) unreachable(j job) {
	l, it := j.lane, j.item
	now := q.clock.Now()
	q.freeze(l, now)
	it.way.permit.Settle(now, limiter.Unsent)
	l.shard().mu.Lock()
	defer l.shard().mu.Unlock()
	if it.way.lost {
		return
	}
	it.way.permit = limiter.Permit{}
	l.putBack(it)
	q.plan(l, now)
}

// typable reports whether the account is connected of a message that typing is to be
// shown for. Where it is not, the message has been put back.
func (q *Queue) typable(j job) bool {
	if q.connected(j.subject()) {
		return true
	}
	now := q.clock.Now()
	q.freeze(j.lane, now)
	j.lane.shard().mu.Lock()
	defer j.lane.shard().mu.Unlock()
	if j.item.phase == typing {
		j.item.way.typed, j.item.way.hush = time.Time{}, nil
		j.lane.putBack(j.item)
	}
	q.plan(j.lane, now)
	return false
}

// connected asks the connector. One that panics has not said no.
func (q *Queue) connected(s subject) (ok bool) {
	if q.connector == nil {
		return true
	}
	ok = true
	defer q.rescue("the connector panicked", s)
	return q.connector.Connected(s.account)
}

// freeze has a lane send nothing until its account is connected.
func (q *Queue) freeze(l *lane, now time.Time) {
	l.shard().mu.Lock()
	defer l.shard().mu.Unlock()
	if l.link == nil {
		l.own().link = &link{}
	}
	k := l.link
	if !k.down {
		k.down, k.failed, k.since = true, 0, time.Time{}
	}
	k.failed++
	k.until = now.Add(askAgain)
	if q.connector == nil {
		k.until = now.Add(rest(k.failed))
	}
}

// slow notes that a message went out, and has the next one of an account that was
// offline wait as the ramp says. It requires the shard's lock.
func (q *Queue) slow(l *lane, it *item, r *Record, now time.Time) {
	k := l.link
	if k == nil || !it.way.wired || r.Code == NotConnected {
		return
	}
	if k.resume(q.limiter, q.options.Ramp, q.requestOf(&r.Message, origin{it.contact, l.portfolio}), r.At, now) {
		l.link = nil
	}
}

// resume has the next message after one that went out at a time and is done with now
// wait as the ramp says. It reports whether the account is back at its whole pace.
func (k *link) resume(l *limiter.Limiter, ramp *Ramp, req limiter.Request, at, now time.Time) (whole bool) {
	if k.down {
		k.down, k.since = false, at
	}
	back := now.Sub(k.since)
	if back >= ramp.Over {
		return true
	}
	var natural time.Duration
	if d := l.Check(now, req); d.Answer == limiter.Later && !d.Narrow {
		natural = d.RetryAfter
	}
	k.until = now.Add(ramp.stretch(back, natural))
	return false
}

// reconnected has an account try again, or all where it is empty.
func (q *Queue) reconnected(account string) {
	now := q.clock.Now()
	q.each(account, func(l *lane) {
		if l.link != nil && l.link.down {
			l.link.until = time.Time{}
			q.plan(l, now)
		}
	})
	q.watch()
}

// hear takes in who is connected again, without waiting for it.
func (q *Queue) hear() {
	for q.news != nil {
		select {
		case account, open := <-q.news:
			q.heard(account, open)
		default:
			return
		}
	}
}

// heard takes in what came from the connector.
func (q *Queue) heard(account string, open bool) {
	if !open {
		q.news = nil
		return
	}
	q.reconnected(account)
}
