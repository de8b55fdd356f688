package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrLeftOnWire is wrapped by the error of a [Queue.Run] that had to give up
// sends which did not return.
var ErrLeftOnWire = errors.New("queue: stopped with messages on the wire")

// lastWord is how long a stop waits for senders whose context it has cancelled.
const lastWord = time.Second

// Run sends until ctx is done, with up to Options.Workers calls of the sender at
// once and one timer. Then it claims nothing more, lets the sends on the wire
// finish for Options.StopWait, cancels their context, and gives up those that do
// not return: they are recorded as in doubt, and Run returns an error that wraps
// [ErrLeftOnWire]. Otherwise it returns nil, and nothing of it runs any more.
// Messages that were not on the wire stay queued. The queue has stopped then:
// Run is called once. [ErrRunning] and [ErrStopped] say that it did nothing.
func (q *Queue) Run(ctx context.Context) error {
	if err := q.take(); err != nil {
		return err
	}
	defer q.drive.Store(false)
	defer close(q.ended)
	calls, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var sending sync.WaitGroup
	q.dispatch(ctx, worker{q, calls}, &sending)

	q.mu.Lock()
	q.stopped = true
	q.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		sending.Wait()
		close(idle)
	}()
	if q.options.StopWait > 0 && finished(idle, q.clock.After(q.options.StopWait)) {
		return nil
	}
	cancel()
	if finished(idle, q.clock.After(lastWord)) {
		return nil
	}
	if n := q.abandon(calls); n > 0 {
		return fmt.Errorf("%w: %d did not return and are in doubt", ErrLeftOnWire, n)
	}
	return nil
}

func finished(idle <-chan struct{}, timeout <-chan time.Time) bool {
	select {
	case <-idle:
		return true
	case <-timeout:
		return false
	}
}

// dispatch hands due jobs to workers until ctx is done.
func (q *Queue) dispatch(ctx context.Context, w worker, sending *sync.WaitGroup) {
	slots := make(chan struct{}, q.options.Workers)
	var timer alarm
	for ctx.Err() == nil {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		now := q.clock.Now()
		j, due, ok := q.next(now)
		if ok {
			sending.Go(func() {
				defer func() { <-slots }()
				j.do(w, j.lane, j.item)
			})
			continue
		}
		<-slots
		select {
		case <-q.wake:
		case <-timer.at(q.clock, now, due):
			timer = alarm{}
		case <-ctx.Done():
		}
	}
}

// An alarm is the one timer of a Run. It is kept while it rings soon enough, so
// that a queue which is woken often does not leave a timer behind each time.
type alarm struct {
	rings   time.Time
	channel <-chan time.Time
}

// at is a channel that receives at due or before; nil, which never receives,
// where due is zero.
func (a *alarm) at(c interface {
	After(d time.Duration) <-chan time.Time
}, now, due time.Time) <-chan time.Time {
	if due.IsZero() {
		return nil
	}
	if a.channel == nil || due.Before(a.rings) {
		*a = alarm{due, c.After(due.Sub(now))}
	}
	return a.channel
}

// abandon records every message that is still on the wire as in doubt and returns
// how many they are.
func (q *Queue) abandon(ctx context.Context) int {
	var left []*item
	now := q.clock.Now()
	q.mu.Lock()
	for _, l := range q.lanes {
		for _, it := range l.claimed {
			if it.phase == onWire {
				r := &it.record
				r.Status, r.Code, r.Err, r.Done = InDoubt, SendUnknown, "the sender did not return before the queue stopped", now
				left = append(left, it)
			}
			it.lost = true
		}
	}
	q.mu.Unlock()
	for _, it := range left {
		if err := q.store.Finish(context.WithoutCancel(ctx), it.record); err != nil {
			q.complain("a message's end could not be recorded", &it.record, err)
			continue
		}
		q.conclude(it, Sending, now)
	}
	return len(left)
}
