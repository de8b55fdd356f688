package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// unlessRepeated is an error that refuses a message, unless that is one which was taken
// in before with its key: then it is that one.
func (q *Queue) unlessRepeated(ctx context.Context, m *Message, done chan<- Record, refused error, now time.Time) (*Record, error) {
	if m.Account == "" || m.Key == "" || nameProblem("key", m.Key) != nil {
		return nil, refused
	}
	first, err := q.store.Keyed(ctx, m.Account, m.Key, now.Add(-q.options.KeepKeys))
	switch {
	case err != nil:
		return nil, fmt.Errorf("queue: enqueue: its key could not be looked up: %w", err) // so it may have been kept
	case first == "":
		return nil, refused
	}
	return q.repeated(ctx, m, first, done, now)
}

// repeated is what enqueueing a message comes to whose key was used before.
func (q *Queue) repeated(ctx context.Context, m *Message, first string, done chan<- Record, now time.Time) (*Record, error) {
	if done != nil {
		q.waiters.join(first, done)
	}
	kept, err := q.store.Get(ctx, first)
	if err == nil {
		_, err = q.adopt(ctx, &kept, "", now)
	}
	if errors.Is(err, ErrUnknownMessage) { // done with and forgotten
		kept, err = Record{Message: Message{ID: first, Account: m.Account, Key: m.Key}, Status: Sent}, nil
	}
	if done == nil {
		return &kept, err
	}
	if err == nil && kept.Status.Final() {
		q.waiters.tell(&kept)
	}
	if err != nil {
		q.waiters.leave(first, done)
	}
	return &kept, err
}
