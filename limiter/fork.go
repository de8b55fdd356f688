package limiter

import "time"

// Fork returns a limiter of its own, in which an account and a portfolio, none where
// it is empty, stand at time now as they do in l: with what they have spent, their
// holds and permits in flight, as after [Limiter.Restore]. The pauses to come are the
// same too, so what is asked of it tells what l will answer if it is asked the same.
// Nothing done to one changes the other. Other accounts begin afresh in it, and so do
// those of the portfolio. A time that no request may have is an error.
func (l *Limiter) Fork(now time.Time, account, portfolio string) (*Limiter, error) {
	at := l.instant(now)
	if !at.known() {
		return nil, timeProblem(now)
	}
	fork := &Limiter{plan: l.plan, plans: l.plans, dice: l.dice, hash: l.hash, ttl: l.ttl, most: mostAccounts}
	fork.furnish()
	then := fork.instant(now.Round(0))
	if portfolio != "" {
		if p, known := l.pictureOfGroup(portfolio, at); known {
			fork.put(&p, l.plan, 0, true, then)
		}
	}
	if p, pl, number, known := l.pictureOf(account, at); known {
		fork.put(&p, pl, number, true, then)
	}
	stops := l.stopsOfAll()
	for i := range stops {
		fork.pinAll(&stops[i])
	}
	return fork, nil
}
