package queue

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// strays are messages that a store may have kept as queued though it said that it had
// failed, and could not say then whether. The queue looks for them when it has kept
// another message, as the store works again.
type strays struct {
	n   atomic.Int32 // so that those who keep a message take no lock
	mu  sync.Mutex
	all []stray
}

// A stray has the message's ID, and the status that it had before.
type stray struct {
	id   string
	from Status
}

const (
	mostStrays = 1024 // that are looked for; the next queue finds the others
	strayLooks = 4    // each time
)

// note adds a message that may have been kept.
func (s *strays) note(id string, from Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) < mostStrays {
		s.all = append(s.all, stray{id, from})
		s.n.Add(1)
	}
}

// take takes out the one that was noted first.
func (s *strays) take() (first stray, ok bool) {
	if s.n.Load() == 0 {
		return first, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		return first, false
	}
	first, s.all = s.all[0], s.all[1:]
	s.n.Add(-1)
	return first, true
}

// findStrays has some of those that were kept wait in their lanes.
func (q *Queue) findStrays(ctx context.Context, now time.Time) {
	for range strayLooks {
		s, ok := q.strays.take()
		if !ok {
			return
		}
		kept, err := q.store.Get(ctx, s.id)
		soon := err == nil && q.enters(&kept) // whoever noted it has not turned it back yet
		if err == nil && !soon {
			_, err = q.adopt(ctx, &kept, s.from, now)
		}
		if soon || err != nil && !errors.Is(err, ErrUnknownMessage) {
			q.strays.note(s.id, s.from)
			return
		}
	}
}
