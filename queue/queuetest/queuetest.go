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
	var options queue.Options
	if o != nil {
		options = *o
	}
	h := &Harness{Clock: &Clock{}, Policy: p, t: t}
	h.Sender = &Sender{clock: h.Clock}
	options.Clock = h.Clock
	if options.Seed == 0 {
		options.Seed = 1
	}
	q, err := queue.New(p, h.Sender, &options)
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
// Step names. It fails the test where that would take more than within: pass the
// longest time that the messages may take.
func (h *Harness) Drain(within time.Duration) {
	h.t.Helper()
	deadline := h.Clock.Now().Add(within)
	for {
		next, err := h.Queue.Step(context.Background())
		if err != nil {
			h.t.Fatalf("queuetest: Step: %v", err)
		}
		if next.IsZero() {
			return
		}
		if next.After(deadline) {
			h.t.Fatalf("queuetest: Drain: the next message is due at %v, later than %v after the start", next, within)
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
