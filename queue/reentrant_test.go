package queue_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// A caller calls a queue from within all that the queue calls. It calls nothing while it
// does so.
type caller struct {
	t     *testing.T
	queue atomic.Pointer[queue.Queue]
	busy  atomic.Bool
	from  map[string]*atomic.Int64
}

// call calls everything, as the one that was called for a message of an account.
func (c *caller) call(from, account string) {
	q := c.queue.Load()
	if q == nil || !c.busy.CompareAndSwap(false, true) {
		return
	}
	defer c.busy.Store(false)
	c.from[from].Add(1)
	ctx := context.Background()
	check := func(err error) {
		if err != nil {
			c.t.Errorf("from %s: %v", from, err)
		}
	}
	all, err := q.List(ctx, queue.Filter{Account: account})
	check(err)
	for _, r := range all[:min(len(all), 20)] {
		_, err := q.Get(ctx, r.ID)
		check(err)
		_, err = q.ETA(ctx, r.ID)
		check(err)
		_, err = q.Gates(ctx, r.ID)
		check(err)
		if _, err := q.Resolve(ctx, r.ID, queue.WentOut); err == nil {
			c.t.Errorf("from %s: nothing is in doubt", from)
		}
		_, _ = q.Confirm(ctx, account, r.WireID, queue.Receipt{})
	}
	target := limiter.Target{Account: account, Campaign: "spring"}
	check(q.Hold(ctx, target, time.Time{}, "from within"))
	_, err = q.Release(ctx, target)
	check(err)
	id, err := q.Enqueue(ctx, queue.Message{Account: account, To: bob, Text: "from within"})
	check(err)
	came, err := q.Cancel(ctx, id)
	check(err)
	if came != queue.WasCancelled {
		c.t.Errorf("from %s: %s", from, came)
	}
	if from != "NewWireID" && from != "Portfolio" && from != "Known" && from != "OnEvent" && from != "log" { // those may be called with nobody at work
		if _, err := q.Step(ctx); err == nil {
			c.t.Errorf("from %s: Step stepped", from)
		}
	}
	q.Counters()
}

func (c *caller) Enabled(context.Context, slog.Level) bool { return true }

func (c *caller) Handle(context.Context, slog.Record) error {
	c.call("log", alice)
	return nil
}

func (c *caller) WithAttrs([]slog.Attr) slog.Handler { return c }

func (c *caller) WithGroup(string) slog.Handler { return c }

// No lock is held while the queue calls the user's code, which may call the queue.
func TestQueue_IsCalledFromWithin(t *testing.T) {
	t.Parallel()
	names := []string{"Send", "Typing", "Verify", "Connected", "Known", "log", "OnEvent", "NewWireID", "Portfolio"}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &caller{t: t, from: map[string]*atomic.Int64{}}
				for _, n := range names {
					c.from[n] = new(atomic.Int64)
				}
				only := func(from, account string) {
					if from == name {
						c.call(from, account)
					}
				}
				p := policy.Policy{Rules: []policy.Rule{
					{Name: "gap", Limit: policy.Gap{Min: time.Second, Max: time.Second}, Actions: []policy.Action{policy.SendMessage}},
					{Name: "new", Limit: policy.NewContacts{Max: 100, Window: time.Hour}},
					{Name: "all", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 1000, Window: time.Hour}},
				}}
				o := queue.Options{
					Workers: 3, Store: queue.NewMemory(1000),
					OnEvent:   func(e queue.Event) { only("OnEvent", e.Record.Account) },
					NewWireID: func(m queue.Message) string { only("NewWireID", m.Account); return "" },
					Portfolio: func(account string) string { only("Portfolio", account); return "all" },
				}
				if name == "log" {
					o.Logger = slog.New(c)
				}
				q := newQueue(t, p, within{c, name}, o)
				c.queue.Store(q)
				var ids []string
				for i := range 6 {
					ids = append(ids, enqueue(t, q, queue.Message{Account: []string{alice, carol}[i%2], To: number(i), Text: "hi"}))
				}
				stop := run(q)
				time.Sleep(10 * time.Minute)
				require.NoError(t, stop())
				require.NotZero(t, c.from[name].Load())
				for _, id := range ids {
					require.Equal(t, queue.Sent, get(t, q, id).Status)
				}
				require.Zero(t, q.Lanes())
			})
		})
	}
}

// within has a caller call from one method only.
type within struct {
	c    *caller
	name string
}

func (w within) call(name, account string) {
	if name == w.name {
		w.c.call(name, account)
	}
}

func (w within) Send(_ context.Context, m queue.Message) (queue.Receipt, error) {
	w.call("Send", m.Account)
	return queue.Receipt{}, nil
}

func (w within) Typing(_ context.Context, m queue.Message, _ time.Duration) error {
	w.call("Typing", m.Account)
	return errNo
}

func (w within) Verify(_ context.Context, account, _ string) (queue.Verification, error) {
	w.call("Verify", account)
	return queue.Verification{Registered: true}, nil
}

func (w within) Connected(account string) bool {
	w.call("Connected", account)
	return true
}

func (w within) Reconnected() <-chan string { return nil }

func (w within) Known(_ context.Context, account, _ string) (bool, error) {
	w.call("Known", account)
	return false, errNo
}

// A message that is being taken in is not too late to be cancelled, but too early.
func TestCancel_WhileTakenIn(t *testing.T) {
	t.Parallel()
	var q *queue.Queue
	q = newQueue(t, policy.Unlimited(), always, queue.Options{OnEvent: func(e queue.Event) {
		came, err := q.Cancel(context.Background(), e.Record.ID)
		if e.From == "" && e.Record.Status == queue.Queued {
			require.ErrorIs(t, err, queue.ErrConflict)
			require.Empty(t, came)
		}
	}})
	id := enqueue(t, q, hi(alice))
	came, err := q.Cancel(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, queue.WasCancelled, came)
}
