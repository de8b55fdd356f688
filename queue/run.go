package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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
// wire stay queued, and so do those whose context ends before the sender has them.
// Where a message's end cannot be recorded before Options.StopWait has passed, Run
// returns the store's error; a call of the store that hangs has its context cancelled a
// second after that, and where it does not return either, the error wraps
// [ErrLeftOnWire]. Otherwise it returns nil, and nothing of it runs any more. The queue
// has stopped then: Run is called once. [ErrRunning] and [ErrStopped] say that it did
// nothing, and so does an [OptionError] for a nil context.
func (q *Queue) Run(ctx context.Context) error {
	if err := given(ctx); err != nil {
		return err
	}
	if err := q.take(); err != nil {
		return err
	}
	defer q.drive.Store(false)
	defer close(q.ended)
	lasts, drop := records(ctx)
	defer drop()
	calls, cancel := context.WithCancel(lasts)
	defer cancel()
	c := &crew{queue: q, run: ctx, calls: calls, cores: int32(runtime.GOMAXPROCS(0))}
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
			n, saves := q.abandon()
			drop()
			if !saves || !finished(idle, q.clock.After(lastWord)) {
				left = fmt.Errorf("%w; messages in doubt: %d", ErrLeftOnWire, n)
			}
		}
	}
	return errors.Join(left, q.finally(ctx, deadline))
}

// finally flushes, and does not wait for ever for a store that hangs.
func (q *Queue) finally(ctx context.Context, deadline time.Time) error {
	lasts, drop := records(ctx)
	defer drop()
	err := errBrokeOff
	flushed := make(chan struct{})
	go func() {
		defer close(flushed)
		err = q.flush(lasts, deadline)
	}()
	if finished(flushed, q.clock.After(max(deadline.Sub(q.clock.Now()), 0)+lastWord)) {
		return err
	}
	drop()
	if finished(flushed, q.clock.After(lastWord)) {
		return err
	}
	return fmt.Errorf("%w: the store is one of them", ErrLeftOnWire)
}

// lasting is the key of the context in which a queue records what has happened.
type lasting struct{}

// records is a context that outlasts another, for records and for what is called
// meanwhile.
func records(ctx context.Context) (context.Context, context.CancelFunc) {
	records, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return context.WithValue(records, lasting{}, records), cancel
}

// outlast is the context in which is recorded what has happened in another: it goes on
// where that one is done, for as long as Run lets it.
func outlast(ctx context.Context) context.Context {
	if records, ok := ctx.Value(lasting{}).(context.Context); ok {
		return records
	}
	return context.WithoutCancel(ctx)
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
// they are, and whether others are being recorded.
func (q *Queue) abandon() (n int, saves bool) {
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
			case saving:
				saves = true
			case waiting, behind, delayed, parked, doomed, typing, recording:
			}
		}
	}
	return n, saves
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
