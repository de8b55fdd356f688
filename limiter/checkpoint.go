package limiter

import (
	"errors"
	"time"
)

// A Checkpoint is how an account of a limiter, and a portfolio, stood at a time, for
// [Limiter.Rewind]. It is what [Limiter.Snapshot] keeps, for this process alone: it is
// neither written nor read, which takes most of the time. It is a value that nothing
// changes.
type Checkpoint struct {
	plans   *plans
	account picture
	plan    *plan
	number  uint16
	group   *picture // nil without a portfolio
}

// Checkpoint is how an account stands at time now, and a portfolio, none where it is
// empty. One of which nothing is known stands as a new one does. A time that no request
// may have is an error.
func (l *Limiter) Checkpoint(now time.Time, account, portfolio string) (Checkpoint, error) {
	at := l.instant(now)
	if !at.known() {
		return Checkpoint{}, timeProblem(now)
	}
	c := Checkpoint{plans: l.plans}
	c.account, c.plan, c.number, _ = l.pictureOf(account, at)
	if portfolio != "" {
		group, _ := l.pictureOfGroup(portfolio, at)
		c.group = &group
	}
	return c, nil
}

// Rewind has an account and a portfolio stand again, from time now on, as they did at a
// checkpoint of the limiter, of one that it was forked from, or of a fork, as
// [Limiter.Restore] does: holds are only added or made longer, permits of before can no
// longer be settled, and those that were in flight at the checkpoint wait for
// [Limiter.Abandon]. Errors: a time that no request may have, a checkpoint of another
// limiter, the zero Checkpoint. Nothing is changed then.
func (l *Limiter) Rewind(now time.Time, c Checkpoint) error {
	at := l.instant(now)
	if !at.known() {
		return timeProblem(now)
	}
	if c.plans != l.plans {
		return errors.New("limiter: rewind: the checkpoint is of another limiter; take one of this limiter")
	}
	l.put(&c.account, c.plan, c.number, true, at)
	if c.group != nil {
		l.put(c.group, l.plan, 0, true, at)
	}
	return nil
}
