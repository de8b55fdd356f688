package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/wapace/wapace/limiter"
)

// show asks the sender to show typing. The message follows when its typing time is
// over, whatever comes of it.
func (q *Queue) show(ctx context.Context, j job) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := j.lane.shard
	s.mu.Lock()
	j.item.hush = cancel
	late, d := j.item.phase != typing || q.stopped.Load(), j.item.typing
	s.mu.Unlock()
	if late {
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
	r := *j.record
	r.Status, r.At, r.Typing = Sending, q.clock.Now(), it.typing
	r.Attempts++
	r.Version++
	if err := q.begin(ctx, it, &r); err != nil {
		q.putBack(j, err)
		return
	}
	// A sender that panics, or ends its goroutine, leaves the message in doubt.
	end, outcome, lost := r, limiter.Sent, false
	end.Version++
	end.Status, end.Code, end.Err = InDoubt, SendUnknown, "the sender did not return"
	defer func() {
		if lost {
			it.permit.Settle(q.clock.Now(), limiter.Unsent)
			return
		}
		if v := recover(); v != nil {
			end.Err = fmt.Sprintf("the sender panicked: %v", v)
			q.complain("the sender panicked", &r, fmt.Errorf("%v\n%s", v, debug.Stack()))
		}
		q.settle(ctx, j, &end, outcome)
	}()
	q.tell(&r, Queued, r.At)
	s := j.lane.shard
	s.mu.Lock()
	if lost = it.lost; !lost {
		it.record, it.status, it.phase = &r, Sending, onWire
	}
	s.mu.Unlock()
	if lost {
		return
	}
	end.At = q.clock.Now() // again: recording took time
	receipt, err := q.sender.Send(ctx, r.clone())
	end.Receipt = receipt
	end.Status, end.Code, end.Err, outcome = verdict(err)
}

// begin records a message as sending. It may have done so before and been told
// that it failed: such a mark is its own, and nothing has been sent under it.
func (q *Queue) begin(ctx context.Context, it *item, r *Record) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	err := q.store.Change(ctx, r, nil)
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
		l.shard.mu.Lock()
		defer l.shard.mu.Unlock()
		l.drop(it)
		q.plan(l, now)
		return
	}
	q.complain("a message could not be recorded as sending; it waits", j.record, err)
	l.shard.mu.Lock()
	defer l.shard.mu.Unlock()
	it.until = now.Add(patience)
	l.move(it, waiting)
	q.plan(l, now)
}

// settle gives the permit and the message their outcome.
func (q *Queue) settle(ctx context.Context, j job, end *Record, outcome limiter.Outcome) {
	end.Done = q.clock.Now()
	s := j.lane.shard
	s.mu.Lock()
	lost := j.item.lost
	if !lost {
		j.item.record, j.item.phase = end, saving
	}
	s.mu.Unlock()
	j.item.permit.Settle(end.Done, outcome)
	if !lost {
		j.record = end
		q.save(ctx, j)
	}
}

// save records a message's end and lets the lane go on.
func (q *Queue) save(ctx context.Context, j job) { _ = q.trySave(ctx, j) }

// trySave is save. Where it fails, the lane will try again.
func (q *Queue) trySave(ctx context.Context, j job) error {
	l, it := j.lane, j.item
	from := it.status
	r, err := q.finish(context.WithoutCancel(ctx), it, j.record)
	now := q.clock.Now()
	if err != nil {
		q.complain("a message's end could not be recorded; it will be", j.record, err)
		l.shard.mu.Lock()
		defer l.shard.mu.Unlock()
		it.phase, it.until = recording, now.Add(patience)
		q.plan(l, now)
		return err
	}
	l.shard.mu.Lock()
	l.drop(it)
	l.reopen(now)
	q.plan(l, now)
	l.shard.mu.Unlock()
	q.conclude(r, from, now)
	return nil
}

// finish records a message's end, which the store may have done before and said
// that it failed. It returns the record that stands.
func (q *Queue) finish(ctx context.Context, it *item, r *Record) (*Record, error) {
	err := q.store.Change(ctx, r, nil)
	if errors.Is(err, ErrConflict) {
		kept, lookup := q.store.Get(ctx, r.ID)
		switch {
		case lookup != nil:
			err = errors.Join(err, lookup)
		case kept.Status.Final():
			return &kept, nil
		case it.marked && kept.Status == Sending && kept.Version == r.Version:
			again := *r // behind a mark of its own
			again.Version++
			return &again, q.store.Change(ctx, &again, nil)
		}
	}
	if errors.Is(err, ErrUnknownMessage) {
		return r, nil // done with and forgotten
	}
	return r, err
}

// conclude tells everybody who waits for it that a message is done with.
func (q *Queue) conclude(r *Record, from Status, now time.Time) {
	defer q.waiters.tell(r) // even where OnEvent ends the goroutine
	q.tell(r, from, now)
}

// verdict is what the sender's answer makes of a message and its permit.
func verdict(err error) (Status, Code, string, limiter.Outcome) {
	switch {
	case err == nil:
		return Sent, "", "", limiter.Sent
	case errors.Is(err, ErrUnsent):
		return Failed, SendFailed, err.Error(), limiter.Unsent
	case brokeOff(err):
		return InDoubt, SendUnknown, err.Error(), limiter.Sent
	}
	return Failed, SendFailed, err.Error(), limiter.Refused
}

// brokeOff reports whether an error leaves open what happened on the wire.
func brokeOff(err error) bool {
	for _, open := range []error{
		context.DeadlineExceeded, context.Canceled,
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE,
	} {
		if errors.Is(err, open) {
			return true
		}
	}
	var network net.Error
	return errors.As(err, &network)
}
