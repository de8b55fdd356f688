package queue

import (
	"time"

	"github.com/wapace/wapace/limiter"
)

// claim starts the message that goes next if the limiter is open for it. It
// requires the shard's lock.
func (q *Queue) claim(l *lane, now time.Time) (job, bool) {
	it := l.line.first()
	if it == nil || len(l.claimed) >= q.widthOf(l) || l.until > q.tick(now) {
		return job{}, false
	}
	if !q.vouched(l, it, now) {
		return job{}, false
	}
	if typed := it.typedAt(); q.typist == nil || !typed.IsZero() && now.Sub(typed) < retypeAfter {
		return q.follow(l, it, now)
	}
	if d := q.limiter.Check(now, q.request(l.account, l.portfolio, it)); d.Answer != limiter.Allowed {
		q.refused(l, it, d, now)
		return job{}, false
	}
	shown := q.drawTyping(l.account, &it.core)
	for _, before := range l.claimed {
		if before.phase == typing && ranks(before, it) {
			shown = max(shown, before.way.until.Sub(now)) // it will not overtake that one
		}
	}
	it.under().typing = shown
	if shown == 0 {
		return q.follow(l, it, now)
	}
	it.way.typed = now
	l.start(it, typing, now.Add(shown))
	return job{lane: l, item: it, do: (*Queue).show}, true
}

// follow launches a waiting message that no typing is shown for, behind those that
// it is shown for. It requires the shard's lock.
func (q *Queue) follow(l *lane, it *item, now time.Time) (job, bool) {
	if l.leader() == nil {
		return q.launch(l, it, now)
	}
	l.start(it, typing, now)
	return job{}, false
}

// launch takes the permit for a message. It requires the shard's lock.
func (q *Queue) launch(l *lane, it *item, now time.Time) (job, bool) {
	if it.quiet(); it.way != nil {
		it.way.hush = nil
	}
	if it.expired(now) {
		l.doom(it, Expired, TooLate, "it expired before it was on the wire", now)
		return job{}, false
	}
	permit, d := q.limiter.Take(now, q.request(l.account, l.portfolio, it))
	if d.Answer != limiter.Allowed {
		q.refused(l, it, d, now)
		return job{}, false
	}
	w := it.under()
	w.permit = permit
	var until time.Time
	if w.timed = q.options.SendTimeout > 0 && q.crew.Load() != nil; w.timed {
		until = now.Add(q.options.SendTimeout)
	}
	l.start(it, starting, until)
	return job{lane: l, item: it, do: (*Queue).send}, true
}

// refused has a message wait until the limiter may open for it, or ends it where
// that will never be. Where the rule is about it alone, others pass it; otherwise
// the lane waits. It requires the shard's lock.
func (q *Queue) refused(l *lane, it *item, d limiter.Decision, now time.Time) {
	if d.Answer == limiter.Never {
		l.doom(it, Failed, NeverAllowed, d.Err().Error(), now)
		return
	}
	if it.phase.claimed() {
		l.putBack(it)
	}
	until := now.Add(pause(d))
	if !d.Narrow {
		l.until = q.tick(until)
		return
	}
	l.line.unlist(it)
	l.line.delay(it, until)
	it.held = true
}

// postpone has a lane wait for the limiter at once, so that it is looked at when its next
// message may go and not before that as well. Where it had not to wait for its last one,
// where the limiter says anything but until when all of it waits, and where it has others
// to consider, that is left to the next look: those that share a budget get it in the
// order in which they come for it. It requires the shard's lock.
func (q *Queue) postpone(l *lane, now time.Time) {
	waited := l.until != always
	l.reopen(now)
	it := l.line.first()
	if !waited || it == nil || len(l.claimed) > 0 || l.checks != nil || l.portfolio != "" || q.verifier != nil && !it.verified && isPhone(it.to) {
		return
	}
	if d := q.limiter.Check(now, q.request(l.account, l.portfolio, it)); d.Answer == limiter.Later && !d.Narrow {
		q.refused(l, it, d, now)
	}
}

// start has a message go on its way, or further on it.
func (l *lane) start(it *item, to phase, until time.Time) {
	if it.phase == waiting {
		l.line.take(it)
		l.line.forgetEnd(it)
		l.carry(it)
	}
	it.phase, it.under().until = to, until
}

// putBack has a message that was on its way wait for its turn again.
func (l *lane) putBack(it *item) {
	l.drop(it)
	l.line.mayExpire(it)
	l.line.put(it)
}

// reopen has a lane ask again for what it waits for: it may have been a permit
// that is settled now.
func (l *lane) reopen(now time.Time) {
	l.until = always
	if l.checks != nil {
		l.checks.until = now
	}
}

// expired reports whether a message is of no use any more.
func (m *Message) expired(now time.Time) bool {
	return !m.ExpiresAt.IsZero() && !m.ExpiresAt.After(now)
}

// mostExpired is how many messages expire before others may have the lock.
const mostExpired = 256

// expire ends the messages whose time has come while they waited.
func (l *lane) expire(now time.Time) {
	for range mostExpired {
		it := l.line.nextEnd()
		if it == nil || !it.expired(now) {
			return
		}
		l.doom(it, Expired, TooLate, "it expired before it was on the wire", now)
	}
}

// doom ends a message that was not on the wire. It is out of its line at once, and is
// recorded next.
func (l *lane) doom(it *item, status Status, code Code, why string, now time.Time) {
	switch {
	case it.phase.claimed():
		l.drop(it)
	case it.phase == parked:
		l.checks.unpark(it)
	}
	l.line.leave(it, now)
	it.phase, it.under().end = doomed, &end{status: status, code: code, err: why, done: now}
	a := l.own()
	a.gone = append(a.gone, it)
}

// bury gives out the recording of a message that will not be sent.
func (l *lane) bury() job {
	it := l.gone[0]
	l.gone[0], l.gone = nil, l.gone[1:]
	if len(l.gone) == 0 {
		l.gone = nil
	}
	it.phase = saving
	l.carry(it)
	return job{lane: l, item: it, do: (*Queue).save}
}

// pause is how long to wait where the limiter refused.
func pause(d limiter.Decision) time.Duration {
	wait := max(d.RetryAfter, 1)
	if d.Answer == limiter.Busy {
		wait = max(wait, patience)
		if d.Rule == "hold" {
			wait = max(wait, time.Minute) // Release has it look before
		}
	}
	return wait
}
