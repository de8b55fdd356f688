package queue

import (
	"time"

	"github.com/wapace/wapace/limiter"
)

// An item is a message in its lane: what its order and its pace need. The rest of it is
// in the store until it goes. Its fields change with the shard's lock held.
type item struct {
	core
	campaign   *campaign // nil where it is not in the line
	prev, next *item     // in its chain
	alike      *item     // in the table of chains
	way        *way      // nil where it has never been on its way
	place, end int32     // in the pile that it waits in, and among those that expire; plus 1
	hash       uint32    // of its chain's name

	phase phase
	held  bool // it is delayed by a rule that tells recipients apart
	ended bool // it was cancelled while its recipient is being verified
}

// A core is what a message is, wherever it stands.
type core struct {
	seq      uint64 // its record's Order
	id, to   string // to is where it is sent to, once its recipient is verified
	terms    *terms // nil where it has none
	runes    uint32 // how many of its text count for typing
	verified bool   // its recipient is
	contact  bool   // it is the first message to its recipient
	met      bool   // one of its chain that was before it, or it, has gone out
}

// The terms of a message are what most messages have none of. Nobody changes them.
type terms struct {
	notBefore, expiresAt time.Time
	retryAt, refused     time.Time // when it may be tried again, and when it was refused
	askedTo              string    // its recipient, where it is sent to another address
	version              uint64    // of its record
}

// A way is what an item needs only while it is on its way or waits for a time.
type way struct {
	until  time.Time      // when the phase is over
	typed  time.Time      // when typing was last shown
	typing time.Duration  // how long it is shown
	hush   *call          // the call that shows it, that checks or that sends
	permit limiter.Permit // held while checking, and from starting until settled
	began  time.Time      // when it was recorded as sending
	record *Record        // before a Begin that failed, and may have marked it all the same; or nil
	end    *end           // what is to be recorded of it, once that is not its worker's affair
	again  *terms         // those that it waits with once its end is recorded, or nil

	wired  bool // the store has it as sending
	lost   bool // given up by a stop or a timeout: whatever its worker says comes too late
	timed  bool // its sender may take only so long
	warned bool // its sender was told that its time is over
}

// A phase is where an item stands.
type phase uint8

const (
	waiting   phase = iota // for its turn
	behind                 // another one of its chain
	delayed                // until a time of its own
	parked                 // its recipient is to be verified
	doomed                 // it is to be recorded as not sent
	checking               // its recipient is being verified
	typing                 // typing is shown until its time is over
	starting               // it is being recorded as sending
	onWire                 // the sender has it
	saving                 // its end is being recorded
	recording              // its end could not be recorded and will be, later
)

// claimed reports whether an item in the phase is among those on their way.
func (p phase) claimed() bool { return p >= checking }

// item is a message for its lane, as its record has it.
func (q *Queue) item(r *Record, contact bool) *item {
	it := &item{core: core{seq: r.Order, id: r.ID, to: r.To, contact: contact, terms: r.terms()}}
	if q.typist != nil {
		it.runes = q.options.Typing.runes(r.Text)
	}
	return it
}

// terms is those of a record's message, or nil.
func (r *Record) terms() *terms {
	if r.Version == 1 && r.AskedTo == "" && r.NotBefore.IsZero() && r.ExpiresAt.IsZero() && r.RetryAt.IsZero() {
		return nil
	}
	return &terms{
		notBefore: r.NotBefore, expiresAt: r.ExpiresAt, retryAt: r.RetryAt, refused: r.Done,
		askedTo: r.AskedTo, version: r.Version,
	}
}

// all is a message's terms.
func (m *core) all() terms {
	if m.terms == nil {
		return terms{version: 1}
	}
	return *m.terms
}

// expires reports whether a message is of no use any more at some time, and when.
func (m *core) expires() (at time.Time, ok bool) {
	if m.terms == nil {
		return time.Time{}, false
	}
	return m.terms.expiresAt, !m.terms.expiresAt.IsZero()
}

// expired reports whether a message is of no use any more.
func (m *core) expired(now time.Time) bool {
	at, ok := m.expires()
	return ok && !at.After(now)
}

// asked is the recipient that was asked for.
func (m *core) asked() string {
	if m.terms != nil && m.terms.askedTo != "" {
		return m.terms.askedTo
	}
	return m.to
}

// redirect has a message sent to another address than that which was asked for.
func (m *core) redirect(to string) {
	t := m.all()
	t.askedTo = m.asked() // which names its chain
	m.terms, m.to = &t, to
}

// ahead reports whether one message goes before another whatever the turns are.
func ahead(a, b *item) bool {
	if a.campaign.priority != b.campaign.priority {
		return a.campaign.priority > b.campaign.priority
	}
	return a.campaign == b.campaign && a.seq < b.seq
}

// ranks reports whether one message ranks before another where no turns count.
func ranks(a, b *item) bool {
	if a.campaign.priority != b.campaign.priority {
		return a.campaign.priority > b.campaign.priority
	}
	return a.seq < b.seq
}

// under is the way of an item, which it has from now on.
func (it *item) under() *way {
	if it.way == nil {
		it.way = &way{}
	}
	return it.way
}

// until is when the phase of an item is over, zero where it has no end.
func (it *item) until() time.Time {
	if it.way == nil {
		return time.Time{}
	}
	return it.way.until
}

// quiet ends the call that shows typing for an item, that checks it or that sends it.
func (it *item) quiet() {
	if it.way != nil && it.way.hush != nil {
		it.way.hush.cancel()
	}
}

// typedAt is when typing was last shown for an item, or zero.
func (it *item) typedAt() time.Time {
	if it.way == nil {
		return time.Time{}
	}
	return it.way.typed
}
