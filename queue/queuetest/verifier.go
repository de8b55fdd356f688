package queuetest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// A Verifier is a [Sender] that is a [queue.Verifier] too. Its log has the checks
// among the sends, as calls of [policy.CheckNumber]. The zero Verifier says that
// everybody is on WhatsApp, but needs a Sender. All may use it at once.
type Verifier struct {
	*Sender

	mu      sync.Mutex
	answers map[string]Verification
	rest    Verification
}

// A Verification is how the fake verifier treats one check. The zero Verification
// says that the number is on WhatsApp.
type Verification struct {
	// Unknown says that the number is not on WhatsApp.
	Unknown bool

	// To is the address that messages go to. Empty: the number itself.
	To string

	// Err is what Verify returns, and Panic, if not nil, what it panics with.
	Err   error
	Panic any

	// Took is how long Verify takes, as in [Answer].
	Took time.Duration
}

// NewVerifier is [NewOptions] with a sender that is a [queue.Verifier]. The
// harness's Sender is the verifier's.
func NewVerifier(t testing.TB, p policy.Policy, o *queue.Options) (*Harness, *Verifier) {
	t.Helper()
	v := &Verifier{Sender: &Sender{Clock: &Clock{}}}
	return newHarness(t, p, o, v.Sender, v), v
}

// Answer sets the answer to every check of a number, from now on. The number is
// digits alone, as the queue has it.
func (v *Verifier) Answer(number string, a Verification) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.answers == nil {
		v.answers = make(map[string]Verification)
	}
	v.answers[number] = a
}

// AnswerOthers sets the answer to the checks of all numbers that Answer does not
// name.
func (v *Verifier) AnswerOthers(a Verification) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rest = a
}

// Verify records the check and answers as it was told.
func (v *Verifier) Verify(ctx context.Context, account, to string) (queue.Verification, error) {
	v.mu.Lock()
	a, ok := v.answers[to]
	if !ok {
		a = v.rest
	}
	v.mu.Unlock()
	v.Sender.mu.Lock()
	call := v.log(Call{Account: account, Action: policy.CheckNumber, Recipient: to})
	v.Sender.mu.Unlock()
	err := v.pass(ctx, a.Took)
	switch {
	case err != nil:
		v.done(call, unsent(err), false)
		return queue.Verification{}, err
	case a.Panic != nil:
		v.done(call, false, false)
		panic(a.Panic) //nolint:forbidigo // the test asks for it
	}
	v.done(call, unsent(a.Err), false) // a check that failed has been made
	return queue.Verification{Registered: !a.Unknown, To: a.To}, a.Err
}

// Checks is every check in the log, in order.
func (v *Verifier) Checks() []Call {
	return slices.DeleteFunc(v.Log(), func(c Call) bool { return c.Action != policy.CheckNumber })
}
