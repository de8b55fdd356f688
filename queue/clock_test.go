package queue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// benbjohnson/clock's mock drives a queue as it is, through Step ...
func TestMockClock_Step(t *testing.T) {
	t.Parallel()
	mock := clock.NewMock()
	mock.Set(queuetest.Epoch())
	s := &queuetest.Sender{Clock: mock}
	q := newQueue(t, policy.Standard(), s, queue.Options{Clock: mock})
	for range 45 {
		enqueue(t, q, hi(alice))
	}
	for {
		next, err := q.Step(t.Context())
		require.NoError(t, err)
		if next.IsZero() {
			break
		}
		mock.Set(next)
	}
	require.Len(t, s.Sent(), 45)
	require.Empty(t, queuetest.Audit(policy.Standard(), s.Log()))
}

// ... and through Run, in a bubble, moved when all are parked.
func TestMockClock_Run(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mock := clock.NewMock()
		start := mock.Now()
		var d diary
		p := rules(policy.Gap{Min: 10 * time.Second, Max: 10 * time.Second})
		s := &queuetest.Sender{Clock: mock}
		s.Otherwise(queuetest.Answer{Took: 2 * time.Second})
		q := newQueue(t, p, s, queue.Options{Clock: mock, OnEvent: d.write, Typing: &queue.Typing{Start: 3 * time.Second, Max: time.Minute}})
		for range 3 {
			enqueue(t, q, hi(alice))
		}
		stop := run(q)
		pass := func(d time.Duration) {
			for range d / (500 * time.Millisecond) {
				synctest.Wait()
				mock.Add(500 * time.Millisecond)
			}
			synctest.Wait()
		}
		pass(7 * time.Second)
		// While the queue sleeps, another account comes and goes first.
		enqueue(t, q, hi(carol))
		pass(time.Minute)
		require.Empty(t, queuetest.Audit(p, s.Log()))
		var at []time.Time
		for _, r := range d.ended() {
			at = append(at, r.At)
		}
		require.Equal(t, "[3 10 18 33]", seconds(start, at))
		require.NoError(t, stop())
	})
}

// A clock that is moved before the queue has set its alarm wakes it all the same.
func TestClock_MovedTooEarly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		moving := &movingClock{}
		q := newQueue(t, rules(policy.Gap{Min: 10 * time.Second, Max: 10 * time.Second}), always, queue.Options{Clock: moving})
		first, second, third := enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))
		moving.beforeAfter = []time.Duration{4 * time.Second, 10 * time.Second}
		stop := run(q)
		synctest.Wait()
		require.Equal(t, queue.Sent, get(t, q, first).Status)
		require.Equal(t, queue.Sent, get(t, q, second).Status, "14 s have passed: 4 and 10")
		for range 9 {
			moving.Advance(time.Second)
			synctest.Wait()
		}
		require.Equal(t, queue.Queued, get(t, q, third).Status)
		moving.Advance(time.Second)
		synctest.Wait()
		require.Equal(t, queue.Sent, get(t, q, third).Status)
		require.NoError(t, stop())
	})
}

// A movingClock moves on each time that somebody is about to set an alarm.
type movingClock struct {
	queuetest.Clock
	beforeAfter []time.Duration
}

func (c *movingClock) After(d time.Duration) <-chan time.Time {
	if len(c.beforeAfter) > 0 {
		c.Advance(c.beforeAfter[0])
		c.beforeAfter = c.beforeAfter[1:]
	}
	return c.Clock.After(d)
}

// A clock that is set back starts the pause again. It does not make the queue wait
// until the old time comes back.
func TestClock_SetBack(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Strict(), &queue.Options{Typing: quiet})
	for range 3 {
		h.Enqueue(alice, bob, "hi")
		h.Enqueue(carol, bob, "hi")
	}
	_, err := h.Queue.Step(t.Context())
	require.NoError(t, err)
	h.Clock.Advance(-30 * 24 * time.Hour)
	back := h.Clock.Now()
	next, err := h.Queue.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, back.Add(time.Minute), next)
	h.Drain(time.Hour)
	var at []time.Time
	for _, c := range h.Sender.Log()[2:] {
		at = append(at, c.At)
	}
	require.Equal(t, "[60 60 120 120]", seconds(back, at))
}

func TestClock_SetBackWhileTyping(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: &queue.Typing{Start: 10 * time.Second, Max: time.Minute}})
	h.Enqueue(alice, bob, "hi")
	h.Enqueue(alice, bob, "hi")
	_, err := h.Queue.Step(t.Context())
	require.NoError(t, err)
	h.Clock.Advance(4 * time.Second)
	_, err = h.Queue.Step(t.Context())
	require.NoError(t, err)
	h.Clock.Advance(-time.Hour)
	back := h.Clock.Now()
	h.Drain(time.Minute)
	var at []time.Time
	for _, c := range h.Sender.Log() {
		at = append(at, c.At)
	}
	require.Equal(t, "[6 16]", seconds(back, at), "what is left of the typing passes")
	require.Len(t, h.Sender.Typed(), 2)
}

// Less than a second is not a clock that was set.
func TestClock_JittersBack(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Strict(), &queue.Options{Typing: quiet})
	h.Enqueue(alice, bob, "hi")
	h.Enqueue(alice, bob, "hi")
	_, err := h.Queue.Step(t.Context())
	require.NoError(t, err)
	h.Clock.Advance(-time.Second)
	next, err := h.Queue.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, queuetest.Epoch().Add(time.Minute), next)
	h.Drain(time.Hour)
	h.Audit()
}

// Near the end of the times that a limiter knows, waits saturate.
func TestClock_EndOfTime(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(policy.Gap{Min: policy.MaxDuration, Max: policy.MaxDuration}), &queue.Options{Typing: quiet})
	h.Clock.Set(time.Date(2261, 12, 1, 0, 0, 0, 0, time.UTC))
	for range 3 {
		h.Enqueue(alice, bob, "hi")
	}
	next, err := h.Queue.Step(t.Context())
	require.NoError(t, err)
	require.True(t, next.After(h.Clock.Now()))
	require.Len(t, h.Sender.Sent(), 1)

	h.Clock.Set(time.Time{}.Add(1))
	_, err = h.Queue.Enqueue(t.Context(), hi(carol))
	require.ErrorContains(t, err, "limiter: time 0001-01-01T00:00:00Z: use a time of the years 1678 to 2261")
}
