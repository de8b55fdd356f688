package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A deed is something that somebody does to the queue of a life.
type deed func(l *life)

// deeds are what people do, the frequent ones often.
func deeds() []deed {
	return []deed{
		(*life).enqueue, (*life).enqueue, (*life).enqueue, (*life).enqueue, (*life).enqueue, (*life).enqueue,
		(*life).withdraw, (*life).stopSome, (*life).letGo, (*life).resolve, (*life).confirm, (*life).meddle, (*life).flap, (*life).look, (*life).sway,
	}
}

func isOffline(err error) bool {
	var v *queue.Verdict
	return errors.As(err, &v) && v.Do == queue.DoOffline
}

// expected reports whether an error of the queue is one that the world explains. It
// requires w.mu.
func (l *life) expected(err error) bool {
	return err == nil || l.dead || errors.Is(err, queue.ErrStopped) || errors.Is(err, errStore) && l.failing > 0
}

func (l *life) enqueue() {
	w := l.world
	now := w.clock.Now()
	m := queue.Message{
		Account: pick(w, w.accounts...), To: pick(w, bob, "447700900002", "447700900009", "447700900005", "98765@lid"),
		Text: strings.Repeat("x", 1+w.intN(200)), Campaign: pick(w, "", "", "spring", "autumn"), Priority: pick(w, 0, 0, 0, -1, 5),
	}
	if w.oneIn(6) {
		m.NotBefore = now.Add(w.upTo(pick(w, time.Minute, 6*time.Hour)))
	}
	if w.oneIn(5) {
		from := now
		if m.NotBefore.After(now) {
			from = m.NotBefore
		}
		m.ExpiresAt = from.Add(1 + w.upTo(pick(w, 20*time.Second, time.Hour, 24*time.Hour)))
	}
	if w.oneIn(5) {
		m.Key = pick(w, "a", "b", "c", "d")
	}
	if w.option.NewWireID != nil && w.oneIn(3) {
		m.InDoubt = queue.ResendInDoubt
	}
	w.mu.Lock()
	full, known := w.full(&m)
	w.mu.Unlock()
	id, err := l.queue.Enqueue(context.Background(), m)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told(&m, err, full, known)
	switch {
	case l.dead:
	case errors.Is(err, queue.ErrFull) && w.option.MaxQueued > 0, errors.Is(err, queue.ErrDayFull):
	case err != nil:
		if !l.expected(err) && !errors.Is(err, queue.ErrMessage) { // it may have expired meanwhile
			w.faultf("Enqueue: %v", err)
		}
	case w.messages[id] != nil:
		w.messages[id].promised = true
	case w.ghosts[id] && m.Key != "":
		r, err := w.store.Get(context.Background(), id)
		if err != nil {
			w.faultf("%s was promised, and is lost", id)
			return
		}
		p := w.meet(r) // an Enqueue that failed has kept it
		p.status, p.version, p.promised, p.outOfTurn = r.Status, r.Version, true, true
	default:
		w.faultf("%s was promised, and is unknown", id)
	}
}

// some picks a message with one of the statuses, or nil.
func (w *world) some(statuses ...queue.Status) *message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []*message
	for _, m := range w.order {
		if len(statuses) == 0 || slices.Contains(statuses, m.status) {
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[w.dice.IntN(len(found))]
}

func (l *life) withdraw() {
	w := l.world
	m := w.some()
	if w.oneIn(2) {
		m = w.some(queue.Queued)
	}
	if m == nil {
		return
	}
	c, err := l.queue.Cancel(context.Background(), m.ID)
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.dead {
		return
	}
	w.tracef("cancel %s: %s %v", m, c, err)
	shaken := !w.steps() || w.failing > 0
	switch {
	case errors.Is(err, queue.ErrConflict) && m.status == queue.Queued && shaken:
		// The store has kept it and said that it failed: no lane has it in this life.
	case !l.expected(err):
		w.faultf("Cancel of %s: %v", m, err)
	case c == queue.WasCancelled:
		m.may, m.cancelled = false, true
	case c == queue.WasTooLate && m.status == queue.Queued && !shaken:
		w.faultf("it was too late to cancel %s, which is queued", m)
	}
}

func (l *life) stopSome() {
	w := l.world
	if !w.oneIn(3) {
		return
	}
	w.mu.Lock()
	h := w.drawHold(w.accounts[w.dice.IntN(len(w.accounts))], bob, "spring")
	if w.dice.IntN(10) == 0 {
		h.target = limiter.Target{}
	}
	w.targets[h.target], w.making = true, h
	w.mu.Unlock()
	err := l.queue.Hold(context.Background(), h.target, h.until, "by hand")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.making = nil
	if l.dead {
		if h.saved {
			w.holds = append(w.holds, h)
		}
		return
	}
	w.tracef("hold %+v until %v: %v", h.target, h.until, err)
	var bad *limiter.HoldError
	if !l.expected(err) && !errors.As(err, &bad) {
		w.faultf("Hold: %v", err)
	}
	if errors.As(err, &bad) {
		return
	}
	w.holds = append(w.holds, h)
}

func (l *life) letGo() {
	w := l.world
	w.mu.Lock()
	var all []limiter.Target
	for _, h := range w.holds {
		all = append(all, h.target)
	}
	w.mu.Unlock()
	if len(all) > 0 {
		l.release(pick(w, all...))
	}
}

func (l *life) release(t limiter.Target) {
	w := l.world
	w.mu.Lock()
	w.holds = slices.DeleteFunc(w.holds, func(h *hold) bool { return h.target == t })
	w.tracef("release %+v", t)
	w.mu.Unlock()
	_, err := l.queue.Release(context.Background(), t)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !l.expected(err) {
		w.faultf("Release: %v", err)
	}
}

func (l *life) resolve() {
	if m := l.some(queue.InDoubt); m != nil {
		l.resolveAs(m, pick(l.world, queue.WentOut, queue.Resend, queue.GiveUp))
	}
}

func (l *life) resolveAs(m *message, how queue.Resolution) {
	w := l.world
	w.mu.Lock()
	was := [...]bool{m.may, m.outOfTurn}
	if how == queue.Resend {
		m.may, m.outOfTurn = true, true // at once, so that it may be on the wire before Resolve returns
	}
	w.mu.Unlock()
	_, err := l.queue.Resolve(context.Background(), m.ID, how)
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.dead {
		return
	}
	w.tracef("resolve %s as %s: %v", m, how, err)
	kept, _ := w.store.Get(context.Background(), m.ID)
	if errors.Is(err, errStore) && kept.Status != queue.InDoubt {
		m.unheard = true // it is done, and nobody knows
	}
	if err != nil && how == queue.Resend && kept.Status != queue.Queued {
		m.may, m.outOfTurn = was[0], was[1]
	}
	if !l.expected(err) && !errors.Is(err, queue.ErrConflict) {
		w.faultf("Resolve of %s: %v", m, err)
	}
	if err == nil && how == queue.Resend {
		m.resent = true
	}
}

func (l *life) confirm() {
	w := l.world
	m := w.some(queue.InDoubt, queue.Queued, queue.Sending, queue.Sent)
	if m == nil || m.WireID == "" {
		return
	}
	r, err := l.queue.Confirm(context.Background(), m.Account, m.WireID, queue.Receipt{ID: "late"})
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.dead {
		return
	}
	w.tracef("confirm %s: %s %v", m, r.Status, err)
	if errors.Is(err, errStore) {
		m.unheard = true
	}
	if !l.expected(err) && (w.steps() || !errors.Is(err, queue.ErrConflict)) {
		w.faultf("Confirm of %s: %v", m, err)
	}
	if r.Status == queue.Sent {
		m.may = false
	}
}

// meddle is other code that sends for one of the accounts. It holds a permit for a
// while at most.
func (l *life) meddle() {
	w := l.world
	if !w.shared {
		return
	}
	account := pick(w, w.accounts...)
	at := w.clock.Now()
	permit, d := w.limiter.Take(at, limiter.Request{Account: account, Action: policy.SendMessage, Recipient: bob, Portfolio: portfolio(account)})
	if d.Answer != limiter.Allowed {
		return
	}
	w.mu.Lock()
	call := len(w.ledger)
	w.ledger = append(w.ledger, queuetest.Call{Account: account, Portfolio: portfolio(account), Action: policy.SendMessage, Recipient: bob, At: w.now()})
	w.drawOf(account).check(w, policy.SendMessage, w.now())
	w.mu.Unlock()
	outcome := pick(w, limiter.Sent, limiter.Unsent)
	if !w.steps() || w.oneIn(2) {
		w.pass(w.upTo(30 * time.Second))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	permit.Settle(w.clock.Now(), outcome)
	w.settled(call, w.now(), outcome == limiter.Sent, false)
}

// flap has an account's network fail, or come back. Word of that may be lost.
func (l *life) flap() {
	w := l.world
	if w.news == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	account := w.accounts[w.dice.IntN(len(w.accounts))]
	w.offline[account] = !w.offline[account]
	if w.offline[account] || w.dice.IntN(3) == 0 {
		return
	}
	if w.dice.IntN(4) == 0 {
		account = ""
	}
	select {
	case w.news <- account:
	default:
	}
}

// look asks for what the queue knows.
func (l *life) look() {
	w := l.world
	m := w.some()
	if m == nil {
		return
	}
	r, err := l.queue.Get(context.Background(), m.ID)
	page, _ := l.queue.List(context.Background(), queue.Filter{Account: m.Account, Campaign: m.Campaign})
	w.mu.Lock()
	defer w.mu.Unlock()
	if !l.expected(err) || err == nil && (r.ID != m.ID || r.Text != m.Text) {
		w.faultf("Get of %s: %s %v", m, r.ID, err)
	}
	for i, r := range page {
		if r.Account != m.Account || m.Campaign != "" && r.Campaign != m.Campaign || i > 0 && page[i-1].Order <= r.Order {
			w.faultf("List: %s is out of place", r.ID)
		}
	}
}

// ease ends all that fails, and all holds.
func (w *world) ease(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	w.calm, w.failing, w.deadly = true, 0, 0
	l := w.life
	var all []limiter.Target
	for target := range w.targets {
		all = append(all, target)
	}
	slices.SortFunc(all, func(a, b limiter.Target) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	clear(w.offline)
	w.mu.Unlock()
	for _, target := range all {
		l.release(target)
	}
	if w.news != nil {
		w.news <- ""
	}
}
