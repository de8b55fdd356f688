package queue

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// MaxText is the longest text of a message, in bytes.
const MaxText = 65_536

// A Message is what is to be sent.
type Message struct {
	// ID is the queue's name for the message. [Queue.Enqueue] sets it; leave it
	// empty.
	ID string

	// Account is the number or instance that sends. It must not be empty, and is
	// at most limiter.MaxKey bytes without NUL.
	Account string

	// To is the recipient in any form that [ParseAddress] reads. The queue keeps
	// and hands on its canonical form.
	To string

	// Kind is the sender's own word for what the message is. It may be empty.
	Kind string

	// Text is the message's text, at most [MaxText] bytes. It may be empty only
	// where Payload is not.
	Text string

	// Payload is anything else that the sender needs. The queue does not look
	// into it.
	Payload []byte

	// Meta is the caller's own data. The queue does not look into it.
	Meta map[string]string
}

// clone shares nothing that the caller may still write to.
func (m Message) clone() Message {
	m.Payload, m.Meta = slices.Clone(m.Payload), maps.Clone(m.Meta)
	return m
}

// ErrMessage is wrapped by every [MessageError].
var ErrMessage = errors.New("queue: bad message")

// A MessageError says what is wrong with a message. It wraps [ErrMessage].
type MessageError struct {
	Field  string // the field's name in lower case
	Value  string // the value, cut to a line, or its size
	Reason string
	Remedy string
}

// Error names the field, the value, the reason and the remedy.
func (e *MessageError) Error() string {
	return fmt.Sprintf("queue: %s %s: %s; %s", e.Field, e.Value, e.Reason, e.Remedy)
}

// Unwrap makes errors.Is(err, [ErrMessage]) true.
func (e *MessageError) Unwrap() error { return ErrMessage }

func (m *Message) problem() error {
	switch {
	case m.ID != "":
		return &MessageError{"id", "set", "the queue names its messages", "leave it empty"}
	case len(m.Text) > MaxText:
		return &MessageError{
			"text", fmt.Sprintf("%d bytes", len(m.Text)), "text is too long",
			fmt.Sprintf("cut it to %d bytes or send it in parts", MaxText),
		}
	case m.Text == "" && len(m.Payload) == 0:
		return &MessageError{"text", `""`, "text is empty", "give a text or a payload"}
	}
	return nil
}

// A Status says how far a message is.
type Status string

// The statuses. Sent, Failed and InDoubt are final.
const (
	// Queued: it waits for its turn.
	Queued Status = "queued"

	// Sending: it is on the wire and its end is not known yet.
	Sending Status = "sending"

	// Sent: the sender says that it is out.
	Sent Status = "sent"

	// Failed: it will not go out. [Record.Code] says why.
	Failed Status = "failed"

	// InDoubt: it was on the wire and may or may not have gone out.
	InDoubt Status = "in_doubt"
)

// Final reports whether a message with this status is done with.
func (s Status) Final() bool {
	switch s {
	case Queued, Sending:
		return false
	case Sent, Failed, InDoubt:
	}
	return true
}

// A Code says why a message did not go out as it should, for programs.
type Code string

// The codes. A message that waits, or is sent, has none.
const (
	// NeverAllowed: no waiting makes the policy allow it; the error names the
	// rule.
	NeverAllowed Code = "NEVER_ALLOWED"

	// RecipientNotFound: the sender's [Verifier] says that the recipient is not on
	// WhatsApp. Nothing was sent.
	RecipientNotFound Code = "RECIPIENT_NOT_FOUND"

	// SendFailed: the sender said that it did not go out.
	SendFailed Code = "SEND_FAILED"

	// SendUnknown: the sender broke off and nobody knows whether it went out.
	SendUnknown Code = "SEND_UNKNOWN"
)

// A Record is a message and what became of it.
type Record struct {
	Message

	// AskedTo is the recipient that was asked for, where the sender's [Verifier]
	// named another address. To is that address then, from when the message is no
	// longer queued. Empty means that To was asked for.
	AskedTo string

	// Status says how far the message is.
	Status Status

	// Code and Err say why it did not go out, for programs and for people. They
	// are empty for a message that waits or is sent. Err may hold the number.
	Code Code
	Err  string

	// Enqueued is when it was taken in, At when it was put on the wire, Done when
	// the sender returned. At and Done are zero for what has not happened.
	Enqueued, At, Done time.Time

	// Typing is how long typing was shown before it, or was to be where the sender
	// could not. Zero means not at all.
	Typing time.Duration

	// Receipt is what the sender answered.
	Receipt Receipt
}

// An Event is one change of a message's status.
type Event struct {
	// Record is the message as it is now.
	Record Record

	// From is the status that it had before. It is empty for a new message.
	From Status

	// At is when it changed.
	At time.Time
}
