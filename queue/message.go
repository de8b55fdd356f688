package queue

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/limiter"
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

	// Text is the message's text, at most [MaxText] bytes, in whatever encoding the
	// sender takes. It may be empty only where Payload is not.
	Text string

	// Payload is anything else that the sender needs. The queue does not look
	// into it.
	Payload []byte

	// Meta is the caller's own data. The queue does not look into it.
	Meta map[string]string

	// WireID is the message's name on the wire, for a sender whose wire takes one:
	// what is sent again under the same one is the same message. It never changes.
	// Where it is empty, [Options].NewWireID makes it. It is at most limiter.MaxKey
	// bytes without NUL.
	WireID string

	// Key makes [Queue.Enqueue] safe to repeat: a second message of the same
	// account with the same Key is not taken in, and the first one's ID is
	// returned, also where the queue is full by now, the day is or the message has
	// expired; see [Options].KeepKeys. It is at most limiter.MaxKey bytes without NUL.
	// Empty: none.
	Key string

	// Campaign is what the message belongs to. The campaigns of an account take
	// turns; messages without one are one campaign of their own. It is at most
	// limiter.MaxKey bytes without NUL.
	Campaign string

	// Priority says who goes first: a message before all of its account that have
	// a lower one. It is between [LowestPriority] and [HighestPriority]. Above 0 it
	// is urgent, see [Options].KeepForUrgent.
	Priority int

	// NotBefore is when the message may go at the earliest. Others pass it until
	// then, but for later ones of its Priority and Campaign to its recipient, which
	// wait for it: give a message that is to go much later a Campaign of its own.
	// Zero, or a time that is over: at once.
	NotBefore time.Time

	// ExpiresAt is when the message is of no use any more. It is not put on the
	// wire then, and is [Expired]. Zero: never.
	ExpiresAt time.Time

	// InDoubt says what happens where nobody knows whether the message went out.
	// Empty is [HoldInDoubt].
	InDoubt Doubt
}

// The bounds of [Message].Priority.
const (
	LowestPriority  = -9
	HighestPriority = 9
)

// A Doubt is what a queue does with a message that may or may not have gone out.
type Doubt string

// The two ways.
const (
	// HoldInDoubt: nothing, until [Queue.Resolve] or [Queue.Confirm] is called.
	HoldInDoubt Doubt = "hold"

	// ResendInDoubt: it is sent once more, under the same WireID, which it must
	// have. After that it is held.
	ResendInDoubt Doubt = "resend"
)

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

// problem is what is wrong with the message, apart from its account and
// recipient.
func (m *Message) problem(now time.Time) error {
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
	case m.Priority < LowestPriority || m.Priority > HighestPriority:
		return &MessageError{
			"priority", fmt.Sprint(m.Priority), "priority is out of range",
			fmt.Sprintf("use %d to %d", LowestPriority, HighestPriority),
		}
	}
	for _, name := range [...]struct{ field, value string }{
		{"wire id", m.WireID}, {"key", m.Key}, {"campaign", m.Campaign},
	} {
		if err := nameProblem(name.field, name.value); err != nil {
			return err
		}
	}
	return m.timeProblem(now)
}

// nameProblem is what is wrong with a name.
func nameProblem(field, name string) error {
	switch {
	case len(name) > limiter.MaxKey:
		return &MessageError{
			field, fmt.Sprintf("of %d bytes", len(name)), field + " is too long",
			fmt.Sprintf("use at most %d bytes", limiter.MaxKey),
		}
	case strings.IndexByte(name, 0) >= 0:
		return &MessageError{field, fmt.Sprintf("%q", mask.Phone(name)), field + " has a NUL byte", "leave it out"}
	}
	return nil
}

// timeProblem is what is wrong with when the message may go.
func (m *Message) timeProblem(now time.Time) error {
	if m.ExpiresAt.IsZero() {
		return nil
	}
	value := m.ExpiresAt.Format(time.RFC3339)
	switch {
	case !m.ExpiresAt.After(now):
		return &MessageError{"expires at", value, "that is over", "use a later time, or none"}
	case !m.ExpiresAt.After(m.NotBefore):
		return &MessageError{"expires at", value, "it may not go before then", "use a time after not before"}
	}
	return nil
}

// doubtProblem is what is wrong with what happens in doubt.
func (m *Message) doubtProblem() error {
	switch m.InDoubt {
	case "", HoldInDoubt:
		return nil
	case ResendInDoubt:
		if m.WireID != "" {
			return nil
		}
		return &MessageError{
			"in doubt", string(m.InDoubt), "sent again without a wire id, it would be another message",
			"give a wire id or Options.NewWireID, or hold it",
		}
	}
	return &MessageError{"in doubt", quoted(string(m.InDoubt)), "there is no such way", `use "hold" or "resend"`}
}

// A Status says how far a message is.
type Status string

// The statuses. All but Queued and Sending are final.
const (
	// Queued: it waits for its turn.
	Queued Status = "queued"

	// Sending: it is on the wire and its end is not known yet.
	Sending Status = "sending"

	// Sent: the sender says that it is out.
	Sent Status = "sent"

	// Failed: it will not go out. [Record.Code] says why.
	Failed Status = "failed"

	// InDoubt: it was on the wire and may or may not have gone out. It stays so
	// until [Queue.Resolve] or [Queue.Confirm] is called.
	InDoubt Status = "in_doubt"

	// Cancelled: [Queue.Cancel] took it back before it was on the wire.
	Cancelled Status = "cancelled"

	// Expired: its [Message].ExpiresAt came before it was on the wire.
	Expired Status = "expired"
)

// Final reports whether a message with this status is done with.
func (s Status) Final() bool {
	switch s {
	case Queued, Sending:
		return false
	case Sent, Failed, InDoubt, Cancelled, Expired:
	}
	return true
}

// A Code says why a message did not go out as it should, for programs.
type Code string

// The codes. A message that is sent has none, and one that waits has one only
// where it was on the wire before.
const (
	// NeverAllowed: no waiting makes the policy allow it; the error names the
	// rule.
	NeverAllowed Code = "NEVER_ALLOWED"

	// RecipientNotFound: the sender's [Verifier] says that the recipient is not on
	// WhatsApp. Nothing was sent.
	RecipientNotFound Code = "RECIPIENT_NOT_FOUND"

	// DailyLimitReached: the account's budget of the day is used up by what was
	// sent and what waits. [Queue.Enqueue] says so under [Reject].
	DailyLimitReached Code = "DAILY_LIMIT_REACHED"

	// NotConnected: the sender's account is not connected; see [Offline].
	NotConnected Code = "WHATSAPP_NOT_CONNECTED"

	// SendRefused: the sender said that it did not go out, and that it may be
	// tried again; see [Retry] and [Hold].
	SendRefused Code = "SEND_REFUSED"

	// TooManyAttempts: it was refused on its last attempt; see
	// [Options].MaxAttempts.
	TooManyAttempts Code = "TOO_MANY_ATTEMPTS"

	// GivenUp: it was in doubt, and [Queue.Resolve] gave it up.
	GivenUp Code = "GIVEN_UP"

	// ByHand: [Queue.Cancel] was called.
	ByHand Code = "CANCELLED"

	// TooLate: it expired.
	TooLate Code = "EXPIRED"

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

	// Code and Err say why it did not go out, for programs and for people: a
	// message that waits again has those of its last attempt. Err may hold the
	// number. Of a text over 4,096 bytes the beginning is kept, and "?" in the place
	// of NUL and of what is not UTF-8.
	Code Code
	Err  string

	// Enqueued is when it was taken in, At when it was last put on the wire, Done
	// when that ended or, without, when it became final. At and Done are zero for
	// what has not happened.
	Enqueued, At, Done time.Time

	// Attempts is how often it was put on the wire. One that the sender says
	// never got there does not count.
	Attempts int

	// RetryAt is when it may be tried again, after an attempt that was refused.
	RetryAt time.Time

	// Resent says that it was sent again, or is to be, because it was in doubt. One
	// that was cancelled or expired, or failed, before it was sent again may have gone
	// out the first time.
	Resent bool

	// Order is its place in the order in which its queue took messages in. Later
	// ones have a higher one.
	Order uint64

	// Version counts the changes of the record: 1 for a new one.
	Version uint64

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
