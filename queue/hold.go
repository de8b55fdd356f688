package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/limiter"
)

// Hold stops what a target names until a time, with a reason: an account, one of
// its campaigns, a recipient, first contacts, or everything. Only what is on the
// wire goes on. It is seen at once and stored, and only ever made longer: a hold
// that lasts longer stays as it is, and only [Queue.Release] ends one sooner. A zero
// until holds until it is released. A Recipient is read as [ParseAddress] does; one
// that a [Verifier] gave another address is held by that one.
//
// Errors: a [*limiter.HoldError] names the field, the value and the remedy, an
// [*AddressError] the recipient's. Any other is the store's: the hold is in force,
// and may not be after a restart.
func (q *Queue) Hold(ctx context.Context, t limiter.Target, until time.Time, reason string) error {
	if err := given(ctx); err != nil {
		return err
	}
	t, err := spelled(t)
	if err != nil {
		return err
	}
	return q.hold(ctx, q.clock.Now(), t, until, reason)
}

func (q *Queue) hold(ctx context.Context, now time.Time, t limiter.Target, until time.Time, reason string) error {
	if err := q.limiter.Hold(now, t, until, reason); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	q.log.Info("held", "target", targetOf(t), "until", until, "reason", mask.Text(reason))
	return q.keepPace(ctx, t.Account)
}

// Release ends the hold on exactly this target, whoever made it. It reports whether
// there was one. Holds on wider or narrower targets stay. Errors are those of
// [Queue.Hold]; the store's means that the hold is over, and may be back after a
// restart.
func (q *Queue) Release(ctx context.Context, t limiter.Target) (held bool, err error) {
	if err := given(ctx); err != nil {
		return false, err
	}
	t, err = spelled(t)
	if err != nil {
		return false, err
	}
	now := q.clock.Now()
	held = q.limiter.Release(now, t)
	if held {
		q.log.Info("released", "target", targetOf(t))
	}
	return held, q.Refresh(ctx, t.Account)
}

// Refresh has the messages of an account, or of all where it is empty, ask the limiter
// again, and keeps what that knows of the account: where it is empty, the holds that name
// no account and nothing else. A queue cannot know what others do to its limiter: call it
// when they have given an account another policy, as [limiter.Limiter.SetPolicy] and
// package limiter/registry do, or ended a hold. Otherwise messages go on waiting for the
// time that they were told, and what was changed may be lost in a restart before the
// account's next send. How many messages of an account may be on their way at once stays
// as the policy that [New] was given says. An error is the store's.
func (q *Queue) Refresh(ctx context.Context, account string) error {
	if err := given(ctx); err != nil {
		return err
	}
	now := q.clock.Now()
	q.each(account, func(l *lane) {
		l.released(now)
		q.plan(l, now)
	})
	q.watch()
	return q.keepPace(ctx, account)
}

// released has a lane ask again for all that the limiter refused.
func (l *lane) released(now time.Time) {
	l.reopen(now)
	var held []*item
	for it := range l.line.rare.later.all() {
		if it.held {
			held = append(held, it)
		}
	}
	for _, it := range held {
		l.line.unlist(it)
		l.line.enter(it)
	}
	if l.checks != nil {
		l.checks.restart()
	}
}

// spelled is a target with its recipient as messages have it.
func spelled(t limiter.Target) (limiter.Target, error) {
	if t.Recipient == "" {
		return t, nil
	}
	to, err := ParseAddress(t.Recipient)
	if err != nil {
		return t, err
	}
	t.Recipient = to.String()
	return t, nil
}
