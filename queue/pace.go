package queue

import (
	"context"
	"fmt"
)

// pace is what a lane's account has spent, to be kept together with what was done
// last. It is nil where nobody will take the queue's store up.
func (q *Queue) pace(l *lane) *Pace {
	if !q.durable {
		return nil
	}
	l.shard().mu.Lock() // two paces of an account are taken in the order of their versions
	defer l.shard().mu.Unlock()
	p, err := q.snapshot(l.account, l.portfolio)
	if err != nil {
		return nil // the clock shows a time that no request may have, so nothing was spent
	}
	return p
}

// keepPace keeps what an account has spent, and its holds: those that name no
// account where it is empty.
func (q *Queue) keepPace(ctx context.Context, account string) error {
	if !q.durable {
		return nil
	}
	portfolio := ""
	if account != "" {
		portfolio = q.portfolioOf(account)
	}
	p, err := q.snapshotLocked(account, portfolio)
	if err == nil {
		err = q.store.Keep(outlast(ctx), p)
	}
	if err != nil {
		return fmt.Errorf("queue: what was spent could not be kept: %w", err)
	}
	return nil
}

func (q *Queue) snapshotLocked(account, portfolio string) (*Pace, error) {
	s := q.shardOf(account)
	s.mu.Lock()
	defer s.mu.Unlock()
	return q.snapshot(account, portfolio)
}

// snapshot takes a pace. It requires the lock of the account's shard.
func (q *Queue) snapshot(account, portfolio string) (p *Pace, err error) {
	now := q.clock.Now()
	p = &Pace{Account: account, At: now, Version: q.paces.Add(1)}
	if account == "" {
		p.Snapshot, err = q.limiter.SnapshotHolds()
	} else {
		p.Snapshot, err = q.limiter.Snapshot(now, account)
	}
	if portfolio != "" && q.shares && err == nil {
		p.Portfolio = portfolio
		p.Shared, err = q.limiter.SnapshotPortfolio(now, portfolio)
	}
	return p, err
}
