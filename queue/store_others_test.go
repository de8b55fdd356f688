package queue_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// change makes a record the next version of itself.
func change(s queue.Store, r *queue.Record) error {
	r.Version++
	return s.Change(context.Background(), r, nil)
}

// The store says that a message is somebody else's now, or is gone. It is left to
// them, and the lane goes on.
func TestStore_TakenByOthers(t *testing.T) {
	t.Parallel()
	begin := func(s queue.Store, r *queue.Record) error {
		r.Status = queue.Sending
		return change(s, r)
	}
	end := func(s queue.Store, r *queue.Record) error {
		r.Status = queue.Failed
		return change(s, r)
	}
	tests := []struct {
		name   string
		faults []fault // of Begin, before it was taken
		take   func(s queue.Store, r *queue.Record) error
		want   queue.Status
	}{
		{"begun", nil, begin, queue.Sending},
		{"ended", nil, end, queue.Failed},
		{"ended after a Begin that failed", []fault{failsBefore}, end, queue.Failed},
		{"ended after a Begin that failed and did it", []fault{failsAfter}, end, queue.Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := shake(t, 10, map[string][]fault{"Begin": tt.faults})
			first, second := s.Enqueue(alice, bob, "1"), s.Enqueue(alice, bob, "2")
			s.step(t)
			s.Clock.Advance(5 * time.Second)
			for range tt.faults {
				s.step(t)
				s.Clock.Advance(time.Second)
			}
			r := get(t, s.Queue, first)
			require.NoError(t, tt.take(s.store, &r))
			s.Drain(time.Hour)
			require.Equal(t, tt.want, get(t, s.Queue, first).Status)
			require.Equal(t, queue.Sent, get(t, s.Queue, second).Status)
			require.Len(t, s.Sender.Sent(), 1)
			require.Contains(t, s.book.String(), "a message is not the queue's to send any more")
			require.Zero(t, s.Queue.Lanes())
		})
	}
}

// A message that was ended by somebody else while it was on the wire keeps their
// end.
func TestStore_EndedByOthers(t *testing.T) {
	t.Parallel()
	s := shake(t, 10, nil)
	id := s.Enqueue(alice, bob, "1")
	s.step(t)
	s.Clock.Advance(5 * time.Second)
	var ended queue.Record
	s.Queue.SetStore(flaky{s.store, func(method string) fault {
		if method == "Finish" && ended.ID == "" {
			ended = get(t, s.Queue, id)
			ended.Status, ended.Code, ended.Err = queue.InDoubt, queue.SendUnknown, "taken over"
			require.NoError(t, change(s.store, &ended))
		}
		return works
	}})
	s.Drain(time.Minute)
	require.Equal(t, ended, get(t, s.Queue, id))
	require.Equal(t, []queue.Record{ended}, s.diary.ended())
}

func TestStore_Gone(t *testing.T) {
	t.Parallel()
	s := shake(t, 10, nil)
	s.Enqueue(alice, bob, "1")
	s.Queue.SetStore(queue.NewMemory(10)) // knows nothing of it
	second := s.Enqueue(alice, bob, "2")
	s.eachSentOnce(t, second)
	require.Contains(t, s.book.String(), "a message is not the queue's to send any more")
}

// A stop records what could not be recorded before.
func TestStore_StopRecords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		heals time.Duration // after the stop
		wait  time.Duration
		took  time.Duration
		fails bool
	}{
		{"it heals", 5 * time.Second, 0, 5 * time.Second, false},
		{"it does not heal", time.Hour, 0, 30 * time.Second, true},
		{"no time to heal", time.Hour, -1, 0, true},
		{"it has healed", 0, -1, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				healed := time.Now().Add(time.Minute + tt.heals)
				var d diary
				q := newQueue(t, policy.Unlimited(), always, queue.Options{StopWait: tt.wait, OnEvent: d.write})
				q.SetStore(flaky{queue.NewMemory(100), func(method string) fault {
					if method == "Finish" && time.Now().Before(healed) {
						return failsBefore
					}
					return works
				}})
				first, second, third := enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice)), enqueue(t, q, hi(carol))
				stop := run(q)
				time.Sleep(time.Minute - time.Millisecond)
				require.Equal(t, queue.Sending, get(t, q, first).Status)
				time.Sleep(time.Millisecond)
				asked := time.Now()
				err := stop()
				require.Equal(t, tt.took, time.Since(asked))
				want := queue.Sent
				if tt.fails {
					want = queue.Sending
					require.ErrorIs(t, err, errStore)
					require.ErrorContains(t, err, "queue: stopped with messages whose end could not be recorded")
				} else {
					require.NoError(t, err)
				}
				require.Equal(t, want, get(t, q, first).Status)
				require.Equal(t, want, get(t, q, third).Status)
				if tt.heals > 0 {
					require.Equal(t, queue.Queued, get(t, q, second).Status)
				}
				d.check(t)
			})
		})
	}
}

// A message whose recording hangs is not on the wire, and does not get there once
// Run has returned.
func TestStore_StopWhileBeginHangs(t *testing.T) {
	t.Parallel()
	for _, heeds := range []bool{true, false} {
		t.Run(fmt.Sprint("heeds its context: ", heeds), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var d diary
				s := &queuetest.Sender{}
				p := rules(policy.Concurrency{Max: 1})
				l, err := limiter.New(p, nil)
				require.NoError(t, err)
				q := newQueue(t, p, s, queue.Options{Typing: quiet, OnEvent: d.write, Limiter: l})
				q.SetStore(hanging{queue.NewMemory(100), heeds})
				id := enqueue(t, q, hi(alice))
				stop := run(q)
				time.Sleep(time.Second)
				err = stop()
				if heeds {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, queue.ErrLeftOnWire)
				}
				time.Sleep(2 * time.Hour)
				require.Empty(t, s.Sent())
				require.Equal(t, limiter.Allowed, l.Check(time.Now(), limiter.Request{Account: alice, Action: policy.SendMessage}).Answer)
				for _, status := range d.way(id) {
					require.False(t, status.Final())
				}
			})
		})
	}
}

// A hanging store takes an hour to begin.
type hanging struct {
	queue.Store
	heeds bool // its context
}

func (s hanging) Change(ctx context.Context, r *queue.Record, p *queue.Pace) error {
	if changes(r) != "Begin" {
		return s.Store.Change(ctx, r, p)
	}
	done := ctx.Done()
	if !s.heeds {
		done = nil
	}
	select {
	case <-time.After(time.Hour):
		return s.Store.Change(ctx, r, p)
	case <-done:
		return ctx.Err()
	}
}
