package limiter

import "time"

// Fork returns a limiter of its own, in which an account and a portfolio, none where
// it is empty, stand at time now as they do in l: with what they have spent, their
// holds and permits in flight, as after [Limiter.Restore]. The pauses to come are the
// same too, so what is asked of it tells what l will answer if it is asked the same.
// Nothing done to one changes the other. Other accounts begin afresh in it, and so do
// those of the portfolio. Errors: those of [Limiter.Snapshot].
func (l *Limiter) Fork(now time.Time, account, portfolio string) (*Limiter, error) {
	future, err := New(l.plan.policy, nil)
	if err != nil {
		return nil, err
	}
	future.dice, future.ttl = l.dice, l.ttl
	mine, err := l.Snapshot(now, account)
	if err != nil {
		return nil, err
	}
	holds, err := l.SnapshotHolds()
	if err != nil {
		return nil, err
	}
	var shared []byte
	if portfolio != "" {
		if shared, err = l.SnapshotPortfolio(now, portfolio); err != nil {
			return nil, err
		}
	}
	for _, snapshot := range [][]byte{shared, mine, holds} {
		if snapshot == nil {
			continue
		}
		if err := future.Restore(now.Round(0), snapshot); err != nil {
			return nil, err
		}
	}
	return future, nil
}
