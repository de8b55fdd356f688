package queue

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/limiter"
)

// An ending is what a call of the sender makes of its message.
type ending struct {
	*Record           // kept where the ending is not
	began   time.Time // before it was recorded as sending
	outcome limiter.Outcome
	verdict *Verdict // nil where the error had none
	reason  string   // of what that holds
}

// judge makes of the message what the sender answered. It asks the error, which may
// end the goroutine, before it writes anything.
func (e *ending) judge(err error) {
	if err == nil {
		e.Status, e.Code, e.Err, e.outcome = Sent, "", "", limiter.Sent
		return
	}
	var v *Verdict
	unsent, why, reason := errors.Is(err, ErrUnsent), said(err), ""
	if errors.As(err, &v) && v != nil {
		reason = said(v)
		e.verdict = v
	} else if v = (&Verdict{Do: DoDrop}); !unsent && brokeOff(err) {
		v.Do = DoInDoubt
	}
	e.Err, e.reason, e.outcome = why, reason, limiter.Refused
	if unsent || v.Do == DoOffline {
		e.outcome = limiter.Unsent
	}
	switch v.Do {
	case DoRetry, DoHold:
		e.Status, e.Code = Queued, SendRefused
	case DoOffline:
		e.Status, e.Code = Queued, NotConnected
	case DoDrop:
		e.Status, e.Code = Failed, cmp.Or(v.Code, SendFailed)
	case DoInDoubt:
		fallthrough
	default:
		e.outcome = limiter.Sent
		e.doubt(why)
	}
	if e.outcome == limiter.Unsent {
		e.Attempts--
	}
}

// doubt makes the message one of which nobody knows whether it went out.
func (r *Record) doubt(why string) { r.Status, r.Code, r.Err = InDoubt, SendUnknown, why }

// expire makes the message one that was of no use any more when it was about to go.
func (e *ending) expire() {
	e.Status, e.Code, e.Err, e.outcome = Expired, TooLate, "it expired before it was on the wire", limiter.Unsent
	e.Attempts--
}

// back makes the message one that waits again, as it never got to the sender.
func (e *ending) back() {
	e.Status, e.outcome = Queued, limiter.Unsent
	e.Attempts--
}

// again decides whether a message that is to be sent again is, and when.
func (q *Queue) again(e *ending) {
	q.resend(e.Record)
	switch {
	case e.Status != Queued || e.verdict == nil || e.verdict.Do == DoOffline:
	case e.Attempts >= q.options.MaxAttempts:
		e.Status, e.Code = Failed, TooManyAttempts
	default:
		e.RetryAt = e.Done.Add(q.drawBackoff(&e.Message, e.Attempts, e.verdict.After))
	}
}

// resend has a message that is in doubt sent again where it asks for that, once.
func (q *Queue) resend(r *Record) {
	if r.Status != InDoubt || r.InDoubt != ResendInDoubt || r.Resent {
		return
	}
	r.Status, r.Resent = Queued, true
	r.RetryAt = r.Done.Add(q.drawBackoff(&r.Message, r.Attempts, 0))
}

// heed does what a verdict asks for others than its message.
func (q *Queue) heed(ctx context.Context, j job, e *ending) {
	switch {
	case e.verdict == nil:
	case e.verdict.Do == DoOffline:
		q.freeze(j.lane, e.Done)
	default:
		bad, err := e.stop(e.Account, e.Done, func(t limiter.Target, until time.Time, reason string) error {
			return q.hold(ctx, e.Done, t, until, reason)
		})
		if bad != nil {
			q.complain("a hold could not be made as the sender asked; its account is held", e.subject(), bad)
		}
		if err != nil {
			q.complain("a hold that the sender asked for may not outlive the queue", e.subject(), err)
		}
	}
}

// stop holds what the verdict stops of an account, unless that is over by now. Where
// there can be no such target, bad says why, and the whole account is held: its
// sender said stop.
func (e *ending) stop(account string, now time.Time, hold func(limiter.Target, time.Time, string) error) (bad, err error) {
	v := e.verdict
	if v == nil || v.Do != DoHold || !v.Until.IsZero() && !v.Until.After(now) {
		return nil, nil
	}
	t, reason := v.Target, cmp.Or(mask.Text(e.reason), string(DoHold))
	if t.Account == "" {
		t.Account = account
	}
	if t, bad = spelled(t); bad == nil {
		if bad = hold(t, v.Until, reason); !errors.Is(bad, limiter.ErrHold) {
			return nil, bad
		}
	}
	return bad, hold(limiter.Target{Account: account}, v.Until, reason)
}

// overdue ends a call of the sender that takes too long: first it is told so, and
// where it does not return the lane goes on without it. It requires the shard's
// lock.
func (q *Queue) overdue(l *lane, it *item, now time.Time) (job, bool) {
	w := it.way
	if !w.warned {
		w.warned, w.until = true, now.Add(lastWord)
		it.quiet()
		return job{}, false
	}
	w.end = doubtful("the sender did not return in "+q.options.SendTimeout.String(), now)
	w.permit.Settle(now, limiter.Sent)
	it.phase, w.lost, w.hush = saving, true, nil
	return job{lane: l, item: it, do: (*Queue).giveUp}, true
}

// giveUp goes on without a call that did not return.
func (q *Queue) giveUp(ctx context.Context, j job) {
	defer q.complain("the sender does not return; its lane goes on", j.subject(), errors.New(j.item.way.end.err))
	q.save(ctx, j)
}

// brokeOff reports whether an error leaves open what happened on the wire.
func brokeOff(err error) bool {
	for _, open := range []error{
		context.DeadlineExceeded, context.Canceled,
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE,
	} {
		if errors.Is(err, open) {
			return true
		}
	}
	var network net.Error
	return errors.As(err, &network)
}
