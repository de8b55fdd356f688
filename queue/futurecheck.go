package queue

import (
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// unverified reports whether a message's recipient has to be verified first. One who
// is known not to be there is marked as ended.
func (f *future) unverified(it *item) bool {
	to := it.to
	if f.queue.verifier == nil || it.verified || !isPhone(to) || f.known[to] {
		return false
	}
	known, ok := f.queue.answers.of(to, f.tempo.start)
	it.ended = ok && !known.registered
	it.verified = ok
	return !ok
}

// park has a message in no list wait for its recipient to be verified.
func (f *future) park(it *item) {
	it.phase, it.held = parked, false
	f.checks.push(it)
	if f.asks == nil {
		f.asks = make(map[string][]*item)
	}
	f.asks[it.to] = append(f.asks[it.to], it)
}

// rest has a message that is parked not ask before a time.
func (f *future) rest(it *item, until time.Time) {
	if f.unpark(it) {
		it.under().until, it.held = until, true
		f.rests.push(it)
	}
}

// unpark takes a message out of those that are parked, if it is among them.
func (f *future) unpark(it *item) bool {
	switch {
	case it.phase != parked || it.place == 0:
		return false
	case it.held:
		it.held = false
		f.rests.remove(it)
	default:
		f.checks.remove(it)
	}
	return true
}

// check begins the next check, if its message could go now.
func (f *future) check(it *item) {
	if !f.unverified(it) { // another lane has asked
		f.checks.remove(it)
		f.line.enter(it)
		return
	}
	d := f.limiter.Check(f.now, f.request(it))
	if d.Answer == limiter.Allowed {
		f.under(it).permit, d = f.limiter.Take(f.now, limiter.Request{Account: f.account, Action: policy.CheckNumber, Recipient: it.to, Portfolio: f.portfolio})
	}
	switch {
	case d.Answer == limiter.Allowed:
		f.checks.remove(it)
		f.line.forgetEnd(it)
		f.claimed = append(f.claimed, it)
		it.phase, it.way.until = checking, f.now.Add(f.tempo.next(f.now, &f.tempo.checks))
	case d.Answer == limiter.Never:
		f.checks.remove(it)
		f.drop(it)
	case d.Narrow:
		until := f.frees(d)
		for _, same := range f.asks[it.to] {
			f.rest(same, until)
		}
	default:
		f.budget = f.frees(d)
	}
}

// checked is the end of a check.
func (f *future) checked(it *item) {
	if it.way.permit == (limiter.Permit{}) {
		_ = f.limiter.Abandon(f.now, f.account)
	} else {
		it.way.permit.Settle(f.now, limiter.Sent)
	}
	if f.known == nil {
		f.known = make(map[string]bool)
	}
	f.known[it.to] = true
	it.verified = true
	f.unclaim(it)
	f.line.mayExpire(it)
	f.line.enter(it)
	for _, same := range f.asks[it.to] {
		if f.unpark(same) {
			f.line.enter(same)
		}
	}
	delete(f.asks, it.to)
	f.reopen()
}
