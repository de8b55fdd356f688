package queue

import (
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// doubts reports whether a message's recipient has to be verified, whatever is known.
func (f *future) doubts(it *item) bool {
	return f.queue.verifier != nil && !it.verified && isPhone(it.to)
}

// answer is what is known of a number by now.
func (f *future) answer(number string) (known answer, ok bool) {
	if known, ok = f.known[number]; !ok {
		known, ok = f.queue.answers.of(number, f.tempo.start)
	}
	return known, ok && known.holds(f.queue.options.Verify, f.now)
}

// vouched reports whether the message that goes next may go as far as its recipient is
// concerned. Where it may not, it has been dealt with, or the lane waits.
func (f *future) vouched(it *item) bool {
	if !f.doubts(it) {
		return true
	}
	c := f.checks.all[it.to]
	known, ok := f.answer(it.to)
	switch {
	case ok && c == nil:
		return f.learn(it, known)
	case c == nil:
		if d := f.limiter.Check(f.now, f.request(it)); d.Answer != limiter.Allowed {
			f.refused(it, d)
			return false
		}
		c = f.checked(it)
		f.checks.ask(c)
	}
	f.line.unlist(it)
	f.checks.park(c, it)
	if ok && !c.underway {
		f.resolve(c, known)
	}
	return false
}

// checked is the check of a message's recipient, a new one where there is none.
func (f *future) checked(it *item) *check {
	c := f.checks.all[it.to]
	if c == nil {
		if f.checks.all == nil {
			f.checks.all = make(map[string]*check)
		}
		c = &check{to: it.to, priority: it.campaign.priority, seq: it.seq}
		f.checks.all[it.to] = c
	}
	return c
}

// parkAll makes ready the messages of a still whose recipients are to be verified.
func (f *future) parkAll(all []*item) {
	rests := make(map[*check]time.Time)
	for _, it := range all {
		if !f.doubts(it) {
			f.line.enter(it)
			continue
		}
		c := f.checked(it)
		rests[c] = latest(rests[c], it.until())
		c.park(it)
	}
	for _, it := range f.claimed {
		if it.phase == checking {
			f.checked(it).underway = true
		}
	}
	for c, until := range rests {
		switch {
		case c.underway:
		case until.After(f.now):
			f.checks.rest(c, until)
		default:
			f.checks.ask(c)
		}
	}
}

// check begins the next check, if its message could go now. moved says that something
// else was done.
func (f *future) check() (begun, moved bool) {
	c := f.checks.first(f.now)
	if c == nil || f.checks.until.After(f.now) {
		return false, false
	}
	if it := f.line.first(); it != nil && !f.until.After(f.now) && c.follows(it) {
		return false, false
	}
	if known, ok := f.answer(c.to); ok {
		f.resolve(c, known)
		return false, true
	}
	it := c.parked[0]
	d := f.limiter.Check(f.now, f.request(it))
	if d.Answer == limiter.Allowed {
		f.under(it).permit, d = f.limiter.Take(f.now, limiter.Request{Account: f.account, Action: policy.CheckNumber, Recipient: it.to, Portfolio: f.portfolio})
	}
	switch d.Answer {
	case limiter.Allowed:
	case limiter.Never:
		for _, it := range f.checks.settle(c) {
			f.drop(it)
		}
		return false, true
	case limiter.Later, limiter.Busy:
		if !d.Narrow {
			f.checks.until = f.frees(d)
			return false, true
		}
		f.checks.take(c)
		f.checks.rest(c, f.frees(d))
		return false, true
	}
	f.checks.take(c)
	c.parked = c.parked[1:]
	c.underway = true
	f.line.forgetEnd(it)
	f.claimed = append(f.claimed, it)
	it.phase, it.way.until = checking, f.now.Add(f.tempo.next(f.now, &f.tempo.checks))
	return true, true
}

// answered is the end of a check.
func (f *future) answered(it *item) {
	f.settle(it)
	f.unclaim(it)
	c := f.checks.all[it.to]
	c.underway = false
	if it.ended {
		f.drop(it)
	} else {
		f.line.mayExpire(it)
		c.park(it)
	}
	known := answer{number: it.to, registered: true, to: it.to, at: f.now}
	if f.known == nil {
		f.known = make(map[string]answer)
	}
	f.known[it.to] = known
	f.resolve(c, known)
	f.reopen()
}

// resolve gives all messages of a check their answer.
func (f *future) resolve(c *check, known answer) {
	next := f.line.first()
	for _, it := range f.checks.settle(c) {
		if f.learn(it, known) {
			f.line.enter(it)
		}
	}
	if f.line.first() != next {
		f.until, f.opened = time.Time{}, nil
	}
}

// learn tells the first message of a chain, and those behind it whose time has come, the
// address that they are sent to, or ends them. It reports whether they are to be sent.
func (f *future) learn(it *item, known answer) bool {
	it.inform(f.now, func(it *item) {
		if !it.learn(known) {
			f.drop(it)
		}
	})
	return known.registered
}
