package queue

import (
	"context"
	"time"
)

// Step does everything that is due now on the caller's goroutine, one after the
// other, and returns when the next thing is due, the zero time where nothing
// waits. It blocks only inside the sender, which may verify and type, and the store, and takes the
// time from Options.Clock, which it never waits for. Where ctx is done it does no
// more and returns why. [ErrRunning] and [ErrStopped] say that it did nothing.
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
