package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/wapace/wapace/queue"
)

func changing() []promise {
	return []promise{
		{"changes", "a change replaces every field", changesWhole},
		{"changes_in_turn", "a change of any version but the next does nothing", changesInTurn},
		{"changes_unknown", "what was never added cannot be changed", changesUnknown},
		{"changes_back", "a message that was done with may wait again", changesBack},
		{"changes_at_once", "of changes that come at once one is made", changesAtOnce},
		{"changes_last", "a change is there after a restart", changesLast},
	}
}

func changesWhole(ctx context.Context, s *store) error {
	r := record(1, alice)
	if err := s.add(ctx, r); err != nil {
		return err
	}
	changed := full(1, alice)
	changed.Key, changed.Version = r.Key, 2 // a key never changes
	given := copied(changed)
	if err := s.Change(ctx, &given, nil); err != nil {
		return err
	}
	return s.has(ctx, changed)
}

func changesInTurn(ctx context.Context, s *store) error {
	r := record(1, alice)
	if err := s.add(ctx, r); err != nil {
		return err
	}
	now, err := s.change(ctx, r, queue.Sending, queue.Queued)
	if err != nil {
		return err
	}
	for _, version := range []uint64{0, 1, 2, 3, 5, 1 << 40} {
		wrong := copied(now)
		wrong.Version, wrong.Status, wrong.Text = version, queue.Failed, "wrong"
		pace := pace(alice, "wrong")
		if err := want(fmt.Sprintf("Change to version %d of a message with version 3", version), s.Change(ctx, &wrong, &pace), queue.ErrConflict); err != nil {
			return err
		}
	}
	if err := s.has(ctx, now); err != nil {
		return err
	}
	saved, err := s.Load(ctx, keepFor)
	if err != nil {
		return err
	}
	if len(saved.Paces) > 0 {
		return errors.New("a change that was refused has kept its pace")
	}
	return nil
}

func changesUnknown(ctx context.Context, s *store) error {
	if err := s.add(ctx, record(1, alice)); err != nil {
		return err
	}
	r := next(record(2, alice), queue.Sending)
	pace := pace(alice, "wrong")
	if err := want("Change of an unknown message", s.Change(ctx, r, &pace), queue.ErrUnknownMessage); err != nil {
		return err
	}
	_, err := s.Get(ctx, r.ID)
	if err := want("Get of it", err, queue.ErrUnknownMessage); err != nil {
		return err
	}
	begun, err := s.Attempts(ctx, alice, epoch())
	if err != nil || len(begun) > 0 {
		return fmt.Errorf("it has %d attempts: %w", len(begun), err)
	}
	saved, err := s.Load(ctx, keepFor)
	if err != nil || len(saved.Paces) > 0 {
		return fmt.Errorf("its pace was kept: %w", err)
	}
	return nil
}

func changesBack(ctx context.Context, s *store) error {
	r := record(1, alice)
	if err := s.add(ctx, r); err != nil {
		return err
	}
	now, err := s.change(ctx, r, queue.Sending, queue.InDoubt, queue.Queued)
	if err != nil {
		return err
	}
	if err := s.has(ctx, now); err != nil {
		return err
	}
	saved, err := s.Load(ctx, keepFor)
	if err != nil || len(saved.Waiting) != 1 {
		return fmt.Errorf("Load returned %d messages, want the one that waits again: %w", len(saved.Waiting), err)
	}
	if now, err = s.change(ctx, now, queue.Sending, queue.Sent); err != nil {
		return err
	}
	return s.has(ctx, now)
}

func changesAtOnce(ctx context.Context, s *store) error {
	r := record(1, alice)
	if err := s.add(ctx, r); err != nil {
		return err
	}
	const rounds = 20
	for range rounds {
		made := make([]bool, crowd)
		if err := together(func(i int) error {
			changed := copied(r)
			changed.Version, changed.Text = r.Version+1, fmt.Sprint("from ", i)
			err := s.Change(ctx, &changed, nil)
			if made[i] = err == nil; made[i] {
				return nil
			}
			return want("Change", err, queue.ErrConflict)
		}); err != nil {
			return err
		}
		winner := ""
		for i, ok := range made {
			if ok && winner != "" {
				return errors.New("two changes to the same version were made")
			}
			if ok {
				winner = fmt.Sprint("from ", i)
			}
		}
		if winner == "" {
			return errors.New("of several changes to the next version none was made")
		}
		r.Version++
		r.Text = winner
		if err := s.has(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func changesLast(ctx context.Context, s *store) error {
	sent, failed, waits := record(1, alice), full(2, bob), record(3, alice)
	if err := s.add(ctx, sent, failed, waits); err != nil {
		return err
	}
	sent, err := s.change(ctx, sent, queue.Sending, queue.Sent)
	if err != nil {
		return err
	}
	if failed, err = s.change(ctx, failed, queue.Failed); err != nil {
		return err
	}
	s.restart()
	return errors.Join(s.has(ctx, sent), s.has(ctx, failed), s.has(ctx, waits))
}
