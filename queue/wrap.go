package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
)

// ErrUnsent is wrapped by the error of a Send that surely put nothing on the wire.
var ErrUnsent = errors.New("queue: not sent")

// Wrap is the queue of one: a [Sender] that waits its turn. Send waits, as
// [limiter.Wait] does, until l lets the message's account send to its recipient,
// calls s with the recipient's canonical address, and settles the permit by the
// clock when s has returned. The permit counts as sent where the message is out and
// where the error leaves that open, as unsent where the error wraps [ErrUnsent],
// and as refused at any other error; an [Offline] counts as unsent. What a [Hold] asks
// for is held; any other verdict is the caller's to heed. A panic of s counts as sent
// and goes on.
//
// An error of the wrapped Send wraps [ErrUnsent] where s was not called, and then
// nothing was taken: the recipient is no [Address], ctx was done or ends too soon,
// the limiter refuses for good, or something that Wrap was given is nil. Any other
// error is that of s.
//
// The wrapped sender is a Sender and nothing more. It keeps nothing, repeats nothing,
// shows no typing and verifies nobody, also where s is a [Typist] or a [Verifier]. It
// knows no portfolios: under a policy with rules of that scope it sends nothing; use a
// [Queue], or [limiter.Wait]. A nil clock is [limiter.RealClock]. All may use the
// wrapped sender at once if they may use s.
func Wrap(s Sender, l *limiter.Limiter, clock limiter.Clock) Sender {
	if clock == nil {
		clock = limiter.RealClock()
	}
	return &wrapped{s, l, clock, wrapProblem(s, l, clock)}
}

type wrapped struct {
	sender  Sender
	limiter *limiter.Limiter
	clock   limiter.Clock
	problem error // with what Wrap was given
}

// wrapProblem is what is wrong with Wrap's arguments.
func wrapProblem(s Sender, l *limiter.Limiter, clock limiter.Clock) error {
	const giveSender = "give the function that delivers one message"
	if s == nil {
		return &OptionError{"sender", "nil", giveSender}
	}
	if name, ok := isNil(s); ok {
		return &OptionError{"sender", name, giveSender}
	}
	if l == nil {
		return &OptionError{"limiter", "nil", "make one with limiter.New"}
	}
	if name, ok := isNil(clock); ok {
		return &OptionError{"clock", name, "give a clock, or nil for the real one"}
	}
	return nil
}

// Send waits for the message's turn and sends it.
func (w *wrapped) Send(ctx context.Context, m Message) (Receipt, error) {
	permit, err := w.wait(ctx, &m)
	if err != nil {
		return Receipt{}, fmt.Errorf("%w: %w", ErrUnsent, err)
	}
	end := ending{Record: &Record{}, outcome: limiter.Sent} // stays so where the sender panics or ends its goroutine
	defer func() {
		now := w.clock.Now()
		_, _ = end.stop(m.Account, now, func(t limiter.Target, until time.Time, reason string) error {
			return w.limiter.Hold(now, t, until, reason)
		})
		permit.Settle(now, end.outcome)
	}()
	receipt, err := w.sender.Send(ctx, m)
	end.judge(err)
	return receipt, err
}

// wait writes the recipient in its canonical form and waits for the permit.
func (w *wrapped) wait(ctx context.Context, m *Message) (limiter.Permit, error) {
	if w.problem != nil {
		return limiter.Permit{}, w.problem
	}
	to, err := ParseAddress(m.To)
	if err != nil {
		return limiter.Permit{}, err
	}
	m.To = to.String()
	req := request(m)
	req.Recipient = m.To
	return limiter.Wait(ctx, w.clock, w.limiter, req)
}
