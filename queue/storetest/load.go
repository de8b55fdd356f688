package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/wapace/wapace/queue"
)

func loading() []promise {
	return []promise{
		{"loads_nothing", "an empty store has nothing to take up", loadsNothing},
		{"loads", "a queue takes up what is queued or sending, in order and with every field", loads},
		{"loads_last", "the highest order is known when its message is done with", loadsLast},
	}
}

func loadsNothing(ctx context.Context, s *store) error {
	saved, err := s.Load(ctx, keepFor)
	if err != nil {
		return err
	}
	if len(saved.Waiting) > 0 || len(saved.Paces) > 0 || saved.Last != 0 {
		return fmt.Errorf("Load returned %d messages, %d paces and the order %d", len(saved.Waiting), len(saved.Paces), saved.Last)
	}
	return nil
}

func loads(ctx context.Context, s *store) error {
	queued, sending, sent := full(1, alice), record(2, bob), record(3, alice)
	doubtful, retried, cancelled := record(4, carol), record(5, alice), record(6, alice)
	if err := s.add(ctx, cancelled, retried, doubtful, sent, sending, queued); err != nil {
		return err
	}
	var errs [5]error
	sending, errs[0] = s.change(ctx, sending, queue.Sending)
	_, errs[1] = s.change(ctx, sent, queue.Sending, queue.Sent)
	_, errs[2] = s.change(ctx, doubtful, queue.Sending, queue.InDoubt)
	retried, errs[3] = s.change(ctx, retried, queue.Sending, queue.Queued)
	_, errs[4] = s.change(ctx, cancelled, queue.Cancelled)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	s.restart()
	saved, err := s.Load(ctx, keepFor)
	if err != nil {
		return err
	}
	var names []string
	for _, r := range saved.Waiting {
		names = append(names, r.ID)
	}
	if err := same("Load", names, "m1", "m2", "m5"); err != nil {
		return err
	}
	if saved.Last != 6 {
		return fmt.Errorf("Load returned the last order %d, want 6", saved.Last)
	}
	return errors.Join(differ(saved.Waiting[0], queued), differ(saved.Waiting[1], sending), differ(saved.Waiting[2], retried))
}

func loadsLast(ctx context.Context, s *store) error {
	r := record(7, alice)
	if err := s.add(ctx, r); err != nil {
		return err
	}
	if _, err := s.change(ctx, r, queue.Cancelled); err != nil {
		return err
	}
	s.restart()
	saved, err := s.Load(ctx, keepFor)
	if err != nil {
		return err
	}
	if saved.Last != 7 || len(saved.Waiting) != 0 {
		return fmt.Errorf("Load returned %d messages and the last order %d, want 0 and 7", len(saved.Waiting), saved.Last)
	}
	return nil
}
