package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/queue"
)

func listing() []promise {
	return []promise{
		{"lists", "List returns what the filter lets through, newest first, up to its limit", lists},
		{"lists_pages", "pages neither repeat nor leave out, whatever comes in meanwhile", listsPages},
		{"lists_whole", "a listed record has every field", listsWhole},
	}
}

func (s *store) listed(ctx context.Context, f queue.Filter, want ...string) error {
	if f.Limit == 0 {
		f.Limit = queue.MaxPage
	}
	page, err := s.List(ctx, f)
	if err != nil {
		return fmt.Errorf("List of %+v: %w", f, err)
	}
	return same(fmt.Sprintf("List of %+v", f), ids(page), want...)
}

func lists(ctx context.Context, s *store) error {
	r1, r2, r3, r4 := record(1, alice), record(2, bob), record(3, alice), record(4, alice)
	r1.Campaign, r3.Campaign, r3.To, r4.WireID, r4.AskedTo = "spring", "autumn", carol, "w", carol
	if err := errors.Join(s.listed(ctx, queue.Filter{}), s.add(ctx, r2, r1, r4, r3)); err != nil {
		return err
	}
	if _, err := s.change(ctx, r1, queue.Sending, queue.Sent); err != nil {
		return err
	}
	if _, err := s.change(ctx, r2, queue.Cancelled); err != nil {
		return err
	}
	return errors.Join(
		s.listed(ctx, queue.Filter{}, "m4", "m3", "m2", "m1"),
		s.listed(ctx, queue.Filter{Limit: 2}, "m4", "m3"),
		s.listed(ctx, queue.Filter{Account: alice}, "m4", "m3", "m1"),
		s.listed(ctx, queue.Filter{Account: alice, Limit: 2}, "m4", "m3"),
		s.listed(ctx, queue.Filter{Account: bob, Limit: 1}, "m2"),
		s.listed(ctx, queue.Filter{Account: carol}),
		s.listed(ctx, queue.Filter{Campaign: "spring"}, "m1"),
		s.listed(ctx, queue.Filter{Campaign: "winter"}),
		s.listed(ctx, queue.Filter{To: carol}, "m4", "m3"),
		s.listed(ctx, queue.Filter{WireID: "w"}, "m4"),
		s.listed(ctx, queue.Filter{Statuses: []queue.Status{queue.Queued}}, "m4", "m3"),
		s.listed(ctx, queue.Filter{Statuses: []queue.Status{queue.Sent, queue.Cancelled}}, "m2", "m1"),
		s.listed(ctx, queue.Filter{Statuses: []queue.Status{queue.InDoubt}}),
		s.listed(ctx, queue.Filter{From: r3.Enqueued}, "m4", "m3"),
		s.listed(ctx, queue.Filter{From: r3.Enqueued.Add(1)}, "m4"),
		s.listed(ctx, queue.Filter{Until: r3.Enqueued}, "m2", "m1"),
		s.listed(ctx, queue.Filter{Until: r3.Enqueued.Add(1)}, "m3", "m2", "m1"),
		s.listed(ctx, queue.Filter{Before: 3}, "m2", "m1"),
		s.listed(ctx, queue.Filter{Before: 1}),
		s.listed(ctx, queue.Filter{Account: alice, Before: 4, Statuses: []queue.Status{queue.Queued}}, "m3"),
	)
}

func listsPages(ctx context.Context, s *store) error {
	const n, size = 23, 5
	for i := 1; i <= n; i++ {
		if err := s.add(ctx, record(i, alice)); err != nil {
			return err
		}
	}
	f := queue.Filter{Account: alice, Limit: size}
	expect := n
	for {
		page, err := s.List(ctx, f)
		if err != nil {
			return err
		}
		for i := range page {
			if want := fmt.Sprint("m", expect); page[i].ID != want {
				return fmt.Errorf("after %d messages List went on with %s, want %s", n-expect, page[i].ID, want)
			}
			expect--
		}
		if len(page) < size {
			break
		}
		f.Before = page[size-1].Order
		late := record(n+1+expect, alice)
		late.Enqueued = epoch().Add(time.Hour)
		if err := s.add(ctx, late); err != nil {
			return err
		}
	}
	if expect != 0 {
		return fmt.Errorf("List left %d messages out", expect)
	}
	return nil
}

func listsWhole(ctx context.Context, s *store) error {
	r := full(1, alice)
	if err := s.add(ctx, r); err != nil {
		return err
	}
	page, err := s.List(ctx, queue.Filter{Limit: 10})
	if err != nil || len(page) != 1 {
		return fmt.Errorf("List returned %d messages, want 1: %w", len(page), err)
	}
	return differ(&page[0], r)
}
