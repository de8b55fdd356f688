package queuetest

import (
	"context"
	"sync"
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// A Sender is a fake [queue.Sender] and [queue.Typist]. It keeps a log of what it
// was asked to send and answers by script. The zero Sender sends everything, at
// once, on the clock of the harness it belongs to. All may use it at once.
type Sender struct {
	clock *Clock

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

	// Took is how long Send takes: the clock is moved on by it. Only for a queue
	// that is driven by Step.
	Took time.Duration
}

// Script sets the answers to the next messages, one each, in order. After them
// the sender answers as [Sender.Otherwise] says.
func (s *Sender) Script(answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append([]Answer(nil), answers...)
}

// Otherwise sets the answer to every message that the script does not cover. The
// default is the zero Answer: sent.
func (s *Sender) Otherwise(a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest = a
}

// Send records the message and answers by the script.
func (s *Sender) Send(_ context.Context, m queue.Message) (queue.Receipt, error) {
	s.mu.Lock()
	a := s.rest
	if len(s.script) > 0 {
		a, s.script = s.script[0], s.script[1:]
	}
	i := len(s.calls)
	s.sent = append(s.sent, m)
	s.calls = append(s.calls, Call{Account: m.Account, Action: policy.SendMessage, Recipient: m.To, At: s.clock.Now()})
	s.mu.Unlock()

	s.clock.Advance(a.Took)

	s.mu.Lock()
	s.calls[i].Done = s.clock.Now()
	s.mu.Unlock()
	if a.Panic != nil {
		panic(a.Panic)
	}
	return queue.Receipt{ID: "wire-" + m.ID}, a.Err
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
	return append([]queue.Message(nil), s.sent...)
}

// Typed is every message that typing was shown for, in order.
func (s *Sender) Typed() []queue.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]queue.Message(nil), s.typed...)
}

// Log is every call of Send, for [Audit].
func (s *Sender) Log() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}
