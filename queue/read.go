package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A message says where the rest of an item is.
type message struct{ id, to, askedTo string }

// read is a message as the store has it, sent to where it is to be sent.
func (q *Queue) read(ctx context.Context, m message) (Record, error) {
	r, err := q.store.Get(ctx, m.id)
	r.redirect(m)
	return r, err
}

// redirect has a record name the recipient that its message is sent to.
func (r *Record) redirect(m message) {
	if m.askedTo != "" {
		r.To, r.AskedTo = m.to, m.askedTo
	}
}

// unsent is the record of a message that is about to be sent, which nobody but the
// queue has changed.
func (q *Queue) unsent(ctx context.Context, it *item) (Record, error) {
	r, err := q.stands(ctx, it)
	if err == nil {
		err = it.unsent(r.Status, r.Version)
	}
	return r, err
}

// unsent is an error unless the store has an item's message as one that waits, which
// nobody but the queue has changed.
func (it *item) unsent(status Status, version uint64) error {
	if status == Queued && version == it.all().version {
		return nil
	}
	return fmt.Errorf("%w: message %.64q is %s, version %d", ErrConflict, it.id, status, version)
}

// stands is the record of a message as it was last known to be, for the item's worker.
func (q *Queue) stands(ctx context.Context, it *item) (Record, error) {
	if before := it.way.record; before != nil {
		return *before, nil
	}
	return q.read(ctx, message{it.id, it.to, it.all().askedTo})
}

// An end is what a message comes to that is not its worker's affair.
type end struct {
	record *Record // nil where it has not been put together

	status  Status
	code    Code
	err     string
	done    time.Time
	receipt Receipt // of one that was sent
}

// doubtful is the end of a message of which nobody knows whether it went out.
func doubtful(why string, now time.Time) *end {
	return &end{status: InDoubt, code: SendUnknown, err: why, done: now}
}

// result is the record of what has become of a message.
func (q *Queue) result(ctx context.Context, j job) (*Record, error) {
	it := j.item
	e := it.way.end
	switch {
	case j.record != nil:
		return j.record, nil
	case e.record != nil:
		return e.record, nil
	}
	r, err := q.stands(ctx, it)
	switch {
	case errors.Is(err, ErrUnknownMessage): // done with and forgotten
		r = Record{Message: Message{ID: it.id, Account: j.lane.account, To: it.to}, Order: it.seq}
	case err != nil:
		return nil, err
	}
	r.Version = it.all().version + 1
	if it.way.wired {
		r.Version++
	}
	r.Status, r.Code, r.Err, r.Done = e.status, e.code, e.err, e.done
	if e.status == Sent {
		r.Receipt = e.receipt
	}
	q.resend(&r)
	return &r, nil
}
