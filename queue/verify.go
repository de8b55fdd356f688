package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A Verifier is a [Sender] that can ask whether a phone number is on WhatsApp.
// Verify asks for one number, as the account, and returns soon after ctx is done; see
// [Options].SendTimeout.
// It answers both ways with a nil error. An error, or a panic, means that nobody
// knows: the message waits and is verified again, after 5 s and then after twice
// as long each time, up to 5 min. An error that wraps [ErrUnsent] says that
// WhatsApp was not asked: the budget that the check took is given back.
//
// Before typing is shown, a message's recipient is verified where it is a phone
// number: groups, @lid and @hosted are not. to is the number's digits alone. The
// queue takes a permit for [policy.CheckNumber] before each call, once the message
// could go, and asks for the budget of an account's checks in the order of their
// messages.
//
// A message whose number is not on WhatsApp fails with [RecipientNotFound]; one whose
// check the policy never allows, with [NeverAllowed]. The queue calls Verify for
// different numbers at once where a lane is wider than 1, and for any where there
// are several lanes.
type Verifier interface {
	Verify(ctx context.Context, account, to string) (Verification, error)
}

// A Verification is what WhatsApp says of a phone number.
type Verification struct {
	// Registered says that the number is on WhatsApp.
	Registered bool

	// To is the address that messages to the number are sent to, in any form that
	// [ParseAddress] reads but no group. Empty means the number itself. It is not
	// looked at where Registered is false.
	To string
}

// Verify says how long a queue keeps what its [Verifier] answered. A number's
// answer is the same for all accounts, and for the address that it is sent to. The
// zero Verify has all defaults.
type Verify struct {
	// Yes is how long it is kept that a number is on WhatsApp, and what its address
	// is. Default 30 days; negative: not at all.
	Yes time.Duration

	// No is how long it is kept that a number is not on WhatsApp. Default 24 h;
	// negative: not at all.
	No time.Duration

	// Most is how many numbers are kept, those that were asked for last. Default
	// 100,000; negative: none.
	Most int

	// Off sends without verifying.
	Off bool
}

func (v *Verify) withDefaults() *Verify {
	var d Verify
	if v != nil {
		d = *v
	}
	if d.Yes == 0 {
		d.Yes = 30 * 24 * time.Hour
	}
	if d.No == 0 {
		d.No = 24 * time.Hour
	}
	if d.Most == 0 {
		d.Most = 100_000
	}
	return &d
}

// The wait after a check that failed: it doubles each time.
const (
	leastRest = 5 * time.Second
	mostRest  = 5 * time.Minute
)

// rest is how long a recipient is not checked again after n checks that failed.
func rest(n int) time.Duration {
	return min(leastRest<<min(n-1, 10), mostRest)
}

// vouched reports whether the message that goes next may go as far as its recipient
// is concerned. Where it may not, it has been dealt with, or the lane waits. It
// requires the shard's lock.
func (q *Queue) vouched(l *lane, it *item, now time.Time) bool {
	to := it.to
	if q.verifier == nil || it.verified || !isPhone(to) {
		return true
	}
	if l.checks == nil {
		l.own().checks = &checks{all: make(map[string]*check)}
	}
	c := l.checks.all[to]
	if known, ok := q.answers.of(to, now); ok {
		if c != nil {
			l.park(c, it)
			if !c.underway {
				l.resolve(c, known, now)
			}
			return false
		}
		return l.learn(it, known, now)
	}
	if c != nil {
		l.park(c, it)
		return false
	}
	if d := q.limiter.Check(now, q.request(l.account, l.portfolio, it)); d.Answer != limiter.Allowed {
		q.refused(l, it, d, now)
		return false
	}
	c = &check{to: to, priority: it.campaign.priority, seq: it.seq}
	l.checks.all[to] = c
	l.park(c, it)
	l.checks.ask(c)
	return false
}

// park puts the message that goes next to those whose recipient is to be verified.
func (l *lane) park(c *check, it *item) {
	l.line.unlist(it)
	l.checks.park(c, it)
}

// check finds the next job of a lane's checks. A message that may go, and ranks
// before, goes first. It requires the shard's lock.
func (q *Queue) check(l *lane, now time.Time) (job, bool) {
	c := l.checks.first(now)
	if c == nil || l.checks.until.After(now) {
		return job{}, false
	}
	if it := l.line.first(); it != nil && l.until <= q.tick(now) && c.follows(it) {
		return job{}, false
	}
	return q.ask(l, c, now)
}

// ask takes the permit for the next check, if its message could go now. It requires
// the shard's lock.
func (q *Queue) ask(l *lane, c *check, now time.Time) (job, bool) {
	if known, ok := q.answers.of(c.to, now); ok { // another lane has asked
		l.resolve(c, known, now)
		return job{}, false
	}
	it := c.parked[0]
	d := q.limiter.Check(now, q.request(l.account, l.portfolio, it))
	var permit limiter.Permit
	if d.Answer == limiter.Allowed {
		permit, d = q.limiter.Take(now, limiter.Request{Account: l.account, Action: policy.CheckNumber, Recipient: c.to, Portfolio: l.portfolio})
	}
	switch d.Answer {
	case limiter.Allowed:
	case limiter.Never:
		l.release(c, func(it *item) { l.doom(it, Failed, NeverAllowed, d.Err().Error(), now) })
		return job{}, false
	case limiter.Later, limiter.Busy:
		if !d.Narrow {
			l.checks.until = now.Add(pause(d))
			return job{}, false
		}
		l.checks.take(c) // others pass it
		l.checks.rest(c, now.Add(pause(d)))
		return job{}, false
	}
	l.checks.take(c)
	c.parked = c.parked[1:]
	c.underway = true
	l.line.forgetEnd(it)
	w := it.under()
	it.phase, w.permit, w.until, w.warned = checking, permit, time.Time{}, false
	if q.options.SendTimeout > 0 && q.crew.Load() != nil {
		w.until = now.Add(q.options.SendTimeout)
	}
	l.carry(it)
	return job{lane: l, item: it, do: (*Queue).verify}, true
}

// release lets go of the messages that wait for a check, as they rank.
func (l *lane) release(c *check, do func(*item)) {
	for _, it := range l.checks.settle(c) {
		do(it)
	}
}

// resolve gives all messages of a check their answer. What kept others back may not keep
// one that goes next now.
func (l *lane) resolve(c *check, known answer, now time.Time) {
	next := l.line.first()
	l.release(c, func(it *item) {
		if l.learn(it, known, now) {
			l.line.enter(it)
		}
	})
	if l.line.first() != next {
		l.until = always
	}
}

// learn tells the first message of a chain, whose time has come, and those behind it
// whose time has, the address that they are sent to, or ends them. It reports whether
// they are to be sent. The clock may have been set back since the first one's time.
func (l *lane) learn(it *item, known answer, now time.Time) bool {
	it.inform(now, func(it *item) {
		if !it.learn(known) {
			l.doom(it, Failed, RecipientNotFound, "the recipient is not on WhatsApp", now)
		}
	})
	return known.registered
}

// inform tells the first message of a chain something, and those behind it whose time
// has come. They may leave the line at that.
func (it *item) inform(now time.Time, tell func(*item)) {
	for next := it; next == it || next != nil && !next.all().notBefore.After(now); {
		follows := next.next
		tell(next)
		next = follows
	}
}

// learn tells a message the address that it is sent to. It is false where there is none.
func (it *item) learn(known answer) bool {
	if !known.registered {
		return false
	}
	if known.to != it.to {
		it.redirect(known.to)
	}
	it.verified = true
	return true
}

// verify carries out a check.
func (q *Queue) verify(ctx context.Context, j job) {
	it, to := j.item, j.item.to
	c := newCall(ctx)
	defer c.cancel()
	ctx = c
	s := j.lane.shard()
	s.mu.Lock()
	it.way.hush = c
	late := q.stopped.Load()
	s.mu.Unlock()

	known := answer{number: to}
	// A verifier that ends its goroutine has not answered.
	err := errors.New("the verifier did not return")
	outcome := limiter.Unsent // until it is asked
	defer func() {
		v := recover()
		s.mu.Lock()
		warned := it.way.warned
		s.mu.Unlock()
		cut := v == nil && !warned && (late || err != nil && ctx.Err() != nil)
		switch {
		case v != nil:
			defer q.broke("the recipient could not be verified; the message waits", j.subject(), v)
		case err != nil && !cut:
			defer q.complain("the recipient could not be verified; the message waits", j.subject(), err)
		}
		q.settleCheck(j, known, outcome, err != nil, cut)
	}()
	if !late && !q.connected(j.subject()) {
		q.freeze(j.lane, q.clock.Now())
		late = true
	}
	if late || ctx.Err() != nil {
		late = true
		return
	}
	if kept := q.keepPace(ctx, j.lane.account); kept != nil {
		err = kept
		return
	}
	began := q.clock.Now()
	outcome = limiter.Sent
	v, answer := q.verifier.Verify(ctx, j.lane.account, to)
	s.mu.Lock()
	s.checks.measure(q.clock.Now().Sub(began))
	s.mu.Unlock()
	if errors.Is(answer, ErrUnsent) {
		outcome = limiter.Unsent
	}
	if answer != nil {
		err = errors.New(said(answer)) // asked while whatever it does is caught
		return
	}
	known.registered = v.Registered
	known.to, err = v.address(to)
}

// address is where messages to a number are sent.
func (v Verification) address(number string) (string, error) {
	if !v.Registered || v.To == "" {
		return number, nil
	}
	to, err := ParseAddress(v.To)
	if err != nil {
		return "", fmt.Errorf("the verifier's answer: %w", err)
	}
	if to.IsGroup() {
		return "", errors.New("the verifier's answer is a group")
	}
	return to.String(), nil
}

// settleCheck gives the permit of a check and the messages that wait for it their
// outcome. A check that was cut short has not failed.
func (q *Queue) settleCheck(j job, known answer, outcome limiter.Outcome, failed, cut bool) {
	l, it := j.lane, j.item
	now := q.clock.Now()
	it.way.permit.Settle(now, outcome)
	l.shard().mu.Lock()
	defer l.shard().mu.Unlock()
	it.way.hush, it.way.permit, it.way.until, it.way.warned = nil, limiter.Permit{}, time.Time{}, false
	known.at = now
	if !failed {
		q.answers.learn(known)
	}
	if it.way.lost {
		return
	}
	l.drop(it)
	c := l.checks.all[it.to]
	c.underway = false
	if it.ended {
		l.line.leave(it, now)
		c.rank()
	} else {
		l.line.mayExpire(it)
		c.park(it)
	}
	switch {
	case !failed:
		l.resolve(c, known, now)
		if same := l.checks.all[known.to]; same != nil && known.registered && !same.underway {
			known.number = known.to
			l.resolve(same, known, now)
		}
	case len(c.parked) == 0:
		l.checks.settle(c)
	case cut:
		l.checks.ask(c)
	default:
		l.checks.fail(c, now)
	}
	l.reopen(now)
	q.plan(l, now)
}

// overdueCheck ends a call that verifies and takes too long: first it is told so, and
// where it does not return another item stands for its message, which waits as after a
// check that failed. It requires the shard's lock.
func (q *Queue) overdueCheck(l *lane, it *item, now time.Time) (job, bool) {
	w := it.way
	if !w.warned {
		w.warned, w.until = true, now.Add(lastWord)
		it.quiet()
		return job{}, false
	}
	w.permit.Settle(now, limiter.Sent)
	w.lost, w.hush = true, nil
	l.drop(it)
	c := l.checks.all[it.to]
	c.underway = false
	again, from := &item{core: it.core}, *it.campaign
	l.line.leave(it, now)
	if !it.ended {
		l.line.join(again, from.name, int(from.priority), now)
	}
	if again.phase == waiting && again.campaign != nil {
		l.park(c, again)
	}
	l.checks.fail(c, now)
	l.reopen(now)
	return job{lane: l, item: it, do: (*Queue).missCheck}, true
}

// missCheck says that a call that verifies did not return.
func (q *Queue) missCheck(_ context.Context, j job) {
	err := errors.New("the verifier did not return in " + q.options.SendTimeout.String())
	q.complain("the recipient could not be verified; the message waits", j.subject(), err)
}

// isPhone reports whether a canonical address is a phone number.
func isPhone(address string) bool { return Address{address}.IsPhone() }
