package queue

import (
	"context"
	"fmt"
	"time"
)

// An Estimate is when a message goes on the wire. The zero Estimate says that it
// does not of its own accord: it is held until somebody releases it, no waiting
// helps, it expires first, it is in doubt, or it is done with and was not sent.
type Estimate struct {
	// At is when it goes if the calls of the sender take as long as they have
	// taken so far.
	At time.Time

	// Low and High are between which times it goes, in about nine of ten cases: what
	// they are apart is what the calls before it may take more or less. They are
	// equal to At where nothing is left to chance. A zero High has no end: the
	// account is not connected, or the message may never go.
	Low, High time.Time
}

// Never reports whether the message does not go of its own accord.
func (e Estimate) Never() bool { return e.At.IsZero() }

// ETA says when a message goes on the wire. It steps a copy of the message's lane
// ahead of the clock: in the lane's order, with the pauses and the typing times that
// will be drawn, the account's budgets, hours, holds, checks and ramp, and calls of
// the sender that take as long as those did that were measured. It supposes that
// nothing else comes: no message or hold, no failure, no wait for [Options].Workers,
// and nothing that other accounts of its portfolio send. A message that is on the wire
// or was sent went at its At.
//
// It takes time in proportion to the messages before it, a few milliseconds for
// 10,000; beyond 100,000 it supposes that they go on as fast as those. The lane goes
// on meanwhile. Errors: [ErrUnknownMessage], the store's, that of ctx once it is
// done. All may call it at once.
func (q *Queue) ETA(ctx context.Context, id string) (Estimate, error) {
	if err := given(ctx); err != nil {
		return Estimate{}, err
	}
	r, err := q.store.Get(ctx, id)
	if err != nil {
		return Estimate{}, err
	}
	switch r.Status {
	case Sending, Sent:
		return Estimate{r.At, r.At, r.At}, nil
	case Failed, InDoubt, Cancelled, Expired:
		return Estimate{}, nil
	case Queued:
	}
	f, err := q.foresee(&r)
	if err != nil {
		return Estimate{}, fmt.Errorf("queue: eta: %w", err)
	}
	return f.estimate(ctx)
}
