package queue

import (
	"context"
	"time"
)

// adopt takes a message into its lane that the store has and no lane: what kept it
// was told that the store had failed. It reports whether it did.
func (q *Queue) adopt(ctx context.Context, r *Record, from Status, now time.Time) bool {
	if r.Status != Queued || q.stopped.Load() || q.known(r) {
		return false
	}
	// It was in no lane. If it has not changed by now it was not done with before.
	kept, err := q.store.Get(ctx, r.ID)
	if err != nil || kept.Status != Queued || kept.Version != r.Version {
		return false
	}
	it := &item{record: &kept, seq: kept.Order, contact: q.firstContact(ctx, &kept.Message)}
	s := q.shardOf(kept.Account)
	s.mu.Lock()
	if s.has(&kept) { // another one was quicker
		s.mu.Unlock()
		return false
	}
	s.entering[kept.ID] = struct{}{}
	s.mu.Unlock()
	q.waiting.Add(1)
	defer q.admit(it, now) // even where OnEvent ends the goroutine
	q.tell(&kept, from, now)
	return true
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
	l := s.lanes[r.Account]
	return l != nil && l.line.find(r) != nil
}

// enter notes that a message is on the way into its lane, for others that find it in
// the store.
func (q *Queue) enter(r *Record) {
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entering[r.ID] = struct{}{}
}

// turnBack notes that it is not any more.
func (q *Queue) turnBack(r *Record) {
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entering, r.ID)
}
