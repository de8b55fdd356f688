package queue

import (
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
)

// A Do is what a [Verdict] asks of the queue.
type Do string

// The verdicts.
const (
	// DoRetry: the message did not go out, and is to be sent again later.
	DoRetry Do = "retry"

	// DoHold: the message did not go out, and neither it nor others are to be
	// tried for a while.
	DoHold Do = "hold"

	// DoDrop: the message did not go out and never will.
	DoDrop Do = "drop"

	// DoOffline: nothing was put on the wire, because the account is not
	// connected.
	DoOffline Do = "offline"

	// DoInDoubt: nobody knows whether the message went out.
	DoInDoubt Do = "in_doubt"
)

// A Verdict is the error of a [Sender] that says what it means for the queue. It is
// found in what Send returns however deep it is wrapped. Make one with [Retry],
// [Hold], [Drop], [Offline] or [Unknown].
type Verdict struct { //nolint:errname // it is what the queue does, and an error only to travel by
	// Do is what is to be done. An unknown one is DoInDoubt.
	Do Do

	// After is how long a message that is to be sent again waits at least. The
	// queue waits longer where its [Backoff] says so. Zero or negative: no longer.
	After time.Duration

	// Until is when a hold ends. Zero: when it is released by hand.
	Until time.Time

	// Target is what a hold stops; see [Hold]. Without an Account it is what it names
	// of the message's own account.
	Target limiter.Target

	// Code is what the record says where the message failed. Empty is
	// [SendFailed].
	Code Code

	// Err is what went wrong. It may be nil.
	Err error
}

// Error says what is to be done, and why.
func (v *Verdict) Error() string {
	if v == nil {
		return "queue: a nil verdict"
	}
	if v.Err == nil {
		return fmt.Sprintf("queue: %.40s", string(v.Do))
	}
	return v.Err.Error()
}

// Unwrap returns what went wrong.
func (v *Verdict) Unwrap() error {
	if v == nil {
		return nil
	}
	return v.Err
}

// Retry says that the message surely did not go out and may be sent again, after a
// time at least: zero leaves it to the queue. What it took of the account's budget
// stays taken, unless err wraps [ErrUnsent].
func Retry(err error, after time.Duration) *Verdict {
	return &Verdict{Do: DoRetry, After: after, Err: err}
}

// Hold says that the message surely did not go out, and stops a target until a
// time: the message waits, and with it all that the target names, until released
// where until is zero. A target without an Account means the message's own: the
// zero Target is the whole account. Its Recipient is read as [ParseAddress] does. Where
// there can be no such target the message's whole account is held, and that is logged;
// an until that is over holds nothing. What the message took of the budget stays taken,
// unless err wraps [ErrUnsent].
func Hold(err error, target limiter.Target, until time.Time) *Verdict {
	return &Verdict{Do: DoHold, Target: target, Until: until, Err: err}
}

// Drop says that the message surely did not go out and is not to be sent again. It
// fails, as by any error without a verdict. What it took of the budget stays taken,
// unless err wraps [ErrUnsent].
func Drop(err error) *Verdict { return &Verdict{Do: DoDrop, Err: err} }

// Offline says that the account is not connected and nothing was put on the wire.
// The message keeps its place and its attempts, what it took of the budget is given
// back, and the account sends nothing until it is connected; see [Connector].
func Offline(err error) *Verdict { return &Verdict{Do: DoOffline, Err: err} }

// Unknown says that nobody knows whether the message went out: it is in doubt.
func Unknown(err error) *Verdict { return &Verdict{Do: DoInDoubt, Err: err} }
