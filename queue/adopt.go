package queue

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// adopt takes a message into its lane that the store has and no lane: what kept it
// was told that the store had failed. It reports whether it did. An error is the
// store's, or says that the account has no portfolio.
func (q *Queue) adopt(ctx context.Context, r *Record, from Status, now time.Time) (did bool, err error) {
	if r.Status != Queued || q.stopped.Load() || q.known(r) {
		return false, nil
	}
	// It was in no lane. If it has not changed by now it was not done with before.
	kept, err := q.store.Get(ctx, r.ID)
	if err != nil || kept.Status != Queued || kept.Version != r.Version {
		return false, err
	}
	origin, err := q.originOf(ctx, &kept.Message, now)
	if err != nil {
		return false, err
	}
	s := q.shardOf(kept.Account)
	s.mu.Lock()
	if s.has(&kept) { // another one was quicker
		s.mu.Unlock()
		return false, nil
	}
	s.entering[kept.ID] = struct{}{}
	s.mu.Unlock()
	q.waiting.Add(1)
	defer q.admit(&kept, origin, now) // even where OnEvent ends the goroutine
	q.tell(&kept, from, now)
	return true, nil
}

// known reports whether a message is in its lane, or on the way into it.
func (q *Queue) known(r *Record) bool {
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.has(r)
}

// has is known. It requires the shard's lock.
func (s *shard) has(r *Record) bool {
	if _, on := s.entering[r.ID]; on {
		return true
	}
	l := s.lanes.find(r.Account)
	is := func(it *item) bool { return it.seq == r.Order }
	return l != nil && (l.line.find(r) != nil || slices.ContainsFunc(l.claimed, is) || slices.ContainsFunc(l.gone, is))
}

// enter notes that a message is on the way into its lane, for others that find it in
// the store.
func (q *Queue) enter(r *Record) {
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entering[r.ID] = struct{}{}
}

// enters reports whether that was noted.
func (q *Queue) enters(r *Record) bool {
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, on := s.entering[r.ID]
	return on
}

// turnBack notes that it is not any more.
func (q *Queue) turnBack(r *Record) {
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entering, r.ID)
}

// conclude records the end of a message that its lane could not record, so that
// nothing is told of it out of order. [ErrConflict] says that the lane is at it.
func (q *Queue) conclude(ctx context.Context, r *Record) error {
	j, found := q.unfinished(r)
	switch {
	case !found:
		return nil
	case j.item == nil:
		return fmt.Errorf("%w: message %.64q is being recorded; try again", ErrConflict, r.ID)
	}
	defer q.watch()
	return q.trySave(ctx, j)
}

// unfinished takes a message whose end its lane has not recorded. The job has no item
// where that is being done.
func (q *Queue) unfinished(r *Record) (j job, found bool) {
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes.find(r.Account)
	if l == nil {
		return job{}, false
	}
	for _, it := range l.claimed {
		if it.seq != r.Order {
			continue
		}
		switch it.phase {
		case recording:
			it.phase = saving
			return job{lane: l, item: it}, true
		case saving:
			return job{}, true
		default:
			return job{}, false // it waits again
		}
	}
	return job{}, false
}
