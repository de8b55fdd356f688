package queue

import (
	"context"
	"time"
)

// A Sender delivers one message. Send returns when the message was handed over
// or refused, and soon after ctx is done. A nil error means that the message is
// out. An error that wraps a [Verdict] says what the queue is to do. Without one, an
// error that says nothing of what happened on the wire (a deadline, a cancelled
// context, a net.Error, EOF, a reset connection) leaves the message in doubt; any
// other means that it failed. The queue repeats neither by itself. A Send that panics
// leaves the message in doubt. An error that wraps [ErrUnsent] says that nothing was
// put on the wire: the budget that it took is given back, and without a verdict the
// message failed.
//
// The queue calls Send for different messages at once where a lane is wider than
// 1 or there are several lanes.
type Sender interface {
	Send(ctx context.Context, m Message) (Receipt, error)
}

// SenderFunc makes a function a [Sender].
type SenderFunc func(ctx context.Context, m Message) (Receipt, error)

// Send calls f.
func (f SenderFunc) Send(ctx context.Context, m Message) (Receipt, error) { return f(ctx, m) }

// A Receipt is what the wire says of a message that it took.
type Receipt struct {
	// ID is the message's name on the wire. It may be empty. Of one over 4,096 bytes
	// the beginning is kept, and "?" in the place of NUL and of what is not UTF-8.
	ID string
}

// A Typist is a [Sender] that can show the recipient that a message is being
// typed. Typing starts showing it and returns without waiting for d to pass: the
// message follows d later, and ctx ends then. A failure or a panic, which are
// logged, never keeps the message back. It is called for different messages at once.
type Typist interface {
	Typing(ctx context.Context, m Message, d time.Duration) error
}
