package queue

import "context"

// Contacts is a [Sender] that knows whom an account has written to before. The queue
// asks it when it takes a message in, and marks the request of one to somebody new
// as a new contact, for the policy's limits on those. Once a message of a chain to
// one recipient has gone out, those behind it are not new any more.
type Contacts interface {
	// Known reports whether the account has written to the recipient before, or
	// was written to. An error or a panic, which are logged, means no. It is called
	// by several at once, also by [New] for what the store has.
	Known(ctx context.Context, account, to string) (bool, error)
}

// firstContact reports whether a message is to somebody new.
func (q *Queue) firstContact(ctx context.Context, m *Message) (first bool) {
	if q.contacts == nil {
		return false
	}
	first = true
	defer q.rescue("the contacts panicked", m.subject())
	known, err := q.contacts.Known(ctx, m.Account, m.To)
	if err != nil {
		q.complain("it is not known whether the recipient is a new contact; it counts as one", m.subject(), err)
		return true
	}
	return !known
}

// meet notes that a message of its chain went out before: it is not to somebody new.
// It tells the one behind it when it leaves.
func (m *core) meet() { m.met, m.contact = true, false }
