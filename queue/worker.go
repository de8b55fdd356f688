package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
)

// show asks the sender to show typing. The message follows when its typing time is
// over, whatever comes of it.
func (q *Queue) show(ctx context.Context, j job) {
	c := newCall(ctx)
	defer c.cancel()
	ctx = c
	s, it := j.lane.shard(), j.item
	s.mu.Lock()
	late, d := it.phase != typing || q.stopped.Load(), it.way.typing
	if !late {
		it.way.hush = c
	}
	m := message{it.id, it.to, it.all().askedTo}
	s.mu.Unlock()
	if late || !q.typable(j) {
		return
	}
	about := subject{m.id, j.lane.account, m.to}
	defer q.rescue("typing panicked", about)
	r, err := q.read(ctx, m)
	if err == nil {
		err = q.typist.Typing(ctx, r.Message, d)
	}
	if err != nil {
		q.complain("typing was not shown", about, err)
	}
}

// send records the message as sending, hands it to the sender and settles what
// became of it.
func (q *Queue) send(ctx context.Context, j job) {
	it := j.item
	r := q.mark(ctx, j)
	if r == nil {
		return
	}
	end := ending{Record: r, began: r.At, outcome: limiter.Sent}
	judged, lost := false, false
	defer func() {
		if lost {
			it.way.permit.Settle(q.clock.Now(), limiter.Unsent)
			return
		}
		if !judged { // a sender that panics, or ends its goroutine, leaves the message in doubt
			end.doubt("the sender did not return")
		}
		if v := recover(); v != nil {
			end.Err = plain(fmt.Sprintf("the sender panicked: %v", v))
			q.broke("the sender panicked", r.subject(), v)
		}
		end.Version++
		if q.settle(ctx, j, &end) {
			q.blanks.Put(r)
		}
	}()
	q.tell(r, Queued, r.At)
	var c *call
	calling := ctx // and what comes of it is recorded with that of all calls
	if it.way.timed {
		c = newCall(ctx)
		defer c.cancel()
		calling = c
	}
	s := j.lane.shard()
	s.mu.Lock()
	if lost = it.way.lost; !lost {
		it.way.wired, it.way.began, it.phase, it.way.hush = true, r.At, onWire, c
		it.way.record = nil // a mark that failed is behind it
	}
	s.mu.Unlock()
	if lost {
		return
	}
	end.At = q.clock.Now() // again: recording took time
	switch {
	case r.expired(end.At):
		end.expire()
		judged = true
		return
	case calling.Err() != nil: // a sender could make nothing of it
		end.back()
		judged = true
		return
	}
	receipt, err := q.sender.Send(calling, r.clone())
	end.Receipt = Receipt{ID: plain(receipt.ID)}
	end.judge(err)
	judged = true
}

// errOffline says that a message's account is not connected.
var errOffline = errors.New("queue: the account is not connected")

// mark records a message as sending and returns the record. Where it cannot, it puts
// the message back and returns nil.
func (q *Queue) mark(ctx context.Context, j job) (r *Record) {
	it := j.item
	var before Record
	marking, err := false, errBrokeOff // unless it gets to its end
	defer func() {
		if err == nil {
			return
		}
		r = nil
		switch {
		case errors.Is(err, errOffline):
			q.unreachable(j)
		case marking: // the store may have marked it all the same
			kept := before
			q.putBack(j, &kept, err)
		default:
			q.putBack(j, nil, err)
		}
	}()
	if !q.connected(j.subject()) {
		err = errOffline
		return nil
	}
	r = q.blank()
	if own, ok := q.store.(*memory); ok {
		if err = context.Cause(ctx); err == nil {
			err = own.begin(it, q.clock.Now(), r)
		}
		return r
	}
	var failed error
	before, failed = q.unsent(ctx, it)
	now := q.clock.Now()
	if failed == nil {
		failed = context.Cause(ctx)
	}
	if failed != nil {
		err = failed
		return nil
	}
	*r = before
	r.begin(now, it.way.typing)
	marking = true
	err = q.begin(ctx, it, r, q.pace(j.lane))
	return r
}

// begin has a record be that of a message which is about to go on the wire.
func (r *Record) begin(now time.Time, shown time.Duration) {
	r.Status, r.Code, r.Err, r.At, r.Done, r.RetryAt = Sending, "", "", now, time.Time{}, time.Time{}
	r.Typing = shown
	r.Attempts++
	r.Version++
}

// errBrokeOff is the error of a connector, a store or a logger that ended the
// goroutine.
var errBrokeOff = errors.New("queue: what was asked did not return")

// begin records a message as sending. It may have done so before and been told
// that it failed: such a mark is its own, and nothing has been sent under it.
func (q *Queue) begin(ctx context.Context, it *item, r *Record, p *Pace) error {
	err := q.store.Change(ctx, r, p)
	if it.way.record == nil || !errors.Is(err, ErrConflict) {
		return err
	}
	kept, lookup := q.store.Get(ctx, r.ID)
	if lookup != nil {
		return lookup
	}
	if kept.Status != Sending || kept.Version != r.Version {
		return err
	}
	if p == nil {
		return nil
	}
	return q.store.Keep(ctx, p) // the mark was made with what had been spent then
}

// putBack returns a message to its lane which could not be recorded as sending, or
// drops it where the store says that it is somebody else's now, or gone. before is
// its record where the store may have marked it all the same.
func (q *Queue) putBack(j job, before *Record, err error) {
	l, it := j.lane, j.item
	now := q.clock.Now()
	it.way.permit.Settle(now, limiter.Unsent)
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrUnknownMessage) {
		defer q.complain("a message is not the queue's to send any more", j.subject(), err)
		l.shard().mu.Lock()
		defer l.shard().mu.Unlock()
		l.drop(it)
		l.line.leave(it, now)
		q.waiting.Add(-1)
		q.plan(l, now)
		return
	}
	defer q.complain("a message could not be recorded as sending; it waits", j.subject(), err)
	l.shard().mu.Lock()
	defer l.shard().mu.Unlock()
	if l.putBack(it); it.way.record == nil {
		it.way.record = before
	}
	l.until = q.tick(now.Add(patience))
	q.plan(l, now)
}

// blank is a record to write to.
func (q *Queue) blank() *Record {
	if r, ok := q.blanks.Get().(*Record); ok {
		return r
	}
	return &Record{}
}

// settle gives the permit and the message their outcome. It reports whether the
// ending's record is of no use any more.
func (q *Queue) settle(ctx context.Context, j job, end *ending) (done bool) {
	end.Done = q.clock.Now()
	q.again(end)
	s := j.lane.shard()
	s.mu.Lock()
	w := j.item.way
	lost := w.lost
	if !lost {
		j.item.phase, w.hush = saving, nil
		if end.Status == Queued {
			w.again = end.terms()
		}
		if end.outcome != limiter.Unsent {
			j.lane.sends.measure(end.Done.Sub(end.began))
			s.sends.measure(end.Done.Sub(end.began))
		}
	}
	s.mu.Unlock()
	w.permit.Settle(end.Done, end.outcome)
	if lost {
		return false
	}
	j.record = end.Record
	defer func() { done = q.trySave(ctx, j) == nil }() // even where the logger ends the goroutine
	q.heed(ctx, j, end)
	return false
}

// save records what became of a message and lets the lane go on.
func (q *Queue) save(ctx context.Context, j job) { _ = q.trySave(ctx, j) }

// trySave is save. Where it fails, the lane will try again.
func (q *Queue) trySave(ctx context.Context, j job) error {
	l, it := j.lane, j.item
	from := Queued
	var p *Pace
	if it.way.wired {
		from, p = Sending, q.pace(l)
	}
	ctx = outlast(ctx)
	r, err := j.record, errBrokeOff // unless the store returns
	defer func() {
		if err != nil {
			q.saveLater(j, r, err)
		}
	}()
	found, failed := q.result(ctx, j)
	if r = found; failed == nil {
		found, failed = q.finish(ctx, it, r, p)
	}
	if r, err = found, failed; err != nil {
		return err
	}
	if r.Status.Final() {
		q.waiting.Add(-1)
		defer q.waiters.tell(r) // even where OnEvent ends the goroutine
	} else {
		defer q.watch()
		defer q.rejoin(l, it, r)
	}
	l.shard().mu.Lock()
	now := q.clock.Now() // with the lock held, so that no clock was set back since
	l.drop(it)
	if it.campaign != nil && r.Status.Final() {
		if r.Status == Sent {
			it.meet()
		}
		l.line.leave(it, now)
	}
	q.postpone(l, now)
	q.slow(l, it, r, now)
	q.plan(l, now)
	l.shard().mu.Unlock()
	q.tell(r, from, now)
	return nil
}

// saveLater has a lane record later what became of a message. r is the record of that,
// where there is one.
func (q *Queue) saveLater(j job, r *Record, err error) {
	l, it := j.lane, j.item
	defer q.complain("what became of a message could not be recorded; it will be", j.subject(), err)
	now := q.clock.Now()
	l.shard().mu.Lock()
	defer l.shard().mu.Unlock()
	it.phase, it.way.until = recording, now.Add(patience)
	if r != nil {
		it.way.end = &end{record: r}
	}
	q.plan(l, now)
}

// rejoin puts a message that waits again back into its line. It is a new item: the
// worker of the one before may still have that.
func (q *Queue) rejoin(l *lane, it *item, r *Record) {
	now := q.clock.Now()
	again := q.item(r, it.contact)
	again.verified, again.met = it.verified, it.met
	l.shard().mu.Lock()
	defer l.shard().mu.Unlock()
	l.line.leave(it, now)
	l.line.join(again, r.Campaign, r.Priority, now)
	if l.line.first() == again {
		l.until = always // what keeps others back may not keep this one
	}
	q.plan(l, now)
}

// finish records a message's end, which the store may have done before and said
// that it failed. It returns the record that stands.
func (q *Queue) finish(ctx context.Context, it *item, r *Record, p *Pace) (*Record, error) {
	err := q.store.Change(ctx, r, p)
	if errors.Is(err, ErrConflict) {
		kept, lookup := q.store.Get(ctx, r.ID)
		switch {
		case lookup != nil:
			err = errors.Join(err, lookup)
		case kept.Status.Final(), kept.Version == r.Version && kept.Status == r.Status:
			return &kept, nil
		case it.way.record != nil && kept.Status == Sending && kept.Version == r.Version:
			again := *r // behind a mark of its own
			again.Version++
			return &again, q.store.Change(ctx, &again, p)
		}
	}
	if errors.Is(err, ErrUnknownMessage) {
		return r, nil // done with and forgotten
	}
	return r, err
}
