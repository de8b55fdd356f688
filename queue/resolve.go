package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Resolution is what somebody knows of a message that is in doubt.
type Resolution string

// The resolutions.
const (
	// WentOut: it was sent.
	WentOut Resolution = "sent"

	// Resend: it is to be sent again, under the same WireID, at its old place in
	// the line.
	Resend Resolution = "resend"

	// GiveUp: it fails, with [GivenUp].
	GiveUp Resolution = "give_up"
)

// Resolve says what is to become of a message that is in doubt, and returns it as it
// is then. Errors: [ErrUnknownMessage]; [ErrConflict] where it is not in doubt, or
// not any more, or only just; an unknown Resolution; the store's, after which it may
// have been done: ask again.
func (q *Queue) Resolve(ctx context.Context, id string, how Resolution) (Record, error) {
	if err := given(ctx); err != nil {
		return Record{}, err
	}
	kept, err := q.store.Get(ctx, id)
	if err != nil {
		return Record{}, err
	}
	if how == Resend && kept.Status == Queued && kept.Resent {
		if again, err := q.adopt(ctx, &kept, InDoubt, q.clock.Now()); again || err != nil {
			return kept, err // the store did so before, and said that it had failed
		}
	}
	if kept.Status != InDoubt {
		return kept, fmt.Errorf("%w: message %.64q is %s, not in doubt", ErrConflict, id, kept.Status)
	}
	now := q.clock.Now()
	r := kept
	r.Version++
	switch how {
	case WentOut:
		r.Status, r.Code, r.Err = Sent, "", ""
	case GiveUp:
		r.Status, r.Code = Failed, GivenUp
	case Resend:
		if q.stopped.Load() {
			return kept, ErrStopped
		}
		r.Status, r.Resent, r.RetryAt = Queued, true, time.Time{}
	default:
		return kept, fmt.Errorf("%w: resolution %s: use %q, %q or %q", ErrMessage, quoted(string(how)), WentOut, Resend, GiveUp)
	}
	if err := q.conclude(ctx, &kept); err != nil {
		return kept, err
	}
	return q.resolved(ctx, &r, InDoubt, now)
}

// resolved records what became of a message that was done with.
func (q *Queue) resolved(ctx context.Context, r *Record, from Status, now time.Time) (Record, error) {
	var origin origin // which is no new contact
	if r.Status == Queued {
		origin.portfolio = q.portfolioOf(r.Account)
		if err := q.askable(&r.Message, origin.portfolio, now); err != nil {
			return *r, err
		}
		q.enter(r)
	}
	if err := q.change(ctx, r); err != nil {
		q.turnBack(r)
		return *r, fmt.Errorf("queue: resolve: %w", err)
	}
	if r.Status == Queued {
		q.waiting.Add(1)
		own := r.copy()
		defer q.admit(&own, origin, now)
	}
	q.tell(r, from, now)
	return r.copy(), nil
}

// change is the store's Change of a message that is in no lane. A store that fails
// may have done it all the same.
func (q *Queue) change(ctx context.Context, r *Record) error {
	own := r.copy()
	err := q.store.Change(ctx, &own, nil)
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrUnknownMessage) {
		return err
	}
	switch kept, lookup := q.store.Get(context.WithoutCancel(ctx), r.ID); {
	case lookup == nil && kept.Version == r.Version && kept.Status == r.Status:
		return nil
	case lookup != nil && r.Status == Queued:
		q.strays.note(r.ID, InDoubt)
	}
	return err
}

// Confirm takes in word of a message that the wire has named: an echo, a receipt or
// a webhook that came after its Send. One that is in doubt was sent then, and so was
// one that waits to be sent again, which is not. It returns the message as it is
// then. Word of any other is no news, and changes nothing. Errors:
// [ErrUnknownMessage] where the account has no message with that WireID,
// [ErrConflict] where it is being recorded at the moment, the store's: try again.
func (q *Queue) Confirm(ctx context.Context, account, wireID string, receipt Receipt) (Record, error) {
	if err := given(ctx); err != nil {
		return Record{}, err
	}
	if account == "" || wireID == "" {
		return Record{}, fmt.Errorf("%w: it needs an account and a wire id", ErrUnknownMessage)
	}
	for {
		found, err := q.store.List(ctx, Filter{Account: account, WireID: wireID, Limit: 1})
		if err != nil {
			return Record{}, err
		}
		if len(found) == 0 {
			return Record{}, fmt.Errorf("%w: wire id %s", ErrUnknownMessage, quoted(wireID))
		}
		kept := found[0]
		if kept.Status == InDoubt || kept.Status == Queued && kept.Resent {
			if err := q.conclude(ctx, &kept); err != nil {
				return kept, err
			}
		}
		now := q.clock.Now()
		r := kept
		r.Version++
		r.Status, r.Code, r.Err, r.Receipt = Sent, "", "", receipt
		switch {
		case kept.Status == InDoubt:
			r, err = q.resolved(ctx, &r, InDoubt, now)
		case kept.Status == Queued && kept.Resent:
			j, done := q.confirm(&r, now)
			if !done {
				return kept, nil // it is on its way again already
			}
			err = q.trySave(ctx, j)
			q.watch()
		default:
			return kept, nil
		}
		if !errors.Is(err, ErrConflict) {
			return r, err
		}
	}
}

// confirm takes a message out of its lane that waits to be sent again and was sent
// all along.
func (q *Queue) confirm(r *Record, now time.Time) (j job, done bool) {
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes.find(r.Account)
	if l == nil {
		return job{}, false
	}
	it := l.line.find(r)
	if it == nil {
		return job{}, false
	}
	switch it.phase {
	case waiting, behind, delayed, parked, typing:
	case doomed, checking, starting, onWire, saving, recording:
		return job{}, false
	}
	l.doom(it, Sent, "", "", now)
	l.gone = l.gone[:len(l.gone)-1]
	it.way.end.receipt, it.phase = r.Receipt, saving
	l.carry(it)
	q.plan(l, now)
	return job{lane: l, item: it, do: (*Queue).save}, true
}
