package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/queue"
)

// keepFor is how long attempts have to be kept.
const keepFor = 24 * time.Hour

func attempts() []promise {
	return []promise{
		{"attempts", "an attempt begins where a message is sending and ends where it is not any more", attemptsFollow},
		{"attempts_by_account", "an account has its own attempts, in the order in which they began", attemptsByAccount},
		{"attempts_since", "attempts that ended by since are left out, those in flight are not", attemptsSince},
		{"attempts_last", "attempts outlast their message for as long as they are to be kept, and a restart", attemptsLast},
	}
}

// attempt is the one that a record describes.
func attempt(r *queue.Record) queue.Attempt {
	a := queue.Attempt{ID: r.ID, Account: r.Account, To: r.To, Campaign: r.Campaign, At: r.At, Done: r.Done, Status: r.Status}
	return a
}

// tried is an error unless an account's attempts after a time are the wanted ones.
func (s *store) tried(ctx context.Context, account string, since time.Time, want ...queue.Attempt) error {
	got, err := s.Attempts(ctx, account, since)
	if err != nil {
		return fmt.Errorf("Attempts: %w", err)
	}
	if len(got) != len(want) {
		return fmt.Errorf("Attempts returned %d, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if !g.At.Equal(w.At) || !g.Done.Equal(w.Done) {
			return fmt.Errorf("attempt %d was from %v to %v, want %v to %v", i, g.At, g.Done, w.At, w.Done)
		}
		g.At, g.Done = w.At, w.Done
		if g != w {
			return fmt.Errorf("attempt %d is %+v, want %+v", i, g, w)
		}
	}
	return nil
}

func (s *store) load(ctx context.Context) error {
	_, err := s.Load(ctx, keepFor)
	return err
}

func attemptsFollow(ctx context.Context, s *store) error {
	r := full(1, alice)
	r.At, r.Done = time.Time{}, time.Time{}
	if err := errors.Join(s.load(ctx), s.add(ctx, r), s.tried(ctx, alice, epoch())); err != nil {
		return err
	}
	begun, err := s.change(ctx, r, queue.Sending)
	if err != nil {
		return err
	}
	first := attempt(begun)
	if err := s.tried(ctx, alice, epoch(), first); err != nil {
		return fmt.Errorf("while it is sending: %w", err)
	}
	waits, err := s.change(ctx, begun, queue.Queued)
	if err != nil {
		return err
	}
	first.Done, first.Status = waits.Done, queue.Queued
	again, err := s.change(ctx, waits, queue.Sending)
	if err != nil {
		return err
	}
	if err := s.tried(ctx, alice, epoch(), first, attempt(again)); err != nil {
		return fmt.Errorf("while it is sending again: %w", err)
	}
	sent, err := s.change(ctx, again, queue.Sent)
	if err != nil {
		return err
	}
	if err := s.tried(ctx, alice, epoch(), first, attempt(sent)); err != nil {
		return fmt.Errorf("once it is sent: %w", err)
	}
	// A change that ends no attempt makes none.
	if _, err := s.change(ctx, sent, queue.Failed); err != nil {
		return err
	}
	return s.tried(ctx, alice, epoch(), first, attempt(sent))
}

func attemptsByAccount(ctx context.Context, s *store) error {
	var of [3][]queue.Attempt
	accounts := [...]string{alice, bob, carol}
	if err := s.load(ctx); err != nil {
		return err
	}
	for n := 1; n <= 12; n++ {
		r := record(n, accounts[n%3])
		if err := s.add(ctx, r); err != nil {
			return err
		}
		sent, err := s.change(ctx, r, queue.Sending, queue.Sent)
		if err != nil {
			return err
		}
		of[n%3] = append(of[n%3], attempt(sent))
	}
	var errs []error
	for i, account := range accounts {
		errs = append(errs, s.tried(ctx, account, epoch(), of[i]...))
	}
	return errors.Join(append(errs, s.tried(ctx, "447700900009", epoch()))...)
}

func attemptsSince(ctx context.Context, s *store) error {
	if err := s.load(ctx); err != nil {
		return err
	}
	open, first, second := record(1, alice), record(2, alice), record(3, alice)
	if err := s.add(ctx, open, first, second); err != nil {
		return err
	}
	open, err := s.change(ctx, open, queue.Sending)
	if err != nil {
		return err
	}
	if first, err = s.change(ctx, first, queue.Sending, queue.Sent); err != nil {
		return err
	}
	if second, err = s.change(ctx, second, queue.Sending, queue.Failed); err != nil {
		return err
	}
	return errors.Join(
		s.tried(ctx, alice, first.Done.Add(-1), attempt(open), attempt(first), attempt(second)),
		s.tried(ctx, alice, first.Done, attempt(open), attempt(second)),
		s.tried(ctx, alice, second.Done, attempt(open)),
	)
}

func attemptsLast(ctx context.Context, s *store) error {
	if err := s.load(ctx); err != nil {
		return err
	}
	// More messages than most stores keep when they are done with, over half the
	// time that attempts are kept for.
	const n = 300
	var want []queue.Attempt
	for i := 1; i <= n; i++ {
		r := record(i, alice)
		r.Enqueued = epoch().Add(time.Duration(i) * keepFor / (2 * n))
		if err := s.add(ctx, r); err != nil {
			return err
		}
		sent, err := s.change(ctx, r, queue.Sending, queue.Sent)
		if err != nil {
			return err
		}
		want = append(want, attempt(sent))
	}
	if err := s.tried(ctx, alice, epoch(), want...); err != nil {
		return err
	}
	s.restart()
	if err := errors.Join(s.load(ctx), s.tried(ctx, alice, epoch(), want...)); err != nil {
		return fmt.Errorf("after a restart: %w", err)
	}
	return nil
}
