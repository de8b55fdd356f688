package queuetest

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// A Sender is a fake [queue.Sender] and [queue.Typist]. It keeps a log of what it
// was asked to send and answers by script. The zero Sender sends everything, at
// once. All may use it at once.
type Sender struct {
	// Clock is where the log takes its times from. Nil means the real clock, which
	// inside a testing/synctest bubble is the bubble's. Set it before the first
	// Send; [New] does.
	Clock limiter.Clock

	// Portfolio, if not nil, says which portfolio the log has for an account's
	// calls. Set it before the first Send; [NewOptions] sets that of the queue. It is
	// called with a lock held, and must not use the sender.
	Portfolio func(account string) string

	mu     sync.Mutex
	script []Answer
	rest   Answer
	calls  []Call
	sent   []queue.Message
	typed  []queue.Message
}

// An Answer is how the fake sender treats one message.
type Answer struct {
	// Err is what Send returns. Nil: the message is out.
	Err error

	// Panic, if not nil, is what Send panics with instead of returning.
	Panic any

	// Took is how long Send takes; zero or negative: no time. A [*Clock] is moved
	// on by it, so with one of these use it only where the queue is driven by
	// Step. Any other clock is waited for, as long as the context of Send allows:
	// its end is then what Send returns.
	Took time.Duration
}

// Script sets the answers to the next messages, one each, in order. After them
// the sender answers as [Sender.Otherwise] says.
func (s *Sender) Script(answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = slices.Clone(answers)
}

// Otherwise sets the answer to every message that the script does not cover. The
// default is the zero Answer: sent.
func (s *Sender) Otherwise(a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest = a
}

// Send records the message and answers by the script.
func (s *Sender) Send(ctx context.Context, m queue.Message) (queue.Receipt, error) {
	a, call := s.begin(m)
	err := s.pass(ctx, a.Took)
	switch {
	case err != nil:
		s.done(call, unsent(err), refused(err))
		return queue.Receipt{}, err
	case a.Panic != nil:
		s.done(call, false, false)
		panic(a.Panic) //nolint:forbidigo // the script asks for it
	}
	s.done(call, unsent(a.Err), refused(a.Err))
	return queue.Receipt{ID: "wire-" + m.ID}, a.Err
}

func (s *Sender) begin(m queue.Message) (a Answer, call int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a = s.rest
	if len(s.script) > 0 {
		a, s.script = s.script[0], s.script[1:]
	}
	s.sent = append(s.sent, m)
	return a, s.log(Call{Account: m.Account, Action: policy.SendMessage, Recipient: m.To})
}

// log begins a call now and returns its place in the log. It requires s.mu.
func (s *Sender) log(c Call) int {
	c.At = s.clock().Now()
	if s.Portfolio != nil {
		c.Portfolio = s.Portfolio(c.Account)
	}
	s.calls = append(s.calls, c)
	return len(s.calls) - 1
}

// done ends a call now, and says what the queue will make of the answer.
func (s *Sender) done(call int, unsent, refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.calls[call]
	c.Done, c.Unsent, c.Refused = s.clock().Now(), unsent, refused
}

// unsent reports whether an answer says that nothing went out.
func unsent(answer error) bool { return errors.Is(answer, queue.ErrUnsent) }

// refused reports whether an answer says that the message went out and was turned
// down. Errors that leave open what happened are those that [queue.Sender] names.
func refused(answer error) bool {
	if answer == nil || unsent(answer) {
		return false
	}
	for _, open := range []error{
		context.DeadlineExceeded, context.Canceled,
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE,
	} {
		if errors.Is(answer, open) {
			return false
		}
	}
	var network net.Error
	return !errors.As(answer, &network)
}

// pass lets d pass.
func (s *Sender) pass(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if c, ok := s.clock().(*Clock); ok {
		c.Advance(d)
		return nil
	}
	select {
	case <-s.clock().After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Sender) clock() limiter.Clock {
	if s.Clock == nil {
		return limiter.RealClock()
	}
	return s.Clock
}

// Typing records that typing was shown.
func (s *Sender) Typing(_ context.Context, m queue.Message, _ time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.typed = append(s.typed, m)
	return nil
}

// Sent is every message that reached the wire, in order, whatever was answered.
func (s *Sender) Sent() []queue.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// Typed is every message that typing was shown for, in order.
func (s *Sender) Typed() []queue.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.typed)
}

// Log is every call of Send, and of a [Verifier], for [Audit]. A call that has not
// returned yet has no Done. One that was answered with an error which wraps
// [queue.ErrUnsent] is unsent; with any other error that leaves nothing open,
// refused. It knows no new contacts, and no portfolios but those of [Sender].Portfolio.
func (s *Sender) Log() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}
