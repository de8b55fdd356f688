package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/limiter"
)

// A foresight is a copy of a lane, and of what its account may do, for futures to
// begin with.
type foresight struct {
	*sketch
	queue   *Queue
	key     dice.Account     // of the typing times
	limiter *limiter.Limiter // a fork, of one future after the other
	stands  limiter.Checkpoint
	tempo   *tempo
	now     time.Time
	link    *link
	record  *Record // of the message that is asked for

	portfolio string // whose budget the account shares, or empty
	march     *march // nil where messages wait for something of their own
}

// mostSketches is how often a lane is copied that others change meanwhile, before it
// is copied under one lock.
const mostSketches = 4

// foresee copies the lane of a message that is queued, and what its account may do.
func (q *Queue) foresee(r *Record) (*foresight, error) {
	portfolio := q.portfolioOf(r.Account)
	for n := 1; ; n++ {
		f, ok, err := q.tryForesee(r, portfolio, n == mostSketches)
		switch {
		case err != nil:
			return nil, err
		case ok:
			f.march = f.plain()
			return f, nil
		}
	}
}

// tryForesee is foresee. It fails where the lane goes on meanwhile, which it cannot
// where the lock is kept for as long as it takes.
func (q *Queue) tryForesee(r *Record, portfolio string, whole bool) (f *foresight, ok bool, err error) {
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := q.clock.Now()
	f = &foresight{queue: q, key: q.dice.Account(r.Account), now: now.Round(0), record: r}
	fork := func() {
		if f.limiter, err = q.limiter.Fork(now, r.Account, f.portfolio); err == nil {
			f.stands, err = f.limiter.Checkpoint(f.now, r.Account, f.portfolio)
		}
	}
	sends, checks := s.sends.outlook(unmeasured()), s.checks.outlook(unmeasured())
	l := s.lanes.find(r.Account)
	if l != nil {
		f.portfolio = l.portfolio
		sends = l.sends.outlook(sends)
		if l.link != nil {
			link := *l.link
			f.link = &link
		}
		f.sketch, ok = l.sketch(r, whole, fork)
	} else {
		f.sketch, ok, f.portfolio = &sketch{target: -1}, true, portfolio
		fork()
	}
	seed := uint64(f.key)
	f.tempo = &tempo{start: f.now, sends: newMix(sends, seed), checks: newMix(checks, seed), likely: new([]time.Duration)}
	return f, ok, err
}

// estimate plays three futures: one in which the calls of the sender take as long as
// they have taken so far, and two in which they take less and more.
func (f *foresight) estimate(ctx context.Context) (e Estimate, err error) {
	open := f.link != nil && f.link.down
	var ok bool
	if e.At, ok, err = f.play(ctx, 0); err != nil || !ok {
		return Estimate{}, err
	}
	if f.certain() {
		e.Low, e.High = e.At, e.At
	} else {
		if e.Low, ok, err = f.play(ctx, -1); err != nil {
			return Estimate{}, err
		}
		if !ok || e.Low.After(e.At) {
			e.Low = e.At
		}
		high, ok, err := f.play(ctx, 1)
		if err != nil {
			return Estimate{}, err
		}
		if ok {
			e.High = latest(high, e.At)
		}
	}
	if open {
		e.High = time.Time{}
	}
	return e, nil
}

// certain reports whether all calls take one time, so that all futures are alike.
func (f *foresight) certain() bool {
	t := f.tempo
	return t.sends.certain() && t.checks.certain() && len(f.claimed) == 0
}

// play steps a future until the message goes and returns when that is: never where ok
// is false.
func (f *foresight) play(ctx context.Context, lean float64) (at time.Time, ok bool, err error) {
	for {
		t, dawn := f.tempo, (*dawn)(nil)
		if f.march != nil && f.march.dawn != nil {
			dawn = f.march.dawn
			t = &dawn.tempo
		}
		if err := f.rewind(dawn); err != nil {
			return at, false, fmt.Errorf("queue: eta: %w", err)
		}
		t = t.leaning(lean)
		if f.march == nil {
			return f.future(t).run(ctx)
		}
		at, ok, err := f.march.run(ctx, f.limiter, t)
		if err != nil || ok {
			return at, ok, err
		}
		f.march = nil // something waits on the way for something of its own
	}
}

// future is a future of all that may happen.
func (f *foresight) future(t *tempo) *future {
	own := &future{
		still: f.still(f.queue.hash), queue: f.queue, account: f.record.Account, portfolio: f.portfolio,
		limiter: f.limiter, key: f.key, tempo: t, now: f.now,
	}
	if own.target == nil { // it is being taken in, or done with
		own.target = f.queue.item(f.record, false)
		own.line.join(own.target, f.record.Campaign, f.record.Priority, f.now)
	}
	if f.link != nil {
		link := *f.link
		own.link = &link
	}
	return own
}

// rewind has the account stand in the limiter as it does now, or at a dawn.
func (f *foresight) rewind(dawn *dawn) error {
	if dawn != nil {
		return f.limiter.Rewind(dawn.at, dawn.stands)
	}
	return f.limiter.Rewind(f.now, f.stands)
}
