package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/wapace/wapace/limiter"
)

// show asks the sender to show typing. The message follows when its typing time is
// over, whatever comes of it.
func (q *Queue) show(ctx context.Context, j job) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := j.lane.shard()
	s.mu.Lock()
	j.item.hush = cancel
	late, d := j.item.phase != typing || q.stopped.Load(), j.item.typing
	s.mu.Unlock()
	if late || !q.typable(j) {
		return
	}
	defer q.rescue("typing panicked", j.record)
	if err := q.typist.Typing(ctx, j.record.clone(), d); err != nil {
		q.complain("typing was not shown", j.record, err)
	}
}

// send records the message as sending, hands it to the sender and settles what
// became of it.
func (q *Queue) send(ctx context.Context, j job) {
	it := j.item
	if !q.reachable(j) {
		return
	}
	r := *j.record
	r.Status, r.Code, r.Err, r.At, r.Done, r.RetryAt = Sending, "", "", q.clock.Now(), time.Time{}, time.Time{}
	r.Typing = it.typing
	r.Attempts++
	r.Version++
	if err := q.begin(ctx, it, &r, q.pace(j.lane)); err != nil {
		q.putBack(j, err)
		return
	}
	// A sender that panics, or ends its goroutine, leaves the message in doubt.
	last, lost := r, false
	end := ending{Record: &last, began: r.At, outcome: limiter.Sent}
	end.Version++
	end.doubt("the sender did not return")
	defer func() {
		if lost {
			it.permit.Settle(q.clock.Now(), limiter.Unsent)
			return
		}
		if v := recover(); v != nil {
			end.Err = fmt.Sprintf("the sender panicked: %v", v)
			q.complain("the sender panicked", &r, fmt.Errorf("%v\n%s", v, debug.Stack()))
		}
		q.settle(ctx, j, &end)
	}()
	q.tell(&r, Queued, r.At)
	var cancel context.CancelFunc
	if it.timed {
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
	}
	s := j.lane.shard()
	s.mu.Lock()
	if lost = it.lost; !lost {
		it.record, it.wired, it.phase, it.hush = &r, true, onWire, cancel
	}
	s.mu.Unlock()
	if lost {
		return
	}
	end.At = q.clock.Now() // again: recording took time
	if r.expired(end.At) {
		end.expire()
		return
	}
	receipt, err := q.sender.Send(ctx, r.clone())
	end.Receipt = receipt
	end.judge(err)
}

// begin records a message as sending. It may have done so before and been told
// that it failed: such a mark is its own, and nothing has been sent under it.
func (q *Queue) begin(ctx context.Context, it *item, r *Record, p *Pace) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	err := q.store.Change(ctx, r, p)
	if !it.marked || !errors.Is(err, ErrConflict) {
		it.marked = it.marked || err != nil
		return err
	}
	kept, lookup := q.store.Get(ctx, r.ID)
	if lookup != nil {
		return lookup
	}
	if kept.Status != Sending || kept.Version != r.Version {
		return err
	}
	return nil
}

// putBack returns a message to its lane which could not be recorded as sending, or
// drops it where the store says that it is somebody else's now, or gone.
func (q *Queue) putBack(j job, err error) {
	l, it := j.lane, j.item
	now := q.clock.Now()
	it.permit.Settle(now, limiter.Unsent)
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrUnknownMessage) {
		q.complain("a message is not the queue's to send any more", j.record, err)
		l.shard().mu.Lock()
		defer l.shard().mu.Unlock()
		l.drop(it)
		l.line.leave(it, now)
		q.waiting.Add(-1)
		q.plan(l, now)
		return
	}
	q.complain("a message could not be recorded as sending; it waits", j.record, err)
	l.shard().mu.Lock()
	defer l.shard().mu.Unlock()
	l.putBack(it)
	l.until = q.tick(now.Add(patience))
	q.plan(l, now)
}

// settle gives the permit and the message their outcome.
func (q *Queue) settle(ctx context.Context, j job, end *ending) {
	end.Done = q.clock.Now()
	q.again(end)
	s := j.lane.shard()
	s.mu.Lock()
	lost := j.item.lost
	if !lost {
		j.item.record, j.item.phase, j.item.hush = end.Record, saving, nil
		if end.outcome != limiter.Unsent {
			j.lane.sends.measure(end.Done.Sub(end.began))
			s.sends.measure(end.Done.Sub(end.began))
		}
	}
	s.mu.Unlock()
	j.item.permit.Settle(end.Done, end.outcome)
	if lost {
		return
	}
	q.heed(ctx, j, end)
	j.record = end.Record
	q.save(ctx, j)
}

// save records what became of a message and lets the lane go on.
func (q *Queue) save(ctx context.Context, j job) { _ = q.trySave(ctx, j) }

// trySave is save. Where it fails, the lane will try again.
func (q *Queue) trySave(ctx context.Context, j job) error {
	l, it := j.lane, j.item
	from := Queued
	var p *Pace
	if it.wired {
		from, p = Sending, q.pace(l)
	}
	r, err := q.finish(context.WithoutCancel(ctx), it, j.record, p)
	now := q.clock.Now()
	if err != nil {
		q.complain("what became of a message could not be recorded; it will be", j.record, err)
		l.shard().mu.Lock()
		defer l.shard().mu.Unlock()
		it.phase, it.until = recording, now.Add(patience)
		q.plan(l, now)
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
	l.drop(it)
	if it.campaign != nil && r.Status.Final() {
		if r.Status == Sent {
			it.meet()
		}
		l.line.leave(it, now)
	}
	l.reopen(now)
	q.slow(l, it, now)
	q.plan(l, now)
	l.shard().mu.Unlock()
	q.tell(r, from, now)
	return nil
}

// rejoin puts a message that waits again back into its line. It is a new item: the
// worker of the one before may still have that.
func (q *Queue) rejoin(l *lane, it *item, r *Record) {
	now := q.clock.Now()
	l.shard().mu.Lock()
	defer l.shard().mu.Unlock()
	l.line.leave(it, now)
	l.line.join(&item{record: r, seq: it.seq, verified: it.verified, contact: it.contact, met: it.met}, now)
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
		case it.marked && kept.Status == Sending && kept.Version == r.Version:
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
