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

// A worker does jobs: the part of a message's way in which the user's functions
// and the store are called, without any lock. ctx is the calls' context.
type worker struct {
	q   *Queue
	ctx context.Context
}

// show asks the sender to show typing. Whatever comes of it, the message follows
// when its typing time is over.
func (w worker) show(l *lane, it *item) {
	q := w.q
	defer func() {
		if r := recover(); r != nil {
			q.complain("typing panicked", &it.record, fmt.Errorf("%v\n%s", r, debug.Stack()))
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		if !it.lost {
			it.phase = typing
			q.reschedule(l, it.until)
		}
	}()
	if err := q.typist.Typing(w.ctx, it.record.clone(), it.record.Typing); err != nil {
		q.complain("typing was not shown", &it.record, err)
	}
}

// send records the message as sending, hands it to the sender and settles what
// became of it.
func (w worker) send(l *lane, it *item) {
	q, r := w.q, it.record
	r.Status, r.At = Sending, q.clock.Now()
	if err := q.store.Begin(w.ctx, r); err != nil {
		now := q.clock.Now()
		it.permit.Settle(now, limiter.Unsent)
		q.complain("a message could not be recorded as sending; it waits", &r, err)
		q.mu.Lock()
		defer q.mu.Unlock()
		if !it.lost {
			it.until = now.Add(patience)
			l.move(it, waiting)
			q.reschedule(l, it.until)
		}
		return
	}
	q.tell(r, Queued, r.At)
	// A sender that panics, or ends its goroutine, leaves the message in doubt.
	end := Record{Status: InDoubt, Code: SendUnknown, Err: "the sender did not return"}
	defer func() {
		if v := recover(); v != nil {
			end.Err = fmt.Sprintf("the sender panicked: %v", v)
			q.complain("the sender panicked", &r, fmt.Errorf("%v\n%s", v, debug.Stack()))
		}
		r.Status, r.Code, r.Err, r.Receipt = end.Status, end.Code, end.Err, end.Receipt
		w.settle(l, it, r)
	}()
	r.At = q.clock.Now() // again: recording took time
	q.mu.Lock()
	it.record.Status, it.record.At = r.Status, r.At
	q.mu.Unlock()
	receipt, err := q.sender.Send(w.ctx, r.clone())
	end.Receipt = receipt
	end.Status, end.Code, end.Err = verdict(err)
}

// settle gives the permit and the message their outcome.
func (w worker) settle(l *lane, it *item, r Record) {
	q := w.q
	r.Done = q.clock.Now()
	outcome := limiter.Sent
	if r.Status == Failed {
		outcome = limiter.Refused
	}
	q.mu.Lock()
	lost := it.lost
	if !lost {
		it.record, it.phase = r, saving
	}
	q.mu.Unlock()
	it.permit.Settle(r.Done, outcome)
	if !lost {
		w.save(l, it)
	}
}

// save records a message's end and lets the lane go on.
func (w worker) save(l *lane, it *item) {
	q, r := w.q, it.record
	from := Sending
	if r.At.IsZero() {
		from = Queued
	}
	err := q.store.Finish(context.WithoutCancel(w.ctx), r)
	now := q.clock.Now()
	q.mu.Lock()
	if err != nil {
		it.phase, it.until = recording, now.Add(patience)
		q.reschedule(l, it.until)
		q.mu.Unlock()
		q.complain("a message's end could not be recorded; it will be", &r, err)
		return
	}
	l.claimed = remove(l.claimed, it)
	if len(l.waiting) > 0 {
		// What the first one waited for may have been this permit.
		l.waiting[0].until = now
	}
	q.reschedule(l, now)
	q.mu.Unlock()
	q.conclude(it, from, now)
}

// conclude tells everybody who waits for it that a message is done with.
func (q *Queue) conclude(it *item, from Status, now time.Time) {
	q.tell(it.record, from, now)
	if it.finished != nil {
		it.finished <- it.record
	}
}

// verdict is what the sender's answer makes of a message.
func verdict(err error) (Status, Code, string) {
	switch {
	case err == nil:
		return Sent, "", ""
	case brokeOff(err):
		return InDoubt, SendUnknown, err.Error()
	}
	return Failed, SendFailed, err.Error()
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
