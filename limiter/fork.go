package limiter

import "time"

// Fork returns a limiter of its own, in which an account and a portfolio, none where
// it is empty, stand at time now as they do in l: with what they have spent, their
// holds and permits in flight, as after [Limiter.Restore]. The pauses to come are the
// same too, so what is asked of it tells what l will answer if it is asked the same.
// Nothing done to one changes the other. Other accounts begin afresh in it, and so do
// those of the portfolio. A time that no request may have is an error.
func (l *Limiter) Fork(now time.Time, account, portfolio string) (*Limiter, error) {
	c, err := l.Checkpoint(now, account, portfolio)
	if err != nil {
		return nil, err
	}
	fork := &Limiter{plan: l.plan, plans: l.plans, dice: l.dice, hash: l.hash, ttl: l.ttl, most: mostAccounts}
	fork.furnish()
	stops := l.stopsOfAll()
	for i := range stops {
		fork.pinAll(&stops[i])
	}
	return fork, fork.Rewind(now.Round(0), c)
}
