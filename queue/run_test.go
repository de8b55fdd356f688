package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

func TestRun_OutOfTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, policy.Unlimited(), always, queue.Options{})
		stop := run(q)
		synctest.Wait()
		require.ErrorIs(t, q.Run(t.Context()), queue.ErrRunning)
		_, err := q.Step(t.Context())
		require.ErrorIs(t, err, queue.ErrRunning)
		require.NoError(t, stop())

		require.ErrorIs(t, q.Run(t.Context()), queue.ErrStopped)
		_, err = q.Step(t.Context())
		require.ErrorIs(t, err, queue.ErrStopped)
		_, err = q.Enqueue(t.Context(), hi(alice))
		require.ErrorIs(t, err, queue.ErrStopped)
		_, err = q.Send(t.Context(), hi(alice))
		require.ErrorIs(t, err, queue.ErrStopped)
		require.Zero(t, q.Lanes())
	})
}

func TestRun_DoneContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		q := newQueue(t, policy.Unlimited(), always, queue.Options{})
		id := enqueue(t, q, hi(alice))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, q.Run(ctx))
		require.Equal(t, start, time.Now())
		require.Equal(t, queue.Queued, get(t, q, id).Status)
	})
}

func TestRun_AfterStep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &queuetest.Sender{}
		q := newQueue(t, policy.Strict(), s, queue.Options{Typing: quiet})
		for range 3 {
			enqueue(t, q, hi(alice))
		}
		next, err := q.Step(t.Context())
		require.NoError(t, err)
		require.Equal(t, time.Minute, next.Sub(start))
		stop := run(q)
		time.Sleep(time.Hour)
		require.NoError(t, stop())
		require.Equal(t, []time.Duration{time.Minute, time.Minute}, pauses(s.Log()))
	})
}

func TestRun_Workers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most, order := 0, 0, ""
		s := queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
			mu.Lock()
			now++
			most = max(most, now)
			order += m.Account
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return queue.Receipt{}, nil
		})
		q := newQueue(t, policy.Unlimited(), s, queue.Options{Workers: 3})
		for range 3 {
			for _, account := range []string{"a", "b", "c", "d", "e"} {
				enqueue(t, q, hi(account))
			}
		}
		start := time.Now()
		stop := run(q)
		time.Sleep(4*time.Second + time.Millisecond)
		synctest.Wait()
		require.Equal(t, 3, most)
		require.Len(t, order, 15, "no worker is idle while a message is due: 15 in 5 s")
		require.NoError(t, stop())
		require.Equal(t, 5*time.Second, time.Since(start))
		for _, account := range "abcde" {
			require.Contains(t, order[:6], string(account), "every lane has its turn before one has its second")
		}
	})
}

// stopping is a queue whose sender behaves as told, with one message of alice on
// the wire, one in line behind it and one of carol being typed, when it is
// stopped 5 s after the start.
type stopping struct {
	*queue.Queue
	diary               diary
	limiter             *limiter.Limiter
	onWire, line, typed string
	err                 error
	took                time.Duration
}

func stopWith(t *testing.T, send queue.SenderFunc, o queue.Options) *stopping {
	t.Helper()
	p := rules(policy.Concurrency{Max: 1})
	l, err := limiter.New(p, nil)
	require.NoError(t, err)
	s := &stopping{limiter: l}
	o.OnEvent, o.Limiter, o.Typing = s.diary.write, l, &queue.Typing{PerRune: 2 * time.Second, Max: time.Hour}
	s.Queue = newQueue(t, p, typist{send, func(context.Context, queue.Message, time.Duration) error { return nil }}, o)
	s.onWire = enqueue(t, s.Queue, queue.Message{Account: alice, To: bob, Text: "h"})
	s.line = enqueue(t, s.Queue, hi(alice))
	s.typed = enqueue(t, s.Queue, queue.Message{Account: carol, To: bob, Text: "hello"})
	stop := run(s.Queue)
	time.Sleep(5 * time.Second)
	require.Equal(t, queue.Sending, get(t, s.Queue, s.onWire).Status)
	asked := time.Now()
	s.err = stop()
	s.took = time.Since(asked)
	for _, id := range []string{s.line, s.typed} {
		require.Equal(t, queue.Queued, get(t, s.Queue, id).Status, "what was not on the wire stays queued")
		require.Equal(t, []queue.Status{queue.Queued}, s.diary.way(id))
	}
	return s
}

// busy reports whether alice's permit is not settled.
func (s *stopping) busy() bool {
	return s.limiter.Check(time.Now(), limiter.Request{Account: alice, Action: policy.SendMessage}).Answer == limiter.Busy
}

func TestRun_StopLetsSendsFinish(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := stopWith(t, func(ctx context.Context, _ queue.Message) (queue.Receipt, error) {
			time.Sleep(20 * time.Second)
			return queue.Receipt{ID: "w"}, ctx.Err()
		}, queue.Options{})
		require.NoError(t, s.err)
		require.Equal(t, 17*time.Second, s.took)
		require.Equal(t, queue.Sent, get(t, s.Queue, s.onWire).Status)
		require.False(t, s.busy())
		s.diary.check(t)
	})
}

func TestRun_StopCancelsAtLast(t *testing.T) {
	t.Parallel()
	slow := &queuetest.Sender{}
	slow.Otherwise(queuetest.Answer{Took: time.Hour})
	for wait, took := range map[time.Duration]time.Duration{0: 30 * time.Second, 7 * time.Second: 7 * time.Second, -1: 0} {
		t.Run(fmt.Sprint(wait), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := stopWith(t, slow.Send, queue.Options{StopWait: wait})
				require.NoError(t, s.err, "it returned when it was told to")
				require.Equal(t, took, s.took)
				r := get(t, s.Queue, s.onWire)
				require.Equal(t, queue.InDoubt, r.Status)
				require.Equal(t, "context canceled", r.Err)
				require.False(t, s.busy())
				s.diary.check(t)
			})
		})
	}
}

func TestRun_StopGivesUpAtLast(t *testing.T) {
	t.Parallel()
	for wait, took := range map[time.Duration]time.Duration{0: 31 * time.Second, 7 * time.Second: 8 * time.Second, -1: time.Second} {
		t.Run(fmt.Sprint(wait), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := stopWith(t, func(context.Context, queue.Message) (queue.Receipt, error) {
					time.Sleep(time.Hour)
					return queue.Receipt{ID: "late"}, nil
				}, queue.Options{StopWait: wait})
				require.ErrorIs(t, s.err, queue.ErrLeftOnWire)
				require.EqualError(t, s.err, "queue: stopped with calls that did not return; messages in doubt: 1")
				require.Equal(t, took, s.took)
				r := get(t, s.Queue, s.onWire)
				require.Equal(t, queue.InDoubt, r.Status)
				require.Equal(t, queue.SendUnknown, r.Code)
				require.Equal(t, "the sender did not return before the queue stopped", r.Err)
				require.Equal(t, time.Now(), r.Done)
				require.True(t, s.busy(), "it may still be on the wire")

				time.Sleep(2 * time.Hour)
				require.Equal(t, r, get(t, s.Queue, s.onWire), "its answer comes too late")
				require.Equal(t, []queue.Status{queue.Queued, queue.Sending, queue.InDoubt}, s.diary.way(s.onWire))
				require.False(t, s.busy(), "but its permit is given back")
			})
		})
	}
}

// A typist that heeds no context keeps no message back, but its call is left.
func TestRun_StopLeavesTyping(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, policy.Unlimited(), typist{always, func(context.Context, queue.Message, time.Duration) error {
			time.Sleep(time.Hour)
			return errors.New("late")
		}}, queue.Options{})
		id := enqueue(t, q, hi(alice))
		stop := run(q)
		time.Sleep(time.Minute)
		require.Equal(t, queue.Sent, get(t, q, id).Status)
		require.EqualError(t, stop(), "queue: stopped with calls that did not return; messages in doubt: 0")
		time.Sleep(time.Hour)
	})
}

func TestSend(t *testing.T) {
	t.Parallel()
	took := func(d time.Duration, err error) queue.SenderFunc {
		return func(ctx context.Context, _ queue.Message) (queue.Receipt, error) {
			select {
			case <-time.After(d):
				return queue.Receipt{ID: "w"}, err
			case <-ctx.Done():
				return queue.Receipt{}, ctx.Err()
			}
		}
	}
	tests := []struct {
		name   string
		send   queue.SenderFunc
		wait   time.Duration
		status queue.Status
		took   time.Duration
	}{
		{"sent", took(2*time.Second, nil), 0, queue.Sent, 2 * time.Second},
		{"failed", took(2*time.Second, errNo), 0, queue.Failed, 2 * time.Second},
		{"in doubt", took(2*time.Second, context.DeadlineExceeded), 0, queue.InDoubt, 2 * time.Second},
		{"slow", took(time.Minute, nil), 0, queue.Sending, 15 * time.Second},
		{"in no hurry", took(time.Minute, nil), time.Hour, queue.Sent, time.Minute},
		{"in a hurry", took(time.Minute, nil), time.Millisecond, queue.Sending, time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var d diary
				q := newQueue(t, policy.Unlimited(), tt.send, queue.Options{SendWait: tt.wait, OnEvent: d.write})
				stop := run(q)
				start := time.Now()
				r, err := q.Send(t.Context(), hi(alice))
				require.NoError(t, err)
				require.Equal(t, tt.status, r.Status)
				require.Equal(t, tt.took, time.Since(start))
				require.Equal(t, r, get(t, q, r.ID))
				require.Equal(t, r.Status, d.way(r.ID)[len(d.way(r.ID))-1], "it was told before")
				require.NoError(t, stop())
			})
		})
	}
}

func TestSend_DoesNotWait(t *testing.T) {
	t.Parallel()
	q := newQueue(t, policy.Unlimited(), always, queue.Options{SendWait: -1})
	r, err := q.Send(t.Context(), hi(alice))
	require.NoError(t, err)
	require.Equal(t, queue.Queued, r.Status)
	require.Equal(t, r, get(t, q, r.ID))
}

func TestSend_ContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, policy.Strict(), always, queue.Options{})
		stop := run(q)
		enqueue(t, q, hi(alice))
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		r, err := q.Send(ctx, hi(alice))
		require.NoError(t, err, "the message is in")
		require.Equal(t, queue.Queued, r.Status)
		require.Equal(t, 3*time.Second, time.Since(start))
		time.Sleep(2 * time.Minute)
		require.Equal(t, queue.Sent, get(t, q, r.ID).Status, "and goes on")
		require.NoError(t, stop())
	})
}

func TestSend_ReleasedByStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, policy.Strict(), always, queue.Options{SendWait: time.Hour})
		enqueue(t, q, hi(alice))
		stop := run(q)
		var senders sync.WaitGroup
		for range 10 {
			senders.Go(func() {
				r, err := q.Send(t.Context(), hi(alice))
				if err != nil || r.Status != queue.Queued || r.ID == "" {
					t.Errorf("Send: %v, %v", r, err)
				}
			})
		}
		time.Sleep(2 * time.Second)
		start := time.Now()
		require.NoError(t, stop())
		senders.Wait()
		require.Equal(t, start, time.Now())
	})
}

// A message that is done with is told even where no history is kept.
func TestSend_WithoutHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, policy.Unlimited(), always, queue.Options{History: -1})
		stop := run(q)
		r, err := q.Send(t.Context(), hi(alice))
		require.NoError(t, err)
		require.Equal(t, queue.Sent, r.Status)
		_, err = q.Get(t.Context(), r.ID)
		require.ErrorIs(t, err, queue.ErrUnknownMessage)
		require.NoError(t, stop())
	})
}

// Send tells what it knows where the store cannot be asked.
func TestSend_StoreFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		drive bool
		want  queue.Status
	}{
		{"it waits", false, queue.Queued},
		{"it is done with and forgotten", true, queue.Sent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q, driven := newQueue(t, policy.Unlimited(), always, queue.Options{SendWait: -1}), false
			q.SetStore(flaky{queue.NewMemory(0), func(method string) fault {
				if method != "Get" {
					return works
				}
				if driven {
					return works
				}
				if driven = tt.drive; driven {
					_, err := q.Step(t.Context())
					require.NoError(t, err)
				}
				return failsBefore
			}})
			r, err := q.Send(t.Context(), hi(alice))
			require.NoError(t, err)
			require.Equal(t, tt.want, r.Status)
			require.NotEmpty(t, r.ID)
			require.Equal(t, bob, r.To)
		})
	}
}

// A hundred years are waited for to the nanosecond.
func TestRun_LongWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		q := newQueue(t, rules(policy.Gap{Min: policy.MaxDuration, Max: policy.MaxDuration}), always, queue.Options{})
		enqueue(t, q, hi(alice))
		second := enqueue(t, q, hi(alice))
		stop := run(q)
		time.Sleep(policy.MaxDuration - time.Nanosecond)
		require.Equal(t, queue.Queued, get(t, q, second).Status)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, policy.MaxDuration, get(t, q, second).At.Sub(start))
		require.NoError(t, stop())
	})
}
