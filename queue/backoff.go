package queue

import (
	"math/bits"
	"time"

	"github.com/wapace/wapace/internal/dice"
)

// A Backoff is how long a message waits after an attempt that is to be repeated:
// any time, by the seed, from zero to First after the first one, to twice as much
// after the next, and so on, but never to more than Most. A verdict's own time is
// the least that it waits.
type Backoff struct {
	// First is the most after the first attempt. Zero waits for nothing but the
	// verdict's own time. It must not be negative.
	First time.Duration

	// Most is the most after any attempt. It must not be less than First.
	Most time.Duration
}

// DefaultBackoff is 5 s, doubling up to 5 min.
func DefaultBackoff() Backoff { return Backoff{First: 5 * time.Second, Most: 5 * time.Minute} }

func (b Backoff) problem() error {
	if b.First < 0 {
		return optionError("backoff first", b.First, "use 0s or more")
	}
	if b.Most < b.First {
		return optionError("backoff most", b.Most, "use at least First, "+b.First.String())
	}
	return nil
}

// most is the longest wait after attempt n.
func (b Backoff) most(n int) time.Duration {
	if n < 1 {
		n = 1
	}
	if b.First == 0 {
		return 0
	}
	if n-1 >= bits.LeadingZeros64(uint64(b.First)) { // doubling would overflow
		return b.Most
	}
	return min(b.First<<(n-1), b.Most)
}

// drawBackoff is how long a message waits after attempt n: the draw of its ID.
func (q *Queue) drawBackoff(m *Message, n int, floor time.Duration) time.Duration {
	d := q.dice.Account(m.Account).Between(0, q.options.Backoff.most(n), dice.Name("backoff "+m.ID), uint64(n))
	return max(d, floor)
}
