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
// shows no typing and verifies nobody, also where s is a [Typist] or a [Verifier]. Where
// s is one of [Contacts] it says who is a new contact: an error means that the recipient
// is one, and a panic goes on. It knows no portfolios: under a policy with rules of that
// scope it sends nothing; see [WrapPortfolio]. A nil clock is [limiter.RealClock]. All
// may use the wrapped sender at once if they may use s.
func Wrap(s Sender, l *limiter.Limiter, clock limiter.Clock) Sender {
	return WrapPortfolio(s, l, clock, nil)
}

// WrapPortfolio is [Wrap] for a policy with rules of [policy.ScopePortfolio]: portfolio
// names the one whose budget an account shares, as [Options].Portfolio does, and is asked
// for each message, by several at once. A message of an account that it has no name for
// is not sent, and neither is any where portfolio is nil, if the policy has such rules.
func WrapPortfolio(s Sender, l *limiter.Limiter, clock limiter.Clock, portfolio func(account string) string) Sender {
	if clock == nil {
		clock = limiter.RealClock()
	}
	w := &wrapped{sender: s, limiter: l, clock: clock, portfolio: portfolio, problem: wrapProblem(s, l, clock)}
	w.contacts, _ = s.(Contacts)
	return w
}

type wrapped struct {
	sender    Sender
	limiter   *limiter.Limiter
	clock     limiter.Clock
	contacts  Contacts                    // nil where nobody is new
	portfolio func(account string) string // nil where nobody asks for it
	problem   error                       // with what Wrap was given
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
	req.Campaign = m.Campaign
	if w.portfolio != nil {
		req.Portfolio = w.portfolio(m.Account)
	}
	if w.contacts != nil && ctx != nil && ctx.Err() == nil {
		known, err := w.contacts.Known(ctx, m.Account, m.To)
		req.NewContact = err != nil || !known
	}
	return limiter.Wait(ctx, w.clock, w.limiter, req)
}
