package queue

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/wapace/wapace/internal/mask"
)

// A guarded store answers a panic of the user's store with an error, which leaves open
// whether it did what it was asked.
type guarded struct {
	store Store
	log   *slog.Logger
}

func (g guarded) Load(ctx context.Context, keep time.Duration) (saved *Saved, err error) {
	defer g.rescue(&err)
	if saved, err = g.store.Load(ctx, keep); saved == nil && err == nil {
		saved = &Saved{}
	}
	return saved, err
}

func (g guarded) Add(ctx context.Context, r *Record, since time.Time) (id string, err error) {
	defer g.rescue(&err)
	return g.store.Add(ctx, r, since)
}

func (g guarded) Keyed(ctx context.Context, account, key string, since time.Time) (id string, err error) {
	defer g.rescue(&err)
	return g.store.Keyed(ctx, account, key, since)
}

func (g guarded) Change(ctx context.Context, r *Record, p *Pace) (err error) {
	defer g.rescue(&err)
	return g.store.Change(ctx, r, p)
}

func (g guarded) Keep(ctx context.Context, p *Pace) (err error) {
	defer g.rescue(&err)
	return g.store.Keep(ctx, p)
}

func (g guarded) Get(ctx context.Context, id string) (r Record, err error) {
	defer g.rescue(&err)
	return g.store.Get(ctx, id)
}

func (g guarded) List(ctx context.Context, f Filter) (page []Record, err error) {
	defer g.rescue(&err)
	return g.store.List(ctx, f)
}

func (g guarded) Attempts(ctx context.Context, account string, since time.Time) (all []Attempt, err error) {
	defer g.rescue(&err)
	return g.store.Attempts(ctx, account, since)
}

// rescue, deferred, makes an error of a panic.
func (g guarded) rescue(err *error) {
	if v := recover(); v != nil {
		said := mask.Text(plain(fmt.Sprint(v)))
		*err = fmt.Errorf("queue: the store panicked: %s", said)
		g.log.Error("the store panicked", "error", said, "stack", mask.Text(string(debug.Stack())))
	}
}

// A quietly handler loses what the user's handler panics at.
type quietly struct{ slog.Handler }

func (h quietly) Enabled(ctx context.Context, level slog.Level) (ok bool) {
	defer func() { _ = recover() }()
	return h.Handler.Enabled(ctx, level)
}

func (h quietly) Handle(ctx context.Context, r slog.Record) error {
	defer func() { _ = recover() }()
	return h.Handler.Handle(ctx, r)
}
