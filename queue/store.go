package queue

import (
	"context"
	"errors"
)

// A Store keeps the messages. Every change of a message goes through it, and
// each method is one atomic step: it is done whole or not at all, and once it has
// returned nil it is not lost. An error leaves open whether it was done, and the
// queue asks. All may call it at once.
//
// A store may keep a record that it is given: the queue does not change it after.
// Neither may the store.
//
// A queue has its store in memory; it is the seam for stores that outlive the
// process.
type Store interface {
	// Add keeps a new message, which is queued. [ErrConflict] says that its ID is
	// taken.
	Add(ctx context.Context, r *Record) error

	// Begin marks a queued message as sending. It is called before the wire is
	// touched. [ErrConflict] says that the message is not queued.
	Begin(ctx context.Context, r *Record) error

	// Finish marks a message with its final status, from queued or sending.
	// [ErrConflict] says that it has one already.
	Finish(ctx context.Context, r *Record) error

	// Get returns a message, which is the caller's to change. [ErrUnknownMessage]
	// says that there is none.
	Get(ctx context.Context, id string) (Record, error)
}

// ErrUnknownMessage says that no message has the ID: it was never given out, or
// the message was done with so long ago that it is forgotten.
var ErrUnknownMessage = errors.New("queue: unknown message")

// ErrConflict says that a message's status does not allow the change.
var ErrConflict = errors.New("queue: status does not allow it")
