package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrLeftOnWire is wrapped by the error of a [Queue.Run] that had to give up calls
// which did not return.
var ErrLeftOnWire = errors.New("queue: stopped with calls that did not return")

// lastWord is how long a stop waits for senders whose context it has cancelled.
const lastWord = time.Second

// Run sends until ctx is done, with up to Options.Workers calls of the sender at
// once and one timer. Where more than a thousand accounts wait for a time, it wakes
// once for those that are due within 250 µs. When ctx is done it claims nothing more,
// lets the sends on the wire finish for Options.StopWait, cancels their context, and a
// second later gives up those that have not returned: they are recorded as in doubt,
// and Run returns an error that wraps [ErrLeftOnWire]. Messages that were not on the
// wire stay queued. Where a message's end cannot be recorded before Options.StopWait
// has passed, Run returns the store's error. Otherwise it returns nil, and nothing of
// it runs any more. The queue has stopped then: Run is called once. [ErrRunning] and
// [ErrStopped] say that it did nothing.
func (q *Queue) Run(ctx context.Context) error {
	if err := given(ctx); err != nil {
		return err
	}
	if err := q.take(); err != nil {
		return err
	}
	defer q.drive.Store(false)
	defer close(q.ended)
	calls, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	c := &crew{queue: q, run: ctx, calls: calls}
	q.alarm.Store(awake)
	q.crew.Store(c)
	q.keepTime(ctx, c)
	c.dismiss()
	q.crew.Store(nil)

	q.stop()
	deadline := q.clock.Now().Add(q.options.StopWait)
	idle := make(chan struct{})
	go func() {
		c.members.Wait()
		close(idle)
	}()
	var left error
	if q.options.StopWait <= 0 || !finished(idle, q.clock.After(q.options.StopWait)) {
		cancel()
		if !finished(idle, q.clock.After(lastWord)) {
			left = fmt.Errorf("%w; messages in doubt: %d", ErrLeftOnWire, q.abandon())
		}
	}
	return errors.Join(left, q.flush(calls, deadline))
}

func finished(idle <-chan struct{}, timeout <-chan time.Time) bool {
	select {
	case <-idle:
		return true
	case <-timeout:
		return false
	}
}

// stop ends the taking in of messages and the calls that verify and show typing.
func (q *Queue) stop() {
	q.stopped.Store(true)
	for l := range q.all() {
		for _, it := range l.claimed {
			if it.phase == typing || it.phase == checking {
				it.quiet()
			}
		}
	}
}

// abandon gives up every message that is still on the wire and returns how many
// they are.
func (q *Queue) abandon() (n int) {
	now := q.clock.Now()
	for l := range q.all() {
		for _, it := range l.claimed {
			switch it.phase {
			case starting, checking:
				it.way.lost = true
			case onWire:
				it.phase, it.way.lost = recording, true
				it.way.end = doubtful("the sender did not return before the queue stopped", now)
				n++
			case waiting, behind, delayed, parked, doomed, typing, saving, recording:
			}
		}
	}
	return n
}

// flush records the ends that could not be recorded yet. It tries once at least,
// and then until the deadline.
func (q *Queue) flush(ctx context.Context, deadline time.Time) error {
	for {
		left := q.unrecorded()
		var failed error
		for _, j := range left {
			if err := q.trySave(ctx, j); err != nil {
				failed = err
			}
		}
		if failed == nil {
			return nil
		}
		if q.clock.Now().Add(patience).After(deadline) {
			return fmt.Errorf("queue: stopped with messages whose end could not be recorded: %w", failed)
		}
		<-q.clock.After(patience)
	}
}

// unrecorded takes the messages whose end could not be recorded yet.
func (q *Queue) unrecorded() (left []job) {
	for l := range q.all() {
		for _, it := range l.claimed {
			if it.phase == recording {
				it.phase = saving
				left = append(left, job{lane: l, item: it})
			}
		}
	}
	return left
}
