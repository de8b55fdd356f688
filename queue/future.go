package queue

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/limiter"
)

// A future is a copy of a lane, and of what its account may do, that is stepped ahead
// of the clock as the queue will step the lane, until a message goes on the wire. Its
// calls of the sender take as long as its [tempo] says, and all succeed.
type future struct {
	*still
	queue     *Queue
	account   string
	portfolio string
	limiter   *limiter.Limiter // a fork
	key       dice.Account     // of the typing times
	tempo     *tempo
	now       time.Time

	until  time.Time // until when nothing of the line may go
	opened *item     // that the limiter will let go at until
	checks checks
	known  map[string]answer // of the checks that are over
	link   *link
	stray  bool // permits of other code are taken to be settled

	spare *way // that the next message to go may have
	gone  bool // the message that is asked for is on the wire
	lost  bool // it will never be
}

// mostCalls is how far a future is stepped. What lies beyond is taken to go on at the
// same pace.
const mostCalls = 100_000

// forever is a time that nothing waits for.
func forever() time.Time { return time.Unix(math.MaxInt64/int64(time.Second), 0) }

// open makes ready a still for its steps.
func (f *future) open() {
	claimed := f.claimed
	f.claimed = nil
	for _, it := range claimed {
		switch it.phase {
		case typing:
		case checking:
			it.way.until = f.now.Add(f.tempo.left(0, &f.tempo.checks))
		case starting:
			it.way.until = f.now.Add(f.tempo.left(0, &f.tempo.sends))
		case onWire:
			it.way.until = f.now.Add(f.tempo.left(f.now.Sub(it.way.began), &f.tempo.sends))
		case saving, recording:
			it.way.until = f.now
		case waiting, behind, delayed, parked, doomed:
			continue
		}
		if it.phase != typing && it.phase != checking {
			it.phase = onWire
		}
		it.way.permit = limiter.Permit{} // it is the lane's own
		it.way.typed = f.now
		f.gone = f.gone || it == f.target && it.phase == onWire
		f.claimed = append(f.claimed, it)
	}
	f.parkAll(f.parked)
}

// run steps the future until the message goes and returns when that is: never where
// ok is false.
func (f *future) run(ctx context.Context) (at time.Time, ok bool, err error) {
	f.open()
	for n := 0; !f.gone && !f.lost; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return at, false, context.Cause(ctx)
		}
		if f.advance() {
			continue
		}
		next := f.next()
		switch {
		case !next.Before(forever()):
			return at, false, nil
		case f.tempo.calls >= mostCalls:
			return f.tempo.beyond(f.now, f.line.before(f.target)), true, nil
		}
		f.now = latest(next, f.now.Add(1))
	}
	return f.now, f.gone, nil
}

// advance does one thing that is due, if there is one.
func (f *future) advance() bool {
	leader := f.leader()
	for _, it := range f.claimed {
		switch {
		case it.phase == typing:
		case it.way.until.After(f.now):
		case it.phase == onWire:
			f.end(it)
			return true
		default:
			f.answered(it)
			return true
		}
	}
	if it := f.line.nextEnd(); it != nil && it.expired(f.now) {
		f.drop(it)
		return true
	}
	f.wake()
	if leader != nil && !leader.way.until.After(f.now) {
		if first := f.line.first(); first == nil || !ahead(first, leader) {
			f.launch(leader)
			return true
		}
		f.putBack(leader)
		return true
	}
	if len(f.claimed) >= f.width() || f.link.opens().After(f.now) {
		return false
	}
	begun, moved := f.check()
	return begun || f.claim(leader) || moved
}

// wake has those wait for their turn whose time has come, as the lane does.
func (f *future) wake() {
	next := f.line.first()
	if f.line.wake(f.now); f.line.first() != next {
		f.until, f.opened = time.Time{}, nil
	}
}

// leader is the first message that typing is shown for. The others follow it.
func (f *future) leader() (first *item) {
	for _, it := range f.claimed {
		if it.phase == typing && (first == nil || ranks(it, first)) {
			first = it
		}
	}
	return first
}

// next is when there is something to do again.
func (f *future) next() time.Time {
	due := forever()
	leader := f.leader()
	for _, it := range f.claimed {
		if it.phase != typing || it == leader {
			due = earliest(due, it.way.until)
		}
	}
	if it := f.line.nextLater(); it != nil {
		due = earliest(due, it.way.until)
	}
	if it := f.line.nextEnd(); it != nil {
		due = earliest(due, it.terms.expiresAt)
	}
	if len(f.claimed) >= f.width() {
		return due
	}
	opens := f.link.opens()
	if f.line.first() != nil {
		due = earliest(due, latest(f.until, opens))
	}
	if until, ok := f.checks.due(); ok {
		due = earliest(due, latest(until, opens))
	}
	return due
}

func (f *future) width() int { return f.link.width(f.queue) }

// claim starts the message that goes next, if the limiter is open for it. It is false
// where none may go.
func (f *future) claim(leader *item) bool {
	it := f.line.first()
	if it == nil || f.until.After(f.now) {
		return false
	}
	if f.vouched(it) {
		f.begin(it, leader)
	}
	return true
}

// begin starts a message whose recipient is verified, if the limiter is open for it.
func (f *future) begin(it, leader *item) {
	last := it.typedAt()
	typed := f.queue.typist == nil || !last.IsZero() && f.now.Sub(last) < retypeAfter
	if !typed && f.opened != it {
		if d := f.limiter.Check(f.now, f.request(it)); d.Answer != limiter.Allowed {
			f.refused(it, d)
			return
		}
	}
	if !typed {
		w := f.under(it)
		w.typing, w.typed = f.queue.options.Typing.draw(f.key, &it.core), f.now
		for _, before := range f.claimed {
			if before.phase == typing && ranks(before, it) {
				w.typing = max(w.typing, before.way.until.Sub(f.now))
			}
		}
	}
	switch {
	case !typed && it.way.typing > 0:
		f.start(it, typing, f.now.Add(it.way.typing))
	case leader != nil:
		f.start(it, typing, f.now)
	default:
		f.launch(it)
	}
}

// launch puts a message on the wire, if the limiter lets it.
func (f *future) launch(it *item) {
	if it.expired(f.now) {
		f.drop(it)
		return
	}
	permit, d := f.limiter.Take(f.now, f.request(it))
	if d.Answer != limiter.Allowed {
		f.refused(it, d)
		return
	}
	w := f.under(it)
	w.permit, w.typed = permit, f.now // it is the time that counts for a ramp
	f.gone = it == f.target
	f.start(it, onWire, f.now.Add(f.tempo.next(f.now, &f.tempo.sends)))
}

func (f *future) start(it *item, to phase, until time.Time) {
	f.opened = nil
	if it.phase == waiting {
		f.line.take(it)
		f.line.forgetEnd(it)
		f.claimed = append(f.claimed, it)
	}
	it.phase, f.under(it).until = to, until
}

// end is the end of a send.
func (f *future) end(it *item) {
	f.settle(it)
	f.unclaim(it)
	f.slow(it)
	if it.way.again != nil {
		it.terms = it.way.again
		f.line.lead(it, f.now)
	} else {
		it.meet()
		f.line.leave(it, f.now)
		f.spare, it.way = it.way, nil
	}
	f.reopen()
}

// settle gives the permit of a call its outcome.
func (f *future) settle(it *item) {
	if it.way.permit == (limiter.Permit{}) {
		_ = f.limiter.Abandon(f.now, f.account) // its time is one that the lane's clock has shown
	} else {
		it.way.permit.Settle(f.now, limiter.Sent)
	}
}

// under is the way of an item, which it has from now on.
func (f *future) under(it *item) *way {
	if it.way == nil && f.spare != nil {
		it.way, f.spare = f.spare, nil
		*it.way = way{}
	}
	return it.under()
}

func (f *future) request(it *item) limiter.Request {
	return f.queue.request(f.account, f.portfolio, it)
}

func (f *future) reopen() { f.until, f.checks.until, f.opened = time.Time{}, time.Time{}, nil }

// slow has an account that was offline come back as the ramp says.
func (f *future) slow(it *item) {
	if f.link != nil && f.link.resume(f.limiter, f.queue.options.Ramp, f.request(it), it.way.typed, f.now) {
		f.link = nil
	}
}

func (f *future) unclaim(it *item) {
	f.claimed = slices.DeleteFunc(f.claimed, func(other *item) bool { return other == it })
}

func (f *future) putBack(it *item) {
	f.unclaim(it)
	f.line.mayExpire(it)
	f.line.put(it)
}

// drop ends a message that will not be sent.
func (f *future) drop(it *item) {
	switch {
	case it.phase.claimed():
		f.unclaim(it)
	case it.phase == parked:
		f.checks.unpark(it)
	}
	f.line.leave(it, f.now)
	f.lost = f.lost || it == f.target
	f.reopen()
}

// refused has a message wait for the limiter, as the queue does.
func (f *future) refused(it *item, d limiter.Decision) {
	f.opened = nil
	if d.Answer == limiter.Never {
		f.drop(it)
		return
	}
	if it.phase.claimed() {
		f.putBack(it)
	}
	until := f.frees(d)
	if !d.Narrow {
		f.until = until
		if d.Answer == limiter.Later {
			f.opened = it
		}
		return
	}
	f.line.unlist(it)
	f.line.delay(it, until)
}

// frees is when to ask the limiter again.
func (f *future) frees(d limiter.Decision) time.Time {
	switch {
	case d.Answer == limiter.Later:
		return f.now.Add(max(d.RetryAfter, 1))
	case d.Rule == "hold":
		return forever() // nobody knows when it will be released
	case len(f.claimed) > 0:
		if d.Narrow {
			return f.now.Add(max(d.RetryAfter, patience))
		}
		return forever() // until one of them is done with
	case !f.stray:
		f.stray = true
		_ = f.limiter.Abandon(f.now, f.account)
		return f.now
	}
	return forever()
}
