package queue

import (
	"context"
	"fmt"
	"time"
)

// A Cancellation says what came of [Queue.Cancel].
type Cancellation string

// The three answers.
const (
	// WasCancelled: the message does not go out.
	WasCancelled Cancellation = "cancelled"

	// WasTooLate: it is on the wire.
	WasTooLate Cancellation = "too_late"

	// WasFinal: it was done with before.
	WasFinal Cancellation = "already_final"
)

// Cancel takes a message back that is not on the wire. One that is in doubt is done
// with: resolve it. [ErrUnknownMessage] says that there is none, [ErrConflict] that no
// lane has it: it is being taken in at the moment, as it is while Options.OnEvent is
// told that it is new, or the store kept it and answered Enqueue with an error. The
// latter is found when the store has kept another message: try again then. Another
// error is the store's; where the answer is [WasCancelled] the message does not go
// out, and the queue records that when it can; where it ends before, the next queue
// sends it.
func (q *Queue) Cancel(ctx context.Context, id string) (Cancellation, error) {
	if err := given(ctx); err != nil {
		return "", err
	}
	for {
		r, err := q.store.Get(ctx, id)
		if err != nil {
			return "", err
		}
		if r.Status.Final() {
			return WasFinal, nil
		}
		j, found, late := q.withdraw(&r)
		switch {
		case late:
			return WasTooLate, nil
		case found:
			defer q.watch()
			if err := q.trySave(ctx, j); err != nil {
				return WasCancelled, fmt.Errorf("queue: the cancelled message could not be recorded; it will be: %w", err)
			}
			return WasCancelled, nil
		}
		// It is between its record and its lane: being taken in or done with.
		again, err := q.store.Get(ctx, id)
		if err != nil {
			return "", err
		}
		switch {
		case again.Version != r.Version:
		case r.Status == Queued:
			return "", fmt.Errorf("%w: message %.64q is in no lane; try again, where Enqueue failed once another message was taken in", ErrConflict, id)
		default:
			return WasTooLate, nil
		}
	}
}

// withdraw takes a message out of its lane, to be recorded as cancelled, unless it
// is too late.
func (q *Queue) withdraw(r *Record) (j job, found, late bool) {
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes.find(r.Account)
	if l == nil {
		return job{}, false, false
	}
	it := l.line.find(r)
	if it == nil {
		return job{}, false, false
	}
	now := q.clock.Now()
	switch it.phase {
	case starting, onWire, saving, recording, doomed:
		return job{}, true, true
	case checking:
		return q.withdrawChecking(l, it, now), true, false
	case typing:
		it.quiet()
	case waiting, behind, delayed, parked:
	}
	l.doom(it, Cancelled, ByHand, "it was cancelled", now)
	l.gone = l.gone[:len(l.gone)-1]
	it.phase = saving
	l.carry(it)
	q.plan(l, now)
	return job{lane: l, item: it, do: (*Queue).save}, true, false
}

// withdrawChecking is withdraw for a message that carries out a check, which others
// may wait for: another item stands for it while that goes on.
func (q *Queue) withdrawChecking(l *lane, it *item, now time.Time) job {
	it.ended = true
	stand := &item{core: it.core, phase: saving, way: &way{
		record: it.way.record,
		end:    &end{status: Cancelled, code: ByHand, err: "it was cancelled", done: now},
	}}
	l.carry(stand)
	q.plan(l, now)
	return job{lane: l, item: stand, do: (*Queue).save}
}
