package queue_test

import (
	"context"
	"slices"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// A message is what the world knows of one: what its events said last, and what may
// become of it.
type message struct {
	queue.Message
	enqueued time.Time
	order    uint64
	status   queue.Status
	version  uint64
	at       time.Time // of the last event

	may       bool // be on the wire
	wired     bool // was on the wire
	begun     bool // was recorded as sending when a life ended
	resent    bool
	outOfTurn bool // it was resolved, or kept by an Enqueue that failed
	cancelled bool
	unheard   bool      // somebody outOfTurn it, and was told that the store failed
	promised  bool      // Enqueue has returned its ID
	attempts  int       // that count
	floor     time.Time // it may not be tried again before
	taken     time.Time // when its permit was
	shown     time.Time // what the clock showed then
	call      int       // its last one in the ledger
}

func (m *message) String() string { return m.ID + " (" + m.Campaign + " to " + m.To + ")" }

// chain reports whether two messages must not overtake each other.
func (m *message) chain(other *message) bool {
	return m.Account == other.Account && m.Campaign == other.Campaign && m.Priority == other.Priority && m.To == other.To
}

// meet makes a message known. It requires w.mu.
func (w *world) meet(r queue.Record) *message {
	m := &message{Message: r.Message, enqueued: r.Enqueued, order: r.Order, may: true, call: -1}
	if r.AskedTo != "" {
		m.To = r.AskedTo
	}
	w.messages[m.ID] = m
	w.order = append(w.order, m)
	delete(w.ghosts, m.ID)
	if m.Key != "" {
		key := [2]string{m.Account, m.Key}
		if first := w.keys[key]; first != nil && first.enqueued.After(m.enqueued.Add(w.back-24*time.Hour)) {
			w.faultf("%s was taken in though %s has its key", m, first)
		}
		w.keys[key] = m
	}
	return m
}

// ways are the statuses that may follow each one.
var ways = map[queue.Status][]queue.Status{
	"":            {queue.Queued},
	queue.Queued:  {queue.Sending, queue.Sent, queue.Failed, queue.Cancelled, queue.Expired},
	queue.Sending: {queue.Queued, queue.Sent, queue.Failed, queue.InDoubt, queue.Expired},
	queue.InDoubt: {queue.Queued, queue.Sent, queue.Failed},
}

// event is Options.OnEvent.
func (l *life) event(e queue.Event) {
	w := l.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.dead {
		return
	}
	m := w.messages[e.Record.ID]
	if m == nil {
		m = w.meet(e.Record)
		m.outOfTurn = e.At.After(e.Record.Enqueued) // an Enqueue that failed has kept it, and a later one took it in
	}
	w.tracef("event %s: %q to %q %s", m, e.From, e.Record.Status, e.Record.Code)
	if e.From != m.status || !slices.Contains(ways[e.From], e.Record.Status) {
		w.faultf("%s went from %q to %q, and was %q", m, e.From, e.Record.Status, m.status)
	}
	if e.Record.Version <= m.version || e.At.Before(m.at) && !w.trembles {
		w.faultf("%s: version %d at %v came after version %d at %v", m, e.Record.Version, e.At, m.version, m.at)
	}
	m.status, m.version, m.at = e.Record.Status, e.Record.Version, e.At
	if e.From == queue.Sending && m.call >= 0 && w.ledger[m.call].Done.IsZero() {
		w.settled(m.call, e.Record.Done, true, false) // it was given up
		w.doubted(m)
	}
	switch {
	case m.status == queue.Sent && e.Record.Code != "", m.status == queue.Failed && e.Record.Code == "":
		w.faultf("%s is %s with the code %q", m, m.status, e.Record.Code)
	case m.status == queue.Expired && e.Record.Done.Before(m.ExpiresAt):
		w.faultf("%s expired at %v, before its time, %v", m, e.Record.Done, m.ExpiresAt)
	}
	if w.dice.IntN(100) == 0 {
		panic("OnEvent: no disk")
	}
}

// added is told of each message that the store keeps.
func (l *life) added(r *queue.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ghosts[r.ID] = true // until somebody hears of it
}

// began is told before a message is recorded as sending, when its permit has just been
// taken.
func (l *life) began(r *queue.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.messages[r.ID]; m != nil {
		m.taken, m.shown = l.now(), l.clock.Now()
	}
}

// kept is told of each pace that the store keeps.
func (l *life) kept(p *queue.Pace, holds bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range append(l.holds[:len(l.holds):len(l.holds)], l.making) {
		if h != nil && h.target.Account == p.Account && (h.made.Before(p.At) || holds && h.made.Equal(p.At)) {
			h.saved = true
		}
	}
}

// toWire holds what must be so when a message is put on the wire. It requires w.mu.
func (l *life) toWire(on queue.Message) *message {
	w := l.world
	m, now := w.messages[on.ID], w.clock.Now()
	if m == nil {
		w.faultf("%s is nobody's", on.ID)
		m = w.meet(queue.Record{Message: on})
	}
	kept, err := w.store.Get(context.Background(), on.ID)
	switch {
	case err != nil || kept.Status != queue.Sending:
		w.faultf("%s is on the wire, and recorded as %q", m, kept.Status)
	case !m.may:
		w.faultf("%s is on the wire again", m)
	case m.cancelled:
		w.faultf("%s was cancelled", m)
	case w.life.first() && kept.Attempts != m.attempts+1:
		w.faultf("%s has %d attempts, and had %d before", m, kept.Attempts, m.attempts)
	case m.WireID != on.WireID || m.Text != on.Text || m.Account != on.Account:
		w.faultf("%s became another message", m)
	case !w.trembles && m.shown.Before(m.NotBefore) || m.taken.Before(m.floor):
		w.faultf("%s is on the wire before %v and %v", m, m.NotBefore, m.floor)
	case !m.ExpiresAt.IsZero() && !now.Before(m.ExpiresAt):
		w.faultf("%s is on the wire after %v", m, m.ExpiresAt)
	case w.steps() && w.news != nil && w.offline[m.Account]:
		w.faultf("%s is on the wire, and %s offline", m, m.Account)
	}
	for _, h := range w.holds {
		if h.covers(w, m, on.To, w.fresh(m, on.To)) {
			w.faultf("%s is on the wire in spite of the hold on %+v from %v to %v", m, h.target, h.made, h.until)
		}
	}
	for _, other := range w.order {
		if other.order > m.order && other.wired && !m.outOfTurn && m.chain(other) {
			w.faultf("%s was overtaken by %s", m, other)
		}
	}
	w.ranks(m)
	w.drawOf(m.Account).check(w, policy.SendMessage, m.taken)
	m.may, m.wired, m.attempts = false, true, kept.Attempts
	return m
}

// ranks holds that no message of the lane that could go ranks higher than one that
// goes. It requires w.mu.
func (w *world) ranks(m *message) {
	if !w.plain || w.trembles || w.swayed[m.Account] || !w.steps() || w.option.Width > 1 || len(w.narrow()) > 0 {
		return
	}
	for _, other := range w.order {
		if other.Account != m.Account || other.Priority <= m.Priority || other.status != queue.Queued ||
			other.NotBefore.After(m.taken) || !other.enqueued.Before(m.taken) || other.retried() || other.cancelled ||
			!other.ExpiresAt.IsZero() && !other.ExpiresAt.After(m.taken) {
			continue
		}
		if !slices.ContainsFunc(w.order, func(head *message) bool {
			return head.order < other.order && head.chain(other) && (head.status == queue.Queued || head.status == queue.Sending)
		}) {
			w.faultf("%s went before %s, which ranks higher", m, other)
		}
	}
}

// retried reports whether a message was on the wire, or may have been, and waits for a time that only
// the queue knows.
func (m *message) retried() bool { return m.wired || m.begun }

// narrow are the holds that stop one message of a lane and not the others. It
// requires w.mu.
func (w *world) narrow() (found []*hold) {
	for _, h := range w.holds {
		if h.target.Recipient != "" || h.target.Campaign != "" || h.target.NewContacts {
			found = append(found, h)
		}
	}
	return found
}

// fromWire notes what an answer means. It requires w.mu.
func (l *life) fromWire(m *message, a answer) {
	w := l.world
	now := w.now()
	w.settled(m.call, now, !a.unsent, a.means != wentOut && a.means != doubt)
	if a.unsent {
		m.attempts--
	}
	most := w.option.MaxAttempts
	if most == 0 {
		most = 5
	}
	m.floor = time.Time{}
	switch a.means {
	case again:
		m.floor = now.Add(a.wait)
		m.may = m.attempts < most || isOffline(a.err)
	case doubt:
		w.doubted(m)
	case wentOut, failed:
	}
	if a.hold != nil {
		a.hold.made = now
		w.holds = append(w.holds, a.hold)
		w.targets[a.hold.target] = true
	}
}

// doubted notes that nobody knows whether a message went out. It requires w.mu.
func (w *world) doubted(m *message) {
	m.floor = time.Time{}
	if m.may = m.InDoubt == queue.ResendInDoubt && !m.resent; m.may {
		m.resent = true
	}
}

// settled ends a call. It requires w.mu.
func (w *world) settled(call int, at time.Time, sent, refused bool) {
	c := &w.ledger[call]
	c.Done, c.Unsent, c.Refused = at, !sent, refused && sent
	if c.Action == policy.SendMessage {
		w.write(c)
	}
	w.drawOf(c.Account).count(w, c.Action, at, sent)
}

// forget takes from the store what is known of each message, after a life. It
// requires w.mu.
func (w *world) forget() {
	for id := range w.ghosts {
		if r, err := w.store.Get(context.Background(), id); err == nil {
			w.meet(r).outOfTurn = true
		}
	}
	for _, m := range w.order {
		r, err := w.store.Get(context.Background(), m.ID)
		if err != nil {
			w.faultf("%s is lost: %v", m, err)
			continue
		}
		m.status, m.version, m.resent, m.attempts = r.Status, r.Version, r.Resent, r.Attempts
		m.cancelled, m.may = r.Status == queue.Cancelled, r.Status == queue.Queued
		if r.RetryAt.IsZero() {
			m.floor = time.Time{}
		}
		if r.Status == queue.Sending {
			m.begun = true
			w.doubted(m)
		}
	}
	slices.SortFunc(w.order, func(a, b *message) int { return int(a.order) - int(b.order) })
	w.holds = slices.DeleteFunc(w.holds, func(h *hold) bool { return !h.saved })
	w.lives++
}

// first reports whether nothing was forgotten yet.
func (l *life) first() bool { return l.lives == 0 }

// Draws are the pauses of an account, one for each gap of the policy: drawn here as
// package limiter says that it draws them.
type draws struct {
	account string
	sends   []uint64
	over    []time.Time
}

// drawOf is an account's. It requires w.mu.
func (w *world) drawOf(account string) *draws {
	p := w.drawn[account]
	if p == nil {
		p = &draws{account: account, sends: make([]uint64, len(w.policy.Rules)), over: make([]time.Time, len(w.policy.Rules))}
		w.drawn[account] = p
	}
	return p
}

// count draws the pauses after a call that has ended. It requires w.mu.
func (p *draws) count(w *world, action policy.Action, end time.Time, sent bool) {
	for i, r := range w.policy.Rules {
		g, ok := r.Limit.(policy.Gap)
		if !ok || !sent || !r.Covers(action) {
			continue
		}
		if p.sends[i]++; p.sends[i]%uint64(g.Period()) == 0 {
			d := dice.New(w.option.Seed).Account(p.account).Between(g.Min, g.Max, dice.Name(r.Name), p.sends[i])
			p.over[i] = end.Add(d)
		}
	}
}

// check holds that no pause is under way. After a life it is not known how many sends
// count. It requires w.mu.
func (p *draws) check(w *world, action policy.Action, at time.Time) {
	for i, r := range w.policy.Rules {
		if w.lives == 0 && !w.swayed[p.account] && r.Covers(action) && at.Before(p.over[i]) {
			w.faultf("%s went at %v, where rule %q has it wait until %v", p.account, at, r.Name, p.over[i])
		}
	}
}
