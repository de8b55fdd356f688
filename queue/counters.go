package queue

import "sync/atomic"

// Counters is what a queue has done since it was made, over all accounts, for a
// metrics endpoint. Each message that was taken in, or up from a store, is one of
// Sent, Failed, Cancelled and Expired, or in doubt (InDoubt less Resolved), or one
// of Waiting. They are read one by one, so that under way they may be off by what
// happens meanwhile.
type Counters struct {
	// Enqueued is how many messages were taken in.
	Enqueued uint64

	// Attempts is how often a message was recorded as going on the wire, and Requeued
	// how often it came back from there to be sent again.
	Attempts, Requeued uint64

	// Sent, Failed, InDoubt, Cancelled and Expired are how many messages became so.
	Sent, Failed, InDoubt, Cancelled, Expired uint64

	// Resolved is how many of those that were in doubt are so no longer.
	Resolved uint64

	// Waiting is how many messages are queued or sending now.
	Waiting int64
}

// counts is Counters under way.
type counts struct {
	enqueued, attempts, requeued, sent, failed, inDoubt, cancelled, expired, resolved atomic.Uint64
}

// Counters returns what the queue has done since it was made.
func (q *Queue) Counters() Counters {
	c := &q.counts
	return Counters{
		Enqueued: c.enqueued.Load(), Attempts: c.attempts.Load(), Requeued: c.requeued.Load(),
		Sent: c.sent.Load(), Failed: c.failed.Load(), InDoubt: c.inDoubt.Load(),
		Cancelled: c.cancelled.Load(), Expired: c.expired.Load(), Resolved: c.resolved.Load(),
		Waiting: q.waiting.Load(),
	}
}

// count counts a change of a message's status.
func (c *counts) count(from, to Status) {
	switch to {
	case Queued:
		switch from {
		case "":
			c.enqueued.Add(1)
		case Sending:
			c.requeued.Add(1)
		case Queued, Sent, Failed, InDoubt, Cancelled, Expired:
		}
	case Sending:
		c.attempts.Add(1)
	case Sent:
		c.sent.Add(1)
	case Failed:
		c.failed.Add(1)
	case InDoubt:
		c.inDoubt.Add(1)
	case Cancelled:
		c.cancelled.Add(1)
	case Expired:
		c.expired.Add(1)
	}
	if from == InDoubt {
		c.resolved.Add(1)
	}
}
