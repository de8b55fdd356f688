package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wapace/wapace/queue"
)

func keys() []promise {
	return []promise{
		{"keys_repeat", "a key that an account has used names the first message", keysRepeat},
		{"keys_are_the_accounts", "accounts do not share keys", keysAreTheAccounts},
		{"keys_end", "a key is free again once its message was taken in at since or before", keysEnd},
		{"keys_outlast", "a key outlasts the end of its message, and a restart", keysOutlast},
		{"keys_at_once", "of messages with one key that come at once one is kept", keysAtOnce},
	}
}

// keyed is message n with a key.
func keyed(n int, account, key string) *queue.Record {
	r := record(n, account)
	r.Key = key
	return r
}

// addKeyed adds a message and wants an ID for it, which has to be known before where it
// is another's.
func (s *store) addKeyed(ctx context.Context, r *queue.Record, since time.Time, wantID string) error {
	if r.Key != "" {
		known, err := s.Keyed(ctx, r.Account, r.Key, since)
		if err != nil {
			return fmt.Errorf("Keyed: %w", err)
		}
		if wantKnown := strings.TrimPrefix(wantID, r.ID); known != wantKnown {
			return fmt.Errorf("Keyed of the key %q: got the ID %q, want %q", r.Key, known, wantKnown)
		}
	}
	given := copied(r)
	id, err := s.Add(ctx, &given, since)
	if err != nil {
		return fmt.Errorf("Add of %s: %w", r.ID, err)
	}
	if id != wantID {
		return fmt.Errorf("Add of %s with the key %q: got the ID %q, want %q", r.ID, r.Key, id, wantID)
	}
	return nil
}

func keysRepeat(ctx context.Context, s *store) error {
	first := keyed(1, alice, "k")
	if err := errors.Join(
		s.addKeyed(ctx, first, time.Time{}, "m1"),
		s.addKeyed(ctx, keyed(2, alice, "k"), time.Time{}, "m1"),
		s.addKeyed(ctx, keyed(3, alice, "K"), time.Time{}, "m3"),
		s.addKeyed(ctx, keyed(4, alice, ""), time.Time{}, "m4"),
		s.addKeyed(ctx, keyed(5, alice, ""), time.Time{}, "m5"),
	); err != nil {
		return err
	}
	if err := s.has(ctx, first); err != nil {
		return err
	}
	_, err := s.Get(ctx, "m2")
	return want("Get of a message that was not kept", err, queue.ErrUnknownMessage)
}

func keysAreTheAccounts(ctx context.Context, s *store) error {
	return errors.Join(
		s.addKeyed(ctx, keyed(1, alice, "k"), time.Time{}, "m1"),
		s.addKeyed(ctx, keyed(2, bob, "k"), time.Time{}, "m2"),
		s.addKeyed(ctx, keyed(3, alice, "k"), time.Time{}, "m1"),
		s.addKeyed(ctx, keyed(4, bob, "k"), time.Time{}, "m2"),
	)
}

func keysEnd(ctx context.Context, s *store) error {
	first, third := keyed(1, alice, "k"), keyed(3, alice, "k")
	return errors.Join(
		s.addKeyed(ctx, first, time.Time{}, "m1"),
		s.addKeyed(ctx, keyed(2, alice, "k"), first.Enqueued.Add(-1), "m1"),
		s.addKeyed(ctx, third, first.Enqueued, "m3"),
		s.addKeyed(ctx, keyed(4, alice, "k"), first.Enqueued, "m3"),
		s.addKeyed(ctx, keyed(5, alice, "k"), third.Enqueued.Add(time.Minute), "m5"),
	)
}

func keysOutlast(ctx context.Context, s *store) error {
	r := keyed(1, alice, "k")
	if err := s.addKeyed(ctx, r, time.Time{}, "m1"); err != nil {
		return err
	}
	if _, err := s.change(ctx, r, queue.Sending, queue.Sent); err != nil {
		return err
	}
	since := r.Enqueued.Add(-time.Hour)
	if err := s.addKeyed(ctx, keyed(2, alice, "k"), since, "m1"); err != nil {
		return err
	}
	s.restart()
	if err := s.addKeyed(ctx, keyed(3, alice, "k"), since, "m1"); err != nil {
		return fmt.Errorf("after a restart: %w", err)
	}
	return nil
}

func keysAtOnce(ctx context.Context, s *store) error {
	var got [crowd]string
	if err := together(func(i int) (err error) {
		got[i], err = s.Add(ctx, keyed(i+1, alice, "k"), time.Time{})
		return err
	}); err != nil {
		return err
	}
	for _, id := range got {
		if id != got[0] {
			return fmt.Errorf("Add returned the IDs %q for one key", got)
		}
	}
	page, err := s.List(ctx, queue.Filter{Limit: queue.MaxPage})
	if err != nil {
		return err
	}
	return same("the messages kept", ids(page), got[0])
}
