package queue

import (
	"context"
	"fmt"
	"sync"
)

// A memory is the store that lives in the process. It keeps every message that
// is not done with, and the last few that are.
type memory struct {
	mu      sync.Mutex
	records map[string]*Record
	done    []string // the IDs done with: a ring once it is full
	oldest  int
	history int
}

func newMemory(history int) *memory {
	return &memory{records: make(map[string]*Record), history: history}
}

func (s *memory) Add(_ context.Context, r *Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.records[r.ID]; taken {
		return fmt.Errorf("%w: id %q is taken", ErrConflict, r.ID)
	}
	s.records[r.ID] = r
	return nil
}

func (s *memory) Begin(_ context.Context, r *Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change(r, func(from Status) bool { return from == Queued })
}

func (s *memory) Finish(_ context.Context, r *Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.change(r, func(from Status) bool { return !from.Final() }); err != nil {
		return err
	}
	s.forget(r.ID)
	return nil
}

// change replaces a message's record. It requires s.mu.
func (s *memory) change(r *Record, allows func(from Status) bool) error {
	kept, ok := s.records[r.ID]
	if !ok {
		return fmt.Errorf("%w: id %.64q", ErrUnknownMessage, r.ID)
	}
	if !allows(kept.Status) {
		return fmt.Errorf("%w: message %q is %s", ErrConflict, r.ID, kept.Status)
	}
	s.records[r.ID] = r
	return nil
}

// forget adds id to those done with and drops the one that was so longest. It
// requires s.mu.
func (s *memory) forget(id string) {
	if len(s.done) < s.history {
		s.done = append(s.done, id)
		return
	}
	if s.history > 0 {
		id, s.done[s.oldest] = s.done[s.oldest], id
		s.oldest = (s.oldest + 1) % s.history
	}
	delete(s.records, id)
}

func (s *memory) Get(_ context.Context, id string) (Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.records[id]; ok {
		found := *r
		found.Message = found.clone()
		return found, nil
	}
	return Record{}, fmt.Errorf("%w: id %.64q", ErrUnknownMessage, id)
}
