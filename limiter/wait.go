package limiter

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Clock tells the time and wakes a waiter. It asks for so little that the real
// and mock clocks of github.com/benbjohnson/clock fit as they are. All may call
// it at once.
type Clock interface {
	// Now is the current time.
	Now() time.Time

	// After returns a channel that receives the time once d has passed; at once
	// where d is zero or negative.
	After(d time.Duration) <-chan time.Time
}

// RealClock is the machine's clock. Inside a testing/synctest bubble it is the
// bubble's.
func RealClock() Clock { return realClock{} }

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// ErrDeadline is wrapped by every [DeadlineError].
var ErrDeadline = errors.New("limiter: deadline too soon")

// A DeadlineError says that a request would have to wait until its context's
// deadline or longer. It wraps [ErrDeadline] and [ErrRefused].
type DeadlineError struct {
	// Gate is the one that binds. Its RetryAfter is the wait that is needed, or,
	// where its Answer is Busy, the least that is.
	Gate

	// Left is how long the context had left.
	Left time.Duration
}

// Error names the rule, the wait that is needed and the one that there is.
func (e *DeadlineError) Error() string {
	return fmt.Sprintf("limiter: deadline too soon: rule %q (limit %d, remaining %d) needs a wait of %v, the context has %v left",
		e.Rule, e.Limit, e.Remaining, e.RetryAfter, e.Left)
}

// Unwrap makes errors.Is(err, [ErrDeadline]) and errors.Is(err, [ErrRefused]) true.
func (e *DeadlineError) Unwrap() []error { return []error{ErrDeadline, ErrRefused} }

// Wait waits until every rule allows the request, takes what it costs, and returns
// the permit, to be settled when the request has ended. A nil clock is [RealClock].
// Any number may wait at once; none costs a goroutine, and only the first in line
// a timer.
//
// Those who wait for one account stand in one line, whatever they ask for, and
// leave it in the order they came. Only the first asks: a large cost is not
// starved by small ones behind it. The line is for those who wait; a Take or Allow
// of somebody else may still come between. The first asks again when the wait that
// it was told of is over, and as soon as something is given back to the account,
// a permit of it is settled or runs out, or its policy or holds change. What
// another account gives back to a shared portfolio it finds when its wait is over,
// and room for a new account by asking every second.
//
// With an error nothing was taken and the place in the line is given up. The error
// is context.Cause(ctx) where ctx was done before it was the request's turn; the
// [Decision.Err] of a request that no waiting helps; and a [*DeadlineError] as soon
// as ctx is known to end before the rules allow the request. All who are ahead in
// line may yet give up, so a request counts only its own wait while it stands
// behind others, and is asked again when it has come to the front. What ctx has
// left is measured on the real clock, whatever clock is.
func Wait(ctx context.Context, clock Clock, l *Limiter, req Request) (Permit, error) {
	switch {
	case ctx == nil:
		return Permit{}, &RequestError{"context", "nil", "pass context.Background() to wait without an end"}
	case l == nil:
		return Permit{}, &RequestError{"limiter", "nil", "make one with limiter.New"}
	case clock == nil:
		clock = RealClock()
	}
	if ctx.Err() != nil {
		return Permit{}, context.Cause(ctx)
	}
	first := !l.awaited(req.Account)
	p, d, err := l.attempt(ctx, clock.Now(), req, first)
	if err != nil || first && d.Answer == Allowed {
		return p, err
	}
	w := l.join(req.Account)
	defer l.leave(w)
	for alarm := (<-chan time.Time)(nil); ; {
		select {
		case <-w.turn:
		case <-alarm:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return Permit{}, context.Cause(ctx)
		}
		now := clock.Now()
		p, d, err = l.attempt(ctx, now, req, true)
		if err != nil || d.Answer == Allowed {
			return p, err
		}
		alarm = nil
		if wait := l.again(now, req.Account, d); wait != never {
			alarm = clock.After(wait)
		}
	}
}

// attempt takes, or, where it is not the request's turn, only looks. The error says
// that there is no point in waiting.
func (l *Limiter) attempt(ctx context.Context, now time.Time, req Request, turn bool) (p Permit, d Decision, err error) {
	if turn {
		p, d = l.Take(now, req)
	} else {
		d = l.Check(now, req)
	}
	if d.Answer == Allowed || d.Answer == Never {
		return p, d, d.Err()
	}
	if deadline, ok := ctx.Deadline(); ok {
		if left := time.Until(deadline); d.RetryAfter >= left {
			return p, d, &DeadlineError{d.Gate, max(left, 0)}
		}
	}
	return p, d, nil
}

// again is how long the first in line sleeps after a refusal at now, unless it is
// woken: never where only a change can help.
func (l *Limiter) again(now time.Time, account string, d Decision) time.Duration {
	switch {
	case d.Answer == Later:
		return d.RetryAfter
	case d.Rule == capacity:
		return time.Second
	}
	return max(d.RetryAfter, l.lapses(now, account), 1)
}

// lapses is how long after now the oldest permit of an account runs out, never
// where there is none that does.
func (l *Limiter) lapses(now time.Time, account string) time.Duration {
	hash := l.hash.of(account)
	s := &l.shards[hash%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	number, known := s.accounts.find(hash, account)
	if !known || s.accounts.at(number).flight == 0 {
		return never
	}
	oldest := s.flights.one(s.accounts.at(number).flight - 1)
	out := add(oldest.at.tick, l.ttl)
	if out == never {
		return never
	}
	return time.Duration(sub(out, l.instant(now).tick))
}
