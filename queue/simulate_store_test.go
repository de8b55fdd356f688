package queue_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/queue"
)

// errPower says that a call of the store was not made, or that nobody heard of it.
var errPower = errors.New("the power failed")

// A shaky store is a life's. It fails, before it has done what it was asked or after,
// and may never answer again.
type shaky struct{ *life }

// do makes a call, or not, and says how that went.
func (s shaky) do(method string, call func() error) error {
	w := s.world
	w.mu.Lock()
	if s.dead {
		w.mu.Unlock()
		return errPower
	}
	if w.quiet {
		w.mu.Unlock()
		return call()
	}
	fails, before := w.dice.IntN(100) < w.failing, w.dice.IntN(2) == 0
	dies := w.dice.IntN(1000) < w.deadly
	var slow time.Duration
	if w.dice.IntN(20) == 0 && (method == "Begin" || method == "Finish") {
		slow = time.Duration(w.dice.Int64N(int64(3 * time.Second)))
	}
	if dies && before {
		s.kill(method)
		w.mu.Unlock()
		return errPower
	}
	w.mu.Unlock()
	if slow > 0 {
		w.pass(slow)
	}
	if fails && before {
		return fmt.Errorf("%s: %w", method, errStore)
	}
	err := call()
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case dies:
		s.kill(method)
		return errPower
	case fails && err == nil:
		return fmt.Errorf("%s: %w", method, errStore)
	}
	return err
}

func (s shaky) Load(ctx context.Context, keep time.Duration) (saved *queue.Saved, err error) {
	err = s.do("Load", func() error {
		saved, err = s.store.Load(ctx, keep)
		return err
	})
	return saved, err
}

func (s shaky) Add(ctx context.Context, r *queue.Record, since time.Time) (id string, err error) {
	err = s.do("Add", func() error {
		id, err = s.store.Add(ctx, r, since)
		if err == nil && id == r.ID {
			s.added(r)
		}
		return err
	})
	return id, err
}

func (s shaky) Keyed(ctx context.Context, account, key string, since time.Time) (id string, err error) {
	err = s.do("Keyed", func() error {
		id, err = s.store.Keyed(ctx, account, key, since)
		return err
	})
	return id, err
}

func (s shaky) Change(ctx context.Context, r *queue.Record, p *queue.Pace) error {
	if r.Status == queue.Sending {
		s.began(r)
	}
	return s.do(changes(r), func() error {
		err := s.store.Change(ctx, r, p)
		if err == nil && p != nil {
			s.kept(p, false)
		}
		return err
	})
}

func (s shaky) Keep(ctx context.Context, p *queue.Pace) error {
	return s.do("Keep", func() error {
		s.kept(p, true)
		return s.store.Keep(ctx, p)
	})
}

func (s shaky) Get(ctx context.Context, id string) (r queue.Record, err error) {
	err = s.do("Get", func() error {
		r, err = s.store.Get(ctx, id)
		return err
	})
	return r, err
}

func (s shaky) List(ctx context.Context, f queue.Filter) (page []queue.Record, err error) {
	err = s.do("List", func() error {
		page, err = s.store.List(ctx, f)
		return err
	})
	return page, err
}

func (s shaky) Attempts(ctx context.Context, account string, since time.Time) ([]queue.Attempt, error) {
	return s.store.Attempts(ctx, account, since)
}
