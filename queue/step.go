package queue

import (
	"context"
	"time"
)

// Step does everything that is due now on the caller's goroutine, one after the
// other, and returns when the next thing is due, the zero time where nothing
// waits. It blocks only inside the user's functions and the store, for which
// Options.SendTimeout is no bound here, and takes the time from Options.Clock, which it
// never waits for. Where ctx is done it does no more and returns why; a message whose
// call it was is in doubt, as its sender says, and what was not on the wire waits.
// [ErrRunning] and [ErrStopped] say that it did nothing, and so does an [OptionError]
// for a nil context.
func (q *Queue) Step(ctx context.Context) (next time.Time, err error) {
	if err := given(ctx); err != nil {
		return time.Time{}, err
	}
	if err := q.take(); err != nil {
		return time.Time{}, err
	}
	defer q.drive.Store(false)
	q.hear()
	for {
		if err := context.Cause(ctx); err != nil {
			return time.Time{}, err
		}
		j, due, ok := q.next()
		if !ok {
			return due, nil
		}
		j.do(q, ctx, j)
	}
}

// take makes the caller the one that drives the queue.
func (q *Queue) take() error {
	if !q.drive.CompareAndSwap(false, true) {
		return ErrRunning
	}
	if q.stopped.Load() {
		q.drive.Store(false)
		return ErrStopped
	}
	return nil
}
