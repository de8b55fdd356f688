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
// nothing else comes: no message or hold, no failure, and no wait for
// [Options].Workers. A message that is on the wire or was sent went at its At.
//
// It takes time in proportion to the messages before it, a few milliseconds for
// 10,000; beyond 100,000 it supposes that they go on as fast as those. The lane goes
// on meanwhile. Errors: [ErrUnknownMessage], the store's, that of ctx once it is
// done. All may call it at once.
func (q *Queue) ETA(ctx context.Context, id string) (Estimate, error) {
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
	f, err := q.future(&r)
	if err != nil {
		return Estimate{}, fmt.Errorf("queue: eta: %w", err)
	}
	return f.estimate(ctx)
}

// future copies the lane of a message that is queued, and what its account may do.
func (q *Queue) future(r *Record) (*future, error) {
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := q.clock.Now()
	f := &future{queue: q, account: r.Account, key: q.dice.Account(r.Account), now: now.Round(0)}
	sends, checks := s.sends.outlook(unmeasured()), s.checks.outlook(unmeasured())
	var it *item
	if l := s.lanes.find(r.Account); l != nil {
		it = l.line.find(r)
		f.still = l.still(it)
		sends = l.sends.outlook(sends)
		if l.link != nil {
			link := *l.link
			f.link = &link
		}
	}
	if it == nil { // it is being taken in, or done with
		if f.still == nil {
			f.still = (&still{line: line{shard: s}}).clone()
		}
		f.target = q.item(r, false)
		f.line.join(f.target, r.Campaign, r.Priority, f.now)
	}
	seed := uint64(f.key)
	f.tempo = &tempo{start: f.now, sends: newMix(sends, seed), checks: newMix(checks, seed)}
	var err error
	f.limiter, err = q.limiter.Fork(now, r.Account, "")
	return f, err
}

// estimate steps a future and two like it, in which the calls take less and more.
func (f *future) estimate(ctx context.Context) (e Estimate, err error) {
	open := f.link != nil && f.link.down
	likely, err := f.fork(0)
	if err != nil {
		return e, err
	}
	var ok bool
	if e.At, ok, err = likely.run(ctx); err != nil || !ok {
		return Estimate{}, err
	}
	f.tempo.likely = likely.tempo.likely
	low, err := f.fork(-1)
	if err != nil {
		return Estimate{}, err
	}
	if e.Low, ok, err = low.run(ctx); err != nil {
		return Estimate{}, err
	}
	if !ok || e.Low.After(e.At) {
		e.Low = e.At
	}
	f.tempo.lean = 1
	high, ok, err := f.run(ctx)
	if err != nil {
		return Estimate{}, err
	}
	if ok && !open {
		e.High = latest(high, e.At)
	}
	return e, nil
}

// fork is a copy of a future that was not stepped yet.
func (f *future) fork(lean float64) (*future, error) {
	own := *f
	own.still = f.clone()
	if f.link != nil {
		link := *f.link
		own.link = &link
	}
	var err error
	if own.limiter, err = f.limiter.Fork(f.now, f.account, ""); err != nil {
		return nil, fmt.Errorf("queue: eta: %w", err)
	}
	tempo := *f.tempo
	own.tempo = &tempo
	own.tempo.lean = lean
	return &own, nil
}
