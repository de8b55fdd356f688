package queue

import (
	"sync"
	"time"
)

// A kept is a record as a store in memory keeps it: what every message has, and the
// rest where it has any. A message that waits, has a text and asks for nothing more
// takes 128 bytes.
type kept struct {
	// These are looked at together: they share a cache line.
	id    string
	hash  uint32 // of the ID
	gone  bool   // it is forgotten; changes with its part's lock and the memory's held
	ends  uint16 // how often it is among those done with; changes with the memory's lock held
	next  *kept  // whose hash is like it
	order uint64 // stays: it is read with the memory's lock alone
	fate  *fate  // nil where nothing has become of it
	asked *asked // nil where it asked for nothing more

	account, to, text string
	enqueued          time.Time
}

func (k *kept) hashed() (hash uint32, next **kept) { return k.hash, &k.next }

// An asked is what only some messages ask for.
type asked struct {
	kind, wireID, key, campaign string
	payload                     []byte
	meta                        map[string]string
	priority                    int
	notBefore, expiresAt        time.Time
	inDoubt                     Doubt
}

// A fate is what has become of a message.
type fate struct {
	askedTo           string
	status            Status
	code              Code
	err               string
	at, done, retryAt time.Time
	attempts          int
	resent            bool
	version           uint64
	typing            time.Duration
	receipt           Receipt
}

// set makes a kept what a record says, but for its order, which stays. It keeps none of
// the record but what that refers to. Where it needs a fate it takes one of the spare.
func (k *kept) set(r *Record, spare *sync.Pool) {
	k.id, k.account, k.to, k.text, k.enqueued = r.ID, r.Account, r.To, r.Text, r.Enqueued
	if !r.asksMore() {
		k.asked = nil
	} else {
		if k.asked == nil {
			k.asked = &asked{}
		}
		*k.asked = asked{
			kind: r.Kind, wireID: r.WireID, key: r.Key, campaign: r.Campaign, payload: r.Payload, meta: r.Meta,
			priority: r.Priority, notBefore: r.NotBefore, expiresAt: r.ExpiresAt, inDoubt: r.InDoubt,
		}
	}
	if !r.hasFate() {
		k.fate = nil
		return
	}
	if k.fate == nil {
		if k.fate, _ = spare.Get().(*fate); k.fate == nil {
			k.fate = &fate{}
		}
	}
	*k.fate = fate{
		askedTo: r.AskedTo, status: r.Status, code: r.Code, err: r.Err, at: r.At, done: r.Done, retryAt: r.RetryAt,
		attempts: r.Attempts, resent: r.Resent, version: r.Version, typing: r.Typing, receipt: r.Receipt,
	}
}

// asksMore reports whether a message has what only some have.
func (m *Message) asksMore() bool {
	return m.Kind != "" || m.WireID != "" || m.Key != "" || m.Campaign != "" || m.Payload != nil || m.Meta != nil ||
		m.Priority != 0 || m.NotBefore != time.Time{} || m.ExpiresAt != time.Time{} || m.InDoubt != ""
}

// hasFate reports whether a record is not as that of a new message.
func (r *Record) hasFate() bool {
	return r.Status != Queued || r.Version != 1 || r.AskedTo != "" || r.Code != "" || r.Err != "" ||
		r.At != time.Time{} || r.Done != time.Time{} || r.RetryAt != time.Time{} ||
		r.Attempts != 0 || r.Resent || r.Typing != 0 || r.Receipt != Receipt{}
}

// status is how far the message is.
func (k *kept) status() Status {
	if k.fate == nil {
		return Queued
	}
	return k.fate.status
}

// version is the record's.
func (k *kept) version() uint64 {
	if k.fate == nil {
		return 1
	}
	return k.fate.version
}

// wipe makes a kept one that is forgotten. Where it was in the table and in the order of
// all stays.
func (k *kept) wipe() {
	k.gone, k.id, k.account, k.to, k.text, k.asked, k.fate = true, "", "", "", "", nil, nil
}

// copy is the record, which shares nothing with the kept.
func (k *kept) copy() Record {
	r := k.record()
	r.Message = r.clone()
	return r
}

// record is the record, which shares with the kept what that refers to.
func (k *kept) record() (r Record) {
	r.ID, r.Account, r.To, r.Text, r.Enqueued, r.Order = k.id, k.account, k.to, k.text, k.enqueued, k.order
	if a := k.asked; a != nil {
		r.Kind, r.WireID, r.Key, r.Campaign, r.Payload, r.Meta = a.kind, a.wireID, a.key, a.campaign, a.payload, a.meta
		r.Priority, r.NotBefore, r.ExpiresAt, r.InDoubt = a.priority, a.notBefore, a.expiresAt, a.inDoubt
	}
	f := k.fate
	if f == nil {
		r.Status, r.Version = Queued, 1
		return r
	}
	r.AskedTo, r.Status, r.Code, r.Err, r.At, r.Done, r.RetryAt = f.askedTo, f.status, f.code, f.err, f.at, f.done, f.retryAt
	r.Attempts, r.Resent, r.Version, r.Typing, r.Receipt = f.attempts, f.resent, f.version, f.typing, f.receipt
	return r
}
