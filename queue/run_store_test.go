package queue_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// A stuck store does nothing at a method until its context ends, or for a day where it
// heeds none.
type stuck struct {
	queue.Store
	at     func(method string) bool
	heeds  bool
	called func()
}

func (s stuck) hang(ctx context.Context, method string) error {
	if !s.at(method) {
		return nil
	}
	s.called()
	if s.heeds {
		<-ctx.Done()
		return ctx.Err()
	}
	time.Sleep(24 * time.Hour)
	return errStore
}

func (s stuck) Change(ctx context.Context, r *queue.Record, p *queue.Pace) error {
	if err := s.hang(ctx, changes(r)); err != nil {
		return err
	}
	return s.Store.Change(ctx, r, p)
}

func (s stuck) Get(ctx context.Context, id string) (queue.Record, error) {
	if err := s.hang(ctx, "Get"); err != nil {
		return queue.Record{}, err
	}
	return s.Store.Get(ctx, id)
}

// A store that hangs holds up the end of Run for no longer than a sender that does.
func TestRun_StopWithStoreThatHangs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, at string
		heeds    bool
		took     time.Duration // at most
		left     bool
		status   queue.Status
	}{
		{"to read", "Get", true, 7 * time.Second, false, queue.Queued},
		{"to mark", "Begin", true, 7 * time.Second, false, queue.Queued},
		{"to record", "Finish", true, 10 * time.Second, false, queue.Sending},
		{"to read for long", "Get", false, 8 * time.Second, true, queue.Queued},
		{"to mark for long", "Begin", false, 8 * time.Second, true, queue.Queued},
		{"to record for long", "Finish", false, 10 * time.Second, true, queue.Sending},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var hangs atomic.Bool
				hangs.Store(true)
				var calls atomic.Int64
				store := queue.NewMemory(10)
				q := newQueue(t, policy.Unlimited(), always, queue.Options{StopWait: 7 * time.Second, Workers: 2, Store: stuck{
					store, func(method string) bool { return hangs.Load() && method == tt.at }, tt.heeds, func() { calls.Add(1) },
				}})
				id := enqueue(t, q, hi(alice))
				stop := run(q)
				time.Sleep(time.Minute)
				require.NotZero(t, calls.Load())
				start := time.Now()
				err := stop()
				require.LessOrEqual(t, time.Since(start), tt.took)
				if tt.left {
					require.ErrorIs(t, err, queue.ErrLeftOnWire)
				} else {
					require.NotErrorIs(t, err, queue.ErrLeftOnWire)
				}
				if tt.status == queue.Sending {
					require.Error(t, err, "its end is not recorded")
				}
				hangs.Store(false)
				r, err := store.Get(t.Context(), id)
				require.NoError(t, err)
				require.Equal(t, tt.status, r.Status)
				if !tt.heeds {
					time.Sleep(48 * time.Hour) // whatever comes of it
				}
				next := newQueue(t, policy.Unlimited(), always, queue.Options{Store: store})
				_, err = next.Step(t.Context())
				require.NoError(t, err)
				require.NotEqual(t, queue.Sending, get(t, next, id).Status)
				require.NotEqual(t, queue.Queued, get(t, next, id).Status)
			})
		})
	}
}

// A message whose context ends while it is being marked is not put on the wire, and
// waits.
func TestStep_DoneWhileMarking(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var d diary
	wire := 0
	q := newQueue(t, rules(policy.CalendarWindow{Max: 1, Unit: policy.Day}), queue.SenderFunc(func(ctx context.Context, _ queue.Message) (queue.Receipt, error) {
		wire++
		return queue.Receipt{}, ctx.Err()
	}), queue.Options{OnEvent: d.write, Store: breaking{queue.NewMemory(10), func(method string, done bool) {
		if method == "Begin" && done {
			cancel()
		}
	}}})
	id := enqueue(t, q, hi(alice))
	_, err := q.Step(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, wire)
	r := get(t, q, id)
	require.Equal(t, queue.Queued, r.Status)
	require.Zero(t, r.Attempts)
	_, err = q.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, queue.Sent, get(t, q, id).Status, "its budget was given back")
	require.Equal(t, 1, wire)
	d.check(t)
}

// A call that verifies and does not return holds its lane up no longer than one that
// sends.
func TestVerify_DoesNotReturn(t *testing.T) {
	t.Parallel()
	for name, heeds := range map[string]bool{"until its context ends": true, "for long": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var d diary
				var book logbook
				var asked atomic.Int64
				s := struct {
					queue.SenderFunc
					asks
				}{always, func(ctx context.Context, to string) (queue.Verification, error) {
					if n := asked.Add(1); to == bob && n <= 2 {
						if heeds {
							<-ctx.Done()
							return queue.Verification{}, ctx.Err()
						}
						time.Sleep(24 * time.Hour)
					}
					return queue.Verification{Registered: true}, nil
				}}
				q := newQueue(t, rules(policy.Concurrency{Max: 1}), s, queue.Options{SendTimeout: time.Minute, OnEvent: d.write, Logger: book.logger()})
				first, second := enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))
				other := enqueue(t, q, queue.Message{Account: alice, To: carol, Text: "hi"})
				start := time.Now()
				stop := run(q)
				time.Sleep(5 * time.Minute)
				require.Contains(t, book.String(), "the recipient could not be verified; the message waits")
				require.Equal(t, queue.Sent, get(t, q, other).Status)
				require.LessOrEqual(t, get(t, q, other).At.Sub(start), time.Minute+time.Second)
				require.Equal(t, queue.Sent, get(t, q, first).Status)
				require.Equal(t, queue.Sent, get(t, q, second).Status)
				require.True(t, get(t, q, first).At.Before(get(t, q, second).At) || get(t, q, first).At.Equal(get(t, q, second).At))
				require.Zero(t, q.Lanes())
				err := stop()
				if heeds {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, queue.ErrLeftOnWire)
					time.Sleep(48 * time.Hour)
				}
				d.check(t)
			})
		})
	}
}

type asks func(ctx context.Context, to string) (queue.Verification, error)

func (a asks) Verify(ctx context.Context, _, to string) (queue.Verification, error) {
	return a(ctx, to)
}
