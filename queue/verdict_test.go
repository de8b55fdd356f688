package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A knower is a sender that knows its contacts.
type knower struct {
	*queuetest.Sender
	known map[string]bool
}

func (k knower) Known(_ context.Context, _, to string) (bool, error) { return k.known[to], nil }

func TestVerdict_IsAnError(t *testing.T) {
	t.Parallel()
	for _, v := range []*queue.Verdict{queue.Retry(errNo, 0), queue.Hold(errNo, limiter.Target{}, time.Time{}), queue.Drop(errNo), queue.Offline(errNo), queue.Unknown(errNo)} {
		require.EqualError(t, v, errNo.Error())
		require.ErrorIs(t, v, errNo)
		v.Err = nil
		require.EqualError(t, v, "queue: "+string(v.Do))
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	wrapped := func(v *queue.Verdict) error { return fmt.Errorf("send: %w", errors.Join(errors.New("x"), v)) }
	tests := []struct {
		name     string
		err      error
		status   queue.Status
		code     queue.Code
		attempts int
		spent    bool
	}{
		{"retry", wrapped(queue.Retry(errNo, time.Hour)), queue.Queued, queue.SendRefused, 1, true},
		{"retry of what was not sent", queue.Retry(queue.ErrUnsent, time.Hour), queue.Queued, queue.SendRefused, 0, false},
		{"hold", wrapped(queue.Hold(errNo, limiter.Target{Recipient: bob}, queuetest.Epoch().Add(24*time.Hour))), queue.Queued, queue.SendRefused, 1, true},
		{"drop", wrapped(queue.Drop(errNo)), queue.Failed, queue.SendFailed, 1, true},
		{"drop with a code", &queue.Verdict{Do: queue.DoDrop, Code: queue.RecipientNotFound}, queue.Failed, queue.RecipientNotFound, 1, true},
		{"offline", wrapped(queue.Offline(errNo)), queue.Queued, queue.NotConnected, 0, false},
		{"in doubt", wrapped(queue.Unknown(errNo)), queue.InDoubt, queue.SendUnknown, 1, true},
		{"in doubt whatever it wraps", queue.Unknown(queue.ErrUnsent), queue.InDoubt, queue.SendUnknown, 1, true},
		{"unknown", &queue.Verdict{Do: "dance"}, queue.InDoubt, queue.SendUnknown, 1, true},
		{"drop of a deadline", queue.Drop(context.DeadlineExceeded), queue.Failed, queue.SendFailed, 1, true},
		{"nil verdict", (*queue.Verdict)(nil), queue.Failed, queue.SendFailed, 1, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := rules(policy.CalendarWindow{Max: 2, Unit: policy.Day})
			l, err := limiter.New(p, nil)
			require.NoError(t, err)
			var d diary
			h := queuetest.NewOptions(t, p, &queue.Options{Typing: quiet, Limiter: l, OnEvent: d.write})
			h.Sender.Script(queuetest.Answer{Err: tt.err})
			id := h.Enqueue(alice, bob, "hi")
			step(t, h)
			r := get(t, h.Queue, id)
			require.Equal(t, tt.status, r.Status)
			require.Equal(t, tt.code, r.Code)
			require.Equal(t, tt.attempts, r.Attempts)
			require.Equal(t, []queue.Status{queue.Queued, queue.Sending, tt.status}, d.way(id))
			left := l.Check(h.Clock.Now(), limiter.Request{Account: alice, Action: policy.SendMessage, Recipient: carol}).Remaining
			require.Equal(t, tt.spent, left == 0)
			d.check(t)
		})
	}
}

// The times of a message that is refused each time: any time up to 5 s, 10 s, 20 s
// and so on after the one before, at least what the sender asked for.
func TestRetry_Backoff(t *testing.T) {
	t.Parallel()
	for _, floor := range []time.Duration{0, 7 * time.Second, -1} {
		var all [][]time.Duration
		for seed := range uint64(40) {
			h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet, Seed: seed + 1, MaxAttempts: 9})
			h.Sender.Otherwise(queuetest.Answer{Err: queue.Retry(errNo, floor)})
			id := h.Enqueue(alice, bob, "hi")
			h.Drain(24 * time.Hour)
			r := get(t, h.Queue, id)
			require.Equal(t, queue.Failed, r.Status)
			require.Equal(t, queue.TooManyAttempts, r.Code)
			require.Equal(t, errNo.Error(), r.Err)
			require.Equal(t, 9, r.Attempts)
			log := h.Sender.Log()
			require.Len(t, log, 9)
			var waits []time.Duration
			for i := 1; i < len(log); i++ {
				wait := log[i].At.Sub(log[i-1].Done)
				most := min(5*time.Second<<(i-1), 5*time.Minute)
				require.GreaterOrEqual(t, wait, max(floor, 0))
				require.LessOrEqual(t, wait, max(most, floor))
				waits = append(waits, wait)
			}
			all = append(all, waits)
		}
		require.NotEqual(t, all[0], all[1], "the seed decides")
		var sum time.Duration
		for _, waits := range all {
			sum += waits[7]
		}
		require.InDelta(t, 150, (sum / 40).Seconds(), 50, "full jitter")
	}
}

// One that is tried again is not overtaken by those behind it, and holds up nobody
// else.
func TestRetry_KeepsOrder(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet, Width: 3})
	h.Sender.Script(queuetest.Answer{Err: queue.Retry(errNo, time.Minute)}, queuetest.Answer{Err: queue.Retry(errNo, time.Minute)})
	h.Enqueue(alice, bob, "1")
	h.Enqueue(alice, bob, "2")
	h.Enqueue(alice, carol, "3")
	h.Enqueue(alice, carol, "4")
	h.Enqueue(alice, number(1), "5")
	h.Drain(2 * time.Minute)
	require.Equal(t, []string{"1", "3", "5", "1", "2", "3", "4"}, texts(h.Sender.Sent()))
}

// The longest waits there are do not overflow.
func TestRetry_Saturates(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet, MaxAttempts: 1 << 30, Backoff: &queue.Backoff{First: time.Hour, Most: 1<<63 - 1}})
	h.Sender.Otherwise(queuetest.Answer{Err: queue.Retry(errNo, 1<<63-1)})
	h.Enqueue(alice, bob, "hi")
	next := step(t, h)
	require.Greater(t, next.Sub(queuetest.Epoch()), 100*365*24*time.Hour)
	require.Len(t, h.Sender.Sent(), 1)
}

func TestHold_Verdict(t *testing.T) {
	t.Parallel()
	hour := queuetest.Epoch().Add(time.Hour)
	tests := []struct {
		name   string
		target limiter.Target
		until  time.Time
		want   []string // what goes before the hold is over
	}{
		{"account", limiter.Target{}, hour, []string{"1", "other account"}},
		{"recipient", limiter.Target{Recipient: bob}, hour, []string{"1", "other account", "to carol", "campaign to carol"}},
		{"campaign", limiter.Target{Campaign: "spring"}, hour, []string{"1", "other account", "2", "to carol", "1"}},
		{"over", limiter.Target{}, queuetest.Epoch(), []string{"1", "other account", "campaign", "to carol", "campaign to carol", "1", "2"}},
		{"without an end", limiter.Target{Recipient: bob}, time.Time{}, []string{"1", "other account", "to carol", "campaign to carol"}},
		{"another account", limiter.Target{Account: "other"}, hour, []string{"1", "campaign", "to carol", "campaign to carol", "1", "2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var book logbook
			h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet, Logger: book.logger()})
			h.Sender.Script(queuetest.Answer{Err: queue.Hold(errors.New("463 for "+bob), tt.target, tt.until)})
			send := func(m queue.Message) { enqueue(t, h.Queue, m) }
			send(queue.Message{Account: alice, To: bob, Text: "1"})
			send(queue.Message{Account: alice, To: bob, Text: "2"})
			send(queue.Message{Account: alice, To: carol, Text: "to carol"})
			step(t, h) // the first is refused
			send(queue.Message{Account: alice, To: bob, Text: "campaign", Campaign: "spring"})
			send(queue.Message{Account: alice, To: carol, Text: "campaign to carol", Campaign: "spring"})
			send(queue.Message{Account: "other", To: bob, Text: "other account"})
			for at := step(t, h); !at.IsZero() && at.Before(hour); at = step(t, h) {
				h.Clock.Set(at)
			}
			require.ElementsMatch(t, tt.want, texts(h.Sender.Sent()))
			require.NotContains(t, book.String(), bob)
			if tt.until.Equal(hour) {
				h.Clock.Set(hour)
				h.Drain(time.Minute)
				require.Len(t, h.Sender.Sent(), 7)
			}
		})
	}
}

func TestSendTimeout(t *testing.T) {
	t.Parallel()
	for _, heeds := range []bool{true, false} {
		t.Run(fmt.Sprint("heeds its context: ", heeds), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var book logbook
				var d diary
				release := make(chan struct{})
				var calls atomic.Int64
				q := newQueue(t, sevenSeconds(), queue.SenderFunc(func(ctx context.Context, _ queue.Message) (queue.Receipt, error) {
					if calls.Add(1) > 1 {
						return queue.Receipt{}, nil
					}
					if !heeds {
						<-release
						return queue.Receipt{}, nil
					}
					<-ctx.Done()
					return queue.Receipt{}, ctx.Err()
				}), queue.Options{SendTimeout: time.Minute, Logger: book.logger(), OnEvent: d.write})
				first, second := enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))
				stop := run(q)
				time.Sleep(time.Hour)
				r := get(t, q, first)
				require.Equal(t, queue.InDoubt, r.Status)
				ended := time.Minute
				if !heeds {
					ended += time.Second
					require.Equal(t, "the sender did not return in 1m0s", r.Err)
					require.Contains(t, book.String(), "the sender does not return")
				}
				require.Equal(t, ended, r.Done.Sub(start))
				require.Equal(t, ended+7*time.Second, get(t, q, second).At.Sub(start), "the lane goes on")
				close(release)
				synctest.Wait()
				require.NoError(t, stop())
				require.Equal(t, queue.InDoubt, get(t, q, first).Status, "what it says then comes too late")
				d.check(t)
			})
		})
	}
}

// A message that is given up on the wire was one attempt, also where it was recorded as
// sending only after a store that failed.
func TestSendTimeout_AfterAStoreThatFailed(t *testing.T) {
	t.Parallel()
	for _, fails := range []fault{failsBefore, failsAfter} {
		t.Run(fmt.Sprint("fault ", fails), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				release := make(chan struct{})
				var begins atomic.Int64
				q := newQueue(t, policy.Unlimited(), queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
					<-release
					return queue.Receipt{}, nil
				}), queue.Options{
					SendTimeout: time.Minute, Store: flaky{queue.NewMemory(10), func(method string) fault {
						if method == "Begin" && begins.Add(1) == 1 {
							return fails
						}
						return works
					}},
				})
				id := enqueue(t, q, hi(alice))
				stop := run(q)
				time.Sleep(time.Hour)
				r := get(t, q, id)
				require.Equal(t, queue.InDoubt, r.Status)
				require.Equal(t, 1, r.Attempts)
				require.WithinRange(t, r.At, start, start.Add(10*time.Second))
				close(release)
				require.NoError(t, stop())
			})
		})
	}
}

func TestInDoubt_ResentOnce(t *testing.T) {
	t.Parallel()
	var d diary
	h := queuetest.NewOptions(t, sevenSeconds(), &queue.Options{Typing: quiet, OnEvent: d.write})
	m := hi(alice)
	m.WireID, m.InDoubt = "w1", queue.ResendInDoubt
	h.Sender.Otherwise(queuetest.Answer{Panic: "no session"})
	id := enqueue(t, h.Queue, m)
	h.Drain(time.Hour)
	require.Len(t, h.Sender.Sent(), 2)
	require.Equal(t, "w1", h.Sender.Sent()[0].WireID)
	require.Equal(t, "w1", h.Sender.Sent()[1].WireID)
	require.Equal(t, []queue.Status{queue.Queued, queue.Sending, queue.Queued, queue.Sending, queue.InDoubt}, d.way(id))
	r := get(t, h.Queue, id)
	require.True(t, r.Resent)
	require.Equal(t, 2, r.Attempts)
	d.check(t)
}

func TestResolve(t *testing.T) {
	t.Parallel()
	tests := []struct {
		how  queue.Resolution
		want queue.Status
		code queue.Code
		sent int
	}{
		{queue.WentOut, queue.Sent, "", 1},
		{queue.GiveUp, queue.Failed, queue.GivenUp, 1},
		{queue.Resend, queue.Sent, "", 2},
	}
	for _, tt := range tests {
		t.Run(string(tt.how), func(t *testing.T) {
			t.Parallel()
			var d diary
			h := queuetest.NewOptions(t, sevenSeconds(), &queue.Options{Typing: quiet, OnEvent: d.write})
			h.Sender.Script(queuetest.Answer{Err: context.DeadlineExceeded})
			id := h.Enqueue(alice, bob, "hi")
			_, err := h.Queue.Resolve(t.Context(), id, tt.how)
			require.ErrorIs(t, err, queue.ErrConflict, "it is not in doubt yet")
			h.Drain(time.Minute)
			_, err = h.Queue.Resolve(t.Context(), id, "perhaps")
			require.ErrorContains(t, err, `resolution "perhaps": use "sent", "resend" or "give_up"`)
			_, err = h.Queue.Resolve(t.Context(), "nobody", tt.how)
			require.ErrorIs(t, err, queue.ErrUnknownMessage)
			_, err = h.Queue.Resolve(t.Context(), id, tt.how)
			require.NoError(t, err)
			_, err = h.Queue.Resolve(t.Context(), id, tt.how)
			require.ErrorIs(t, err, queue.ErrConflict, "twice")
			h.Drain(time.Minute)
			r := get(t, h.Queue, id)
			require.Equal(t, tt.want, r.Status)
			require.Equal(t, tt.code, r.Code)
			require.Len(t, h.Sender.Sent(), tt.sent)
			require.Zero(t, h.Queue.Lanes())
			d.check(t)
		})
	}
}

// A receipt that comes late ends the doubt, also while the message waits to be sent
// again.
func TestConfirm(t *testing.T) {
	t.Parallel()
	var d diary
	h := queuetest.NewOptions(t, sevenSeconds(), &queue.Options{Typing: quiet, OnEvent: d.write})
	h.Sender.Otherwise(queuetest.Answer{Err: context.DeadlineExceeded})
	m := hi(alice)
	m.WireID = "w1"
	held := enqueue(t, h.Queue, m)
	m.WireID, m.InDoubt = "w2", queue.ResendInDoubt
	resent := enqueue(t, h.Queue, m)
	for len(h.Sender.Sent()) < 2 {
		h.Clock.Set(step(t, h))
	}
	require.Equal(t, queue.Queued, get(t, h.Queue, resent).Status)
	for _, wire := range []string{"w1", "w2"} {
		r, err := h.Queue.Confirm(t.Context(), alice, wire, queue.Receipt{ID: "echo"})
		require.NoError(t, err)
		require.Equal(t, queue.Sent, r.Status)
		again, err := h.Queue.Confirm(t.Context(), alice, wire, queue.Receipt{ID: "again"})
		require.NoError(t, err)
		require.Equal(t, queue.Sent, again.Status)
		require.Equal(t, "echo", again.Receipt.ID)
	}
	h.Drain(time.Hour)
	require.Len(t, h.Sender.Sent(), 2)
	require.Equal(t, queue.Sent, get(t, h.Queue, held).Status)
	for _, wrong := range [][2]string{{carol, "w1"}, {alice, "w3"}, {alice, ""}, {"", "w1"}} {
		_, err := h.Queue.Confirm(t.Context(), wrong[0], wrong[1], queue.Receipt{})
		require.ErrorIs(t, err, queue.ErrUnknownMessage)
	}
	require.Zero(t, h.Queue.Lanes())
	d.check(t)
}
