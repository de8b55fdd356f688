package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wapace/wapace/queue"
)

func paces() []promise {
	return []promise{
		{"paces", "a pace is kept by itself or with a change, in the place of the account's last", pacesReplace},
		{"paces_shared", "a pace of which only the portfolio's part is known is kept", pacesShared},
		{"paces_for_all", "there is one for each account, and one without an account", pacesForAll},
	}
}

func pace(account, snapshot string) queue.Pace {
	p := queue.Pace{Account: account, Snapshot: []byte(snapshot), At: epoch().Add(time.Nanosecond)}
	if account != "" {
		p.Portfolio, p.Shared = "portfolio", []byte(snapshot+" \x00 shared")
	}
	return p
}

// paced is an error unless the paces are the wanted ones, in any order.
func (s *store) paced(ctx context.Context, want ...queue.Pace) error {
	saved, err := s.Load(ctx, keepFor)
	if err != nil {
		return fmt.Errorf("Load: %w", err)
	}
	if len(saved.Paces) != len(want) {
		return fmt.Errorf("there are %d paces, want %d", len(saved.Paces), len(want))
	}
	for _, w := range want {
		i := slices.IndexFunc(saved.Paces, func(p queue.Pace) bool { return p.Account == w.Account })
		if i < 0 {
			return fmt.Errorf("account %q has no pace", w.Account)
		}
		if g := saved.Paces[i]; string(g.Snapshot) != string(w.Snapshot) || !g.At.Equal(w.At) {
			return fmt.Errorf("the pace of %q is %q of %v, want %q of %v", w.Account, g.Snapshot, g.At, w.Snapshot, w.At)
		} else if g.Portfolio != w.Portfolio || string(g.Shared) != string(w.Shared) || g.Version != w.Version {
			return fmt.Errorf("the pace of %q, version %d, is shared in %q: %q, want version %d, %q: %q",
				w.Account, g.Version, g.Portfolio, g.Shared, w.Version, w.Portfolio, w.Shared)
		}
	}
	return nil
}

func (s *store) keep(ctx context.Context, p queue.Pace) error {
	if err := s.Keep(ctx, &p); err != nil {
		return fmt.Errorf("Keep: %w", err)
	}
	return nil
}

func pacesReplace(ctx context.Context, s *store) error {
	r := record(1, alice)
	if err := errors.Join(s.paced(ctx), s.add(ctx, r), s.keep(ctx, pace(alice, "one\x00")), s.paced(ctx, pace(alice, "one\x00"))); err != nil {
		return err
	}
	with := pace(alice, "two")
	begun := next(r, queue.Sending)
	if err := s.Change(ctx, begun, &with); err != nil {
		return err
	}
	if err := s.paced(ctx, pace(alice, "two")); err != nil {
		return fmt.Errorf("with a change: %w", err)
	}
	if _, err := s.change(ctx, begun, queue.Sent); err != nil {
		return err
	}
	if err := s.paced(ctx, pace(alice, "two")); err != nil {
		return fmt.Errorf("after a change without one: %w", err)
	}
	if err := errors.Join(s.keep(ctx, pace(alice, "three")), s.paced(ctx, pace(alice, "three"))); err != nil {
		return err
	}
	s.restart()
	if err := s.paced(ctx, pace(alice, "three")); err != nil {
		return fmt.Errorf("after a restart: %w", err)
	}
	return nil
}

func pacesForAll(ctx context.Context, s *store) error {
	return errors.Join(
		s.keep(ctx, pace(bob, "bob's")), s.keep(ctx, pace("", "holds")), s.keep(ctx, pace(alice, "alice's")),
		s.paced(ctx, pace("", "holds"), pace(alice, "alice's"), pace(bob, "bob's")),
		s.keep(ctx, pace("", "other holds")),
		s.paced(ctx, pace("", "other holds"), pace(alice, "alice's"), pace(bob, "bob's")),
	)
}

func pacesShared(ctx context.Context, s *store) error {
	p := pace(alice, "")
	p.Snapshot, p.Version = nil, 7
	if err := errors.Join(s.keep(ctx, p), s.paced(ctx, p)); err != nil {
		return err
	}
	s.restart()
	if err := s.paced(ctx, p); err != nil {
		return fmt.Errorf("after a restart: %w", err)
	}
	return nil
}
