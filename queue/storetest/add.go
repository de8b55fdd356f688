package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wapace/wapace/queue"
)

func adding() []promise {
	return []promise{
		{"adds", "a message that was added is kept with every field", addsWhole},
		{"adds_once", "an ID is taken once", addsOnce},
		{"gets_unknown", "no message has an ID that was never given out", getsUnknown},
		{"shares_nothing", "what Get, List and Load return is the caller's to change", sharesNothing},
		{"keeps_a_copy", "a record that was given is the caller's to change", keepsACopy},
		{"adds_at_once", "all may add at once", addsAtOnce},
	}
}

func addsWhole(ctx context.Context, s *store) error {
	r := full(1, alice)
	bare := record(2, alice)
	if err := s.add(ctx, r, bare); err != nil {
		return err
	}
	return errors.Join(s.has(ctx, r), s.has(ctx, bare))
}

func addsOnce(ctx context.Context, s *store) error {
	first := record(1, alice)
	if err := s.add(ctx, first); err != nil {
		return err
	}
	second := full(1, bob)
	given := copied(second)
	_, err := s.Add(ctx, &given, time.Time{})
	if err := want("Add of an ID that is taken", err, queue.ErrConflict); err != nil {
		return err
	}
	if err := s.has(ctx, first); err != nil {
		return fmt.Errorf("after an Add of its ID: %w", err)
	}
	// What was not kept has not used its key up either.
	second.ID = "m2"
	return s.add(ctx, second)
}

func getsUnknown(ctx context.Context, s *store) error {
	if err := s.add(ctx, record(1, alice)); err != nil {
		return err
	}
	var errs []error
	for _, id := range []string{"", "m", "m2", "M1", "m1 "} {
		_, err := s.Get(ctx, id)
		errs = append(errs, want(fmt.Sprintf("Get of %q", id), err, queue.ErrUnknownMessage))
	}
	return errors.Join(errs...)
}

func keepsACopy(ctx context.Context, s *store) error {
	r := full(1, alice)
	given := copied(r)
	spoil := func() {
		given.Text, given.Err, given.Status, given.NotBefore = "spoilt", "spoilt", queue.Failed, time.Time{}
		given.Payload, given.Meta = nil, nil
	}
	if _, err := s.Add(ctx, &given, time.Time{}); err != nil {
		return err
	}
	spoil()
	if err := s.has(ctx, r); err != nil {
		return fmt.Errorf("after a change to what Add was given: %w", err)
	}
	r = next(r, queue.Sending)
	given = copied(r)
	if err := s.Change(ctx, &given, nil); err != nil {
		return err
	}
	spoil()
	if err := s.has(ctx, r); err != nil {
		return fmt.Errorf("after a change to what Change was given: %w", err)
	}
	return nil
}

func sharesNothing(ctx context.Context, s *store) error {
	r := full(1, alice)
	if err := s.add(ctx, r); err != nil {
		return err
	}
	spoil := func(got *queue.Record) {
		got.Text, got.Status = "spoilt", queue.Failed
		got.Payload[0] = 9
		got.Meta["order"] = "spoilt"
	}
	got, err := s.Get(ctx, r.ID)
	if err != nil {
		return err
	}
	spoil(&got)
	if err := s.has(ctx, r); err != nil {
		return fmt.Errorf("after a change to what Get returned: %w", err)
	}
	page, err := s.List(ctx, queue.Filter{Limit: 1})
	if err != nil || len(page) != 1 {
		return fmt.Errorf("List returned %d messages, want 1: %w", len(page), err)
	}
	spoil(&page[0])
	if err := s.has(ctx, r); err != nil {
		return fmt.Errorf("after a change to what List returned: %w", err)
	}
	saved, err := s.Load(ctx, time.Hour)
	if err != nil || len(saved.Waiting) != 1 {
		return fmt.Errorf("Load did not return the one message: %w", err)
	}
	spoil(saved.Waiting[0])
	if err := s.has(ctx, r); err != nil {
		return fmt.Errorf("after a change to what Load returned: %w", err)
	}
	return nil
}

// crowd is how many callers come at once.
const crowd = 8

// together calls do for 0 to crowd-1 at once and joins their errors.
func together(do func(i int) error) error {
	errs := make([]error, crowd)
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func addsAtOnce(ctx context.Context, s *store) error {
	const each = 10
	number := func(i, j int) int { return 1 + i*each + j }
	account := func(i int) string { return [...]string{alice, bob, carol}[i%3] }
	err := together(func(i int) error {
		for j := range each {
			if err := s.add(ctx, record(number(i, j), account(i))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range crowd {
		for j := range each {
			if err := s.has(ctx, record(number(i, j), account(i))); err != nil {
				return err
			}
		}
	}
	page, err := s.List(ctx, queue.Filter{Limit: queue.MaxPage})
	if err != nil || len(page) != crowd*each {
		return fmt.Errorf("List returned %d messages, want %d: %w", len(page), crowd*each, err)
	}
	return nil
}
