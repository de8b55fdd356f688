// Package queuetest helps to test code that sends through a queue.
//
// [New] returns a [Harness]: a queue under a policy, in front of a scripted fake
// [Sender], on a [Clock] that moves only when told to. [Harness.Drain] sends
// everything that waits without waiting itself, and [Audit] says where a log of
// calls broke a policy. A day of sending passes in milliseconds.
package queuetest

import (
	"context"
	"testing"
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// A Harness is a queue in front of a fake sender, on a clock that the test moves.
type Harness struct {
	Queue  *queue.Queue
	Sender *Sender
	Clock  *Clock

	// Policy is what the queue was made with.
	Policy policy.Policy

	t testing.TB
}

// New returns a queue under p with a fake sender and clock, and seed 1. It fails
// the test where the policy is wrong.
func New(t testing.TB, p policy.Policy) *Harness {
	t.Helper()
	return NewOptions(t, p, nil)
}

// NewOptions is [New] with options for the queue. Their Clock is replaced, and
// their Seed where it is zero. It fails the test where one is wrong.
func NewOptions(t testing.TB, p policy.Policy, o *queue.Options) *Harness {
	t.Helper()
	s := &Sender{Clock: &Clock{}}
	return newHarness(t, p, o, s, s)
}

// newHarness is NewOptions for a queue that sends through whole, of which s is the
// part that sends. The clock of s is a *Clock.
func newHarness(t testing.TB, p policy.Policy, o *queue.Options, s *Sender, whole queue.Sender) *Harness {
	t.Helper()
	var options queue.Options
	if o != nil {
		options = *o
	}
	s.Portfolio = options.Portfolio
	clock, _ := s.Clock.(*Clock)
	h := &Harness{Sender: s, Clock: clock, Policy: p, t: t}
	options.Clock = clock
	if options.Seed == 0 {
		options.Seed = 1
	}
	q, err := queue.New(p, whole, &options)
	if err != nil {
		t.Fatalf("queuetest: New: %v", err)
	}
	h.Queue = q
	return h
}

// Enqueue is a message with a text to a recipient from an account. It returns the
// message's ID and fails the test where the queue does not take it.
func (h *Harness) Enqueue(account, to, text string) (id string) {
	h.t.Helper()
	id, err := h.Queue.Enqueue(context.Background(), queue.Message{Account: account, To: to, Text: text})
	if err != nil {
		h.t.Fatalf("queuetest: Enqueue: %v", err)
	}
	return id
}

// Drain steps the queue until nothing waits, and moves the clock to each time that
// Step names. It fails the test where that takes more than within on the clock:
// pass the longest time that the messages may take.
func (h *Harness) Drain(within time.Duration) {
	h.t.Helper()
	start := h.Clock.Now()
	for {
		next, err := h.Queue.Step(context.Background())
		if err != nil {
			h.t.Fatalf("queuetest: Drain: %v", err)
			return
		}
		took := max(h.Clock.Now().Sub(start), next.Sub(start))
		switch {
		case took > within && next.IsZero():
			h.t.Fatalf("queuetest: Drain: the last message was done with %v after the start, where %v was to be enough", took, within)
			return
		case took > within:
			h.t.Fatalf("queuetest: Drain: the next message is due %v after the start, where %v was to be enough", took, within)
			return
		case next.IsZero():
			return
		}
		h.Clock.Set(next)
	}
}

// Audit fails the test for every rule of the policy that the sender's log breaks.
func (h *Harness) Audit() {
	h.t.Helper()
	for _, v := range Audit(h.Policy, h.Sender.Log()) {
		h.t.Errorf("queuetest: %v", v)
	}
}
