package queue

import (
	"context"
	"errors"
	"time"
)

// A Store keeps the messages, and how much each account has spent. Every change
// goes through it, and each method is one atomic step: it is done whole or not at
// all, and once it has returned nil it is not lost. An error other than
// [ErrConflict] and [ErrUnknownMessage] leaves open whether it was done, and the
// queue asks or tries again; a panic counts as one. All may call it at once. What has
// happened is recorded with a context that outlasts the caller's, so a store bounds its
// own calls: one that never returns keeps its account from going on.
//
// A record that a store is given is the queue's again once the method has returned: a
// store keeps a copy. What the record's Payload and Meta hold it may keep, as nobody
// changes that after. It may not change any of it either.
//
// The queue holds of a message that waits only what its order and its pace need, and
// gets the rest when it is about to show typing or to send: however much waits, the
// messages themselves are in the store alone.
//
// [NewMemory] is a store that lives in the process. One that outlives it makes a
// queue that loses nothing: [New] takes up what the store has. Package
// queue/storetest holds what every store must do.
type Store interface {
	// Load returns what a new queue takes up. It is called once, before anything
	// else. keep is how long attempts have to be kept after they have ended.
	Load(ctx context.Context, keep time.Duration) (*Saved, error)

	// Add keeps a new message, which is queued, and returns its ID. Where the
	// message has a Key, and another of the same account with that Key was taken
	// in after since, nothing is kept and the other's ID is returned. [ErrConflict]
	// says that the ID is taken.
	Add(ctx context.Context, r *Record, since time.Time) (id string, err error)

	// Keyed returns the ID that Add would return for a message of an account with a
	// key, where that is another's: empty where Add would keep the message.
	Keyed(ctx context.Context, account, key string, since time.Time) (id string, err error)

	// Change puts a record in the place of the one with its ID, whose Version must
	// be one less, and keeps the pace p as Keep does where it is not nil. An attempt begins
	// where r is sending, and ends where r is not and the record before it was.
	// [ErrConflict] says that the Version is another, [ErrUnknownMessage] that
	// there is no such record.
	Change(ctx context.Context, r *Record, p *Pace) error

	// Keep puts a pace in the place of the one of its account, unless that has a
	// higher Version.
	Keep(ctx context.Context, p *Pace) error

	// Get returns a message, which is the caller's to change. [ErrUnknownMessage]
	// says that there is none.
	Get(ctx context.Context, id string) (Record, error)

	// List returns the messages that the filter lets through, newest first, which
	// are the caller's to change. It returns fewer than asked for only where there
	// are no more.
	List(ctx context.Context, f Filter) ([]Record, error)

	// Attempts returns the attempts of an account that ended after since, or have
	// not ended, in the order in which they began. They are kept as long as Load
	// was told, whatever becomes of their messages.
	Attempts(ctx context.Context, account string, since time.Time) ([]Attempt, error)
}

// Saved is what a store has for a new queue.
type Saved struct {
	// Waiting are the messages that are queued or sending, by their Order.
	Waiting []*Record

	// Paces are those of all accounts that have one.
	Paces []Pace

	// Last is the highest Order that a message ever had, zero without any.
	Last uint64
}

// A Pace is how much an account has spent, and its holds.
type Pace struct {
	// Account is whose pace it is. It is empty for the holds that name no account.
	Account string

	// Snapshot is what the limiter knows: [limiter.Limiter.Snapshot], or
	// [limiter.Limiter.SnapshotHolds] without an account. Nil: nothing. It is
	// secret.
	Snapshot []byte

	// Portfolio is whose budget the account shares, and Shared what that has spent:
	// [limiter.Limiter.SnapshotPortfolio]. Empty and nil where no rule asks for it.
	// Of several accounts of one portfolio the pace with the highest Version counts.
	// A store need not keep a pace that has neither a Snapshot nor this.
	Portfolio string
	Shared    []byte

	// At is when it was taken.
	At time.Time

	// Version is higher for one that was taken later.
	Version uint64
}

// An Attempt is one time that a message was on the wire.
type Attempt struct {
	// ID is the message's.
	ID string

	// Account, To and Campaign are the message's then.
	Account, To, Campaign string

	// At is when it began, Done when it ended: zero where it has not.
	At, Done time.Time

	// Status is what it made of the message: [Sending] where it has not ended,
	// [Queued] where the message is to be sent again.
	Status Status
}

// ErrUnknownMessage says that no message has the ID: it was never given out, or
// the message was done with so long ago that it is forgotten.
var ErrUnknownMessage = errors.New("queue: unknown message")

// ErrConflict says that a message's status does not allow the change.
var ErrConflict = errors.New("queue: status does not allow it")
