package headers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
)

// ErrWaitTooLong is wrapped by every [WaitTooLongError].
var ErrWaitTooLong = errors.New("headers: wait too long")

// A WaitTooLongError says that a request would have to wait longer than it can:
// until its context's deadline or past it, or longer than
// [TransportOptions.MaxWait] or what is left of [TransportOptions.Budget]. It is
// answered at once, and wraps [ErrWaitTooLong].
type WaitTooLongError struct {
	// Wait is how long the server, or the local pace, asks to wait. It is 0 where
	// that takes the answer to another request, which has not come.
	Wait time.Duration

	// Left is how long the request could have waited.
	Left time.Duration

	// Status is that of the last answer to the request. It is 0 where the request
	// was not sent.
	Status int
}

// Error names the wait that is needed and the one that there is.
func (e *WaitTooLongError) Error() string {
	sent := "the request was not sent"
	if e.Status != 0 {
		sent = fmt.Sprintf("the last answer was %d", e.Status)
	}
	takes := "it takes the answer to another request"
	if e.Wait > 0 {
		takes = fmt.Sprintf("it takes %v", e.Wait)
	}
	return fmt.Sprintf("headers: wait too long: %s, the request can wait %v; %s", takes, e.Left, sent)
}

// Unwrap makes errors.Is(err, [ErrWaitTooLong]) true.
func (e *WaitTooLongError) Unwrap() error { return ErrWaitTooLong }

// patience is how long one request may still wait.
type patience struct {
	longest time.Duration
	budget  time.Duration
	status  int // of the last answer, 0 before the first
}

// check is the error of a wait that would be too long.
func (p *patience) check(ctx context.Context, wait time.Duration) error {
	if left := p.left(ctx); wait > left {
		return p.tooLong(wait, left)
	}
	return nil
}

func (p *patience) tooLong(wait, left time.Duration) error {
	return &WaitTooLongError{Wait: wait, Left: left, Status: p.status}
}

// left is how long one wait may be. The deadline is the real clock's, whatever
// clock the transport waits by.
func (p *patience) left(ctx context.Context) time.Duration {
	left := min(p.longest, p.budget)
	if deadline, ok := ctx.Deadline(); ok {
		left = min(left, deadline.Sub(limiter.RealClock().Now())-1)
	}
	return max(left, 0)
}
