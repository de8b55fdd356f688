package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// A nil context is an error that says so.
func TestNilContext(t *testing.T) {
	t.Parallel()
	q := newQueue(t, policy.Unlimited(), always, queue.Options{Store: queue.NewMemory(10)})
	var none context.Context
	calls := map[string]func() error{
		"Run":     func() error { return q.Run(none) },
		"Step":    func() error { _, err := q.Step(none); return err },
		"Enqueue": func() error { _, err := q.Enqueue(none, hi(alice)); return err },
		"Send":    func() error { _, err := q.Send(none, hi(alice)); return err },
		"Get":     func() error { _, err := q.Get(none, "x"); return err },
		"List":    func() error { _, err := q.List(none, queue.Filter{}); return err },
		"Cancel":  func() error { _, err := q.Cancel(none, "x"); return err },
		"Hold":    func() error { return q.Hold(none, limiter.Target{Account: alice}, time.Time{}, "x") },
		"Release": func() error { _, err := q.Release(none, limiter.Target{Account: alice}); return err },
		"Refresh": func() error { return q.Refresh(none, alice) },
		"Resolve": func() error { _, err := q.Resolve(none, "x", queue.WentOut); return err },
		"Confirm": func() error { _, err := q.Confirm(none, alice, "x", queue.Receipt{}); return err },
		"Gates":   func() error { _, err := q.Gates(none, "x"); return err },
		"ETA":     func() error { _, err := q.ETA(none, "x"); return err },
		"wrapped": func() error {
			l, err := limiter.New(policy.Unlimited(), nil)
			require.NoError(t, err)
			_, err = queue.Wrap(always, l, nil).Send(none, hi(alice))
			return err
		},
	}
	for name, call := range calls {
		require.NotPanics(t, func() {
			err := call()
			require.ErrorContains(t, err, "context nil", name)
			if name != "wrapped" {
				require.ErrorIs(t, err, queue.ErrOption, name)
			}
		}, name)
	}
	id := enqueue(t, q, hi(alice))
	require.NoError(t, func() error { _, err := q.Step(t.Context()); return err }(), "nothing has stopped")
	require.Equal(t, queue.Sent, get(t, q, id).Status)
}
