package queue_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// An answer is what the sender says, and what it means for the message.
type answer struct {
	err    error
	panics bool
	wait   time.Duration // it is not tried again before
	means  meaning
	unsent bool // nothing was on the wire
	hold   *hold
}

// A meaning is what becomes of a message by an answer.
type meaning int

const (
	wentOut meaning = iota
	failed          // for good
	again           // it is to be tried again
	doubt           // nobody knows
)

// drawAnswer is how a message fares. It requires w.mu.
func (w *world) drawAnswer(m queue.Message) answer {
	unsent := fmt.Errorf("the socket is shut: %w", queue.ErrUnsent)
	wait := time.Duration(w.dice.Int64N(int64(time.Minute)))
	switch n := w.dice.IntN(28); {
	case n == 0:
		return answer{err: errNo, means: failed}
	case n == 1:
		return answer{err: unsent, means: failed, unsent: true}
	case n == 2:
		return answer{err: context.DeadlineExceeded, means: doubt}
	case n == 3: // it did it
		return answer{err: io.ErrUnexpectedEOF, means: doubt}
	case n == 4:
		return answer{panics: true, means: doubt}
	case n == 5:
		return answer{err: queue.Unknown(errNo), means: doubt}
	case n == 6:
		return answer{err: queue.Drop(errNo), means: failed}
	case n <= 8:
		return answer{err: fmt.Errorf("not now: %w", queue.Retry(errNo, wait)), means: again, wait: wait}
	case n == 9:
		return answer{err: queue.Retry(unsent, wait), means: again, wait: wait, unsent: true}
	case n == 10 && !w.calm:
		return answer{err: queue.Offline(errNo), means: again, unsent: true}
	case n <= 12 && !w.calm:
		h := w.drawHold(m.Account, m.To, m.Campaign)
		t := h.target
		if t.Account == m.Account && w.dice.IntN(2) == 0 {
			t.Account = "" // means the same
		}
		if h.target.Account == "" {
			h.target.Account = m.Account
		}
		return answer{err: queue.Hold(errNo, t, h.until), means: again, hold: h}
	}
	return answer{}
}

// Send is the wire.
func (l *life) Send(ctx context.Context, m queue.Message) (queue.Receipt, error) {
	w := l.world
	w.mu.Lock()
	if l.dead {
		w.mu.Unlock()
		return queue.Receipt{}, errPower
	}
	msg := l.toWire(m)
	call := len(w.ledger)
	w.ledger = append(w.ledger, queuetest.Call{Account: m.Account, Portfolio: portfolio(m.Account), Action: policy.SendMessage, Recipient: m.To, NewContact: w.fresh(msg, m.To), At: msg.taken})
	msg.call = call
	a := w.drawAnswer(m)
	took := w.drawWait()
	dies := w.dice.IntN(1000) < w.deadly
	w.tracef("wire %s for %s: %v, panics %v, in %v", msg, m.Account, a.err, a.panics, took)
	w.mu.Unlock()
	w.pass(took)

	w.mu.Lock()
	defer w.mu.Unlock()
	if dies {
		l.kill("Send")
	}
	if l.dead || !w.ledger[call].Done.IsZero() { // it was given up, and so in doubt
		return queue.Receipt{}, errNo
	}
	if ctx.Err() != nil && a.means == wentOut {
		a = answer{err: ctx.Err(), means: doubt}
	}
	l.fromWire(msg, a)
	if a.panics {
		panic("no session")
	}
	return queue.Receipt{ID: "receipt"}, a.err
}

// drawWait is how long a call takes. Where calls are timed, it may be too long. It
// requires w.mu.
func (w *world) drawWait() time.Duration {
	switch n := w.dice.IntN(40); {
	case n == 0 && !w.steps():
		return time.Duration(w.dice.Int64N(int64(5 * time.Minute)))
	case n < 14:
		return time.Duration(w.dice.Int64N(int64(20 * time.Second)))
	}
	return 0
}

// steps reports whether the world's clock is stepped.
func (w *world) steps() bool {
	_, ok := w.clock.(*queuetest.Clock)
	return ok
}

func (l *life) Typing(context.Context, queue.Message, time.Duration) error {
	switch l.intN(10) {
	case 0:
		return errors.New("no presence")
	case 1:
		panic("no presence")
	case 2:
		l.pass(l.upTo(2 * time.Second))
	}
	return nil
}

// Verify says that the numbers ending in 9 are nobody's, and that the people of
// those ending in 1 have another one, ending in 2.
func (l *life) Verify(ctx context.Context, account, to string) (queue.Verification, error) {
	w := l.world
	w.mu.Lock()
	if l.dead {
		w.mu.Unlock()
		return queue.Verification{}, errPower
	}
	call := len(w.ledger)
	w.ledger = append(w.ledger, queuetest.Call{Account: account, Portfolio: portfolio(account), Action: policy.CheckNumber, Recipient: to, At: w.now()})
	w.drawOf(account).check(w, policy.CheckNumber, w.now())
	how := w.dice.IntN(10)
	var took time.Duration
	switch n := w.dice.IntN(30); {
	case n == 0 && !w.steps():
		took = time.Duration(w.dice.Int64N(int64(5 * time.Minute)))
	case n < 10:
		took = time.Duration(w.dice.Int64N(int64(5 * time.Second)))
	}
	w.tracef("verify %s for %s, in %v", to, account, took)
	w.mu.Unlock()
	given := min(took, cmp.Or(w.option.SendTimeout, 2*time.Minute)+time.Second)
	w.pass(given)
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.dead {
		return queue.Verification{}, errPower
	}
	w.settled(call, w.now(), true, false)
	if took > given { // it is given up
		w.mu.Unlock()
		w.pass(took - given)
		w.mu.Lock()
	}
	switch how {
	case 0:
		return queue.Verification{}, errNo
	case 1:
		panic("no session")
	case 2:
		return queue.Verification{Registered: true, To: "nobody"}, nil
	}
	if stem, isAlias := strings.CutSuffix(to, "1"); isAlias {
		return queue.Verification{Registered: true, To: stem + "2"}, ctx.Err()
	}
	return queue.Verification{Registered: !strings.HasSuffix(to, "9")}, ctx.Err()
}

// A connected life has a network that comes and goes.
type connected struct{ *life }

func (c connected) Connected(account string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.offline[account]
}

func (c connected) Reconnected() <-chan string { return c.news }

// A hold is one that stops a target until a time, for ever where that is zero.
type hold struct {
	target limiter.Target
	made   time.Time
	until  time.Time
	saved  bool // the store has it
}

// drawHold is a hold on something of an account. It requires w.mu.
func (w *world) drawHold(account, to, campaign string) *hold {
	h := &hold{made: w.now()}
	if w.dice.IntN(4) > 0 {
		h.until = w.clock.Now().Add(time.Duration(1 + w.dice.Int64N(int64(2*time.Hour))))
	}
	switch w.dice.IntN(7) {
	case 6:
		h.target = limiter.Target{Account: account, NewContacts: true}
	case 0:
		h.target = limiter.Target{Account: account, Recipient: to}
	case 1:
		h.target = limiter.Target{Recipient: to}
	case 2, 3:
		h.target = limiter.Target{Account: account}
		if campaign != "" {
			h.target.Campaign = campaign
		}
	default:
		h.target = limiter.Target{Account: account}
	}
	return h
}

// covers reports whether a hold stops a message to an address, which may be fresh. A
// clock that was set back by less than a second reads as the latest time seen.
func (h *hold) covers(w *world, m *message, to string, fresh bool) bool {
	t, shown := h.target, m.shown
	if w.trembles {
		shown = shown.Add(time.Second)
	}
	return (!t.NewContacts || fresh) && (t.Account == "" || t.Account == m.Account) && (t.Recipient == "" || t.Recipient == to) &&
		(t.Campaign == "" || t.Campaign == m.Campaign) && h.made.Before(m.taken) && (h.until.IsZero() || h.until.After(shown))
}
