package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/wapace/wapace/policy"
)

// load takes up what the store has: what accounts have spent and their holds, and
// the messages that wait. What was on the wire when the last queue ended is in
// doubt, and the pause after it begins now.
func (q *Queue) load(ctx context.Context, p policy.Policy) error {
	saved, err := q.store.Load(ctx, longest(p))
	if err != nil {
		return fmt.Errorf("queue: the store could not be taken up: %w", err)
	}
	now := q.clock.Now()
	q.seq.Store(saved.Last)
	for _, p := range saved.Paces {
		q.paces.Store(max(q.paces.Load(), p.Version))
		if err := q.restore(p, now); err != nil {
			return fmt.Errorf("queue: what was spent could not be taken up: %w", err)
		}
	}
	if err := q.restoreShared(saved.Paces, now); err != nil {
		return fmt.Errorf("queue: what was spent could not be taken up: %w", err)
	}
	for _, r := range saved.Waiting {
		if r.Status != Sending {
			continue
		}
		again := *r
		again.Version++
		again.Done = now
		again.doubt("the queue ended while it was on the wire")
		q.resend(&again)
		if err := q.store.Change(ctx, &again, nil); err != nil {
			return fmt.Errorf("queue: what was on the wire could not be recorded: %w", err)
		}
		*r = again
		q.tell(r, Sending, now)
	}
	for _, r := range saved.Waiting {
		if r.Status == Queued {
			from, err := q.originOf(ctx, &r.Message, now)
			if err != nil {
				return fmt.Errorf("queue: what waits could not be taken up: %w", err)
			}
			q.waiting.Add(1)
			q.admit(r, from, now)
		}
	}
	return nil
}

// restore takes up what an account has spent. A limiter that knows more of it keeps
// that.
func (q *Queue) restore(p Pace, now time.Time) error {
	switch {
	case p.Snapshot == nil:
		return nil
	case p.Account == "":
		return q.limiter.Restore(now, p.Snapshot)
	}
	if known, err := q.limiter.Snapshot(now, p.Account); err != nil || known != nil {
		return err
	}
	if err := q.limiter.Restore(now, p.Snapshot); err != nil {
		return err
	}
	return q.limiter.Abandon(now, p.Account)
}

// restoreShared takes up what portfolios have spent: each as the latest pace of its
// accounts has it.
func (q *Queue) restoreShared(paces []Pace, now time.Time) error {
	latest := map[string]Pace{}
	for _, p := range paces {
		if p.Shared != nil && p.Version >= latest[p.Portfolio].Version {
			latest[p.Portfolio] = p
		}
	}
	for name, p := range latest {
		known, err := q.limiter.SnapshotPortfolio(now, name)
		if err == nil && known == nil {
			err = q.limiter.Restore(now, p.Shared)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// longest is the longest time for which a rule of the policy looks back.
func longest(p policy.Policy) (d time.Duration) {
	const month = 31 * 24 * time.Hour
	for _, r := range p.Rules {
		switch limit := r.Limit.(type) {
		case policy.SlidingWindow:
			d = max(d, limit.Window)
		case policy.UniqueRecipients:
			d = max(d, limit.Window)
		case policy.NewContacts:
			d = max(d, limit.Window)
		case policy.CalendarWindow:
			d = max(d, month)
		case policy.Gap:
			d = max(d, limit.Max)
		case policy.TokenBucket:
			d = max(d, limit.Per)
		}
	}
	return d
}
