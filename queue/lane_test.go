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

func TestLane_OrderIsKept(t *testing.T) {
	t.Parallel()
	h := queuetest.New(t, rules(policy.Gap{Min: time.Second, Max: 5 * time.Second}))
	h.Sender.Script(queuetest.Answer{Err: errNo}, queuetest.Answer{}, queuetest.Answer{Panic: "x"}, queuetest.Answer{Took: time.Minute, Err: context.DeadlineExceeded})
	var want []string
	for range 20 {
		want = append(want, h.Enqueue(alice, bob, "hi"))
	}
	for range 20 { // and while it is at work
		_, err := h.Queue.Step(t.Context())
		require.NoError(t, err)
		h.Clock.Advance(time.Second)
		want = append(want, h.Enqueue(alice, bob, "hi"))
	}
	h.Drain(time.Hour)
	h.Audit()
	var got []string
	for _, m := range h.Sender.Sent() {
		got = append(got, m.ID)
	}
	require.Equal(t, want, got)
}

func TestLane_StepTakesTurns(t *testing.T) {
	t.Parallel()
	for width := range 3 {
		h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet, Width: width})
		for _, account := range []string{"a", "a", "a", "b", "b", "c"} {
			h.Enqueue(account, bob, "hi")
		}
		h.Clock.Advance(time.Minute)
		h.Drain(0)
		order := ""
		for _, m := range h.Sender.Sent() {
			order += m.Account
		}
		require.Equal(t, "abcaba", order)
	}
}

func TestLane_StepServesInDueOrder(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(policy.Gap{Min: 10 * time.Second, Max: 10 * time.Second}), &queue.Options{Typing: quiet})
	for _, account := range []string{"a", "b", "c"} {
		h.Enqueue(account, bob, "hi")
		h.Enqueue(account, bob, "hi")
		_, err := h.Queue.Step(t.Context())
		require.NoError(t, err)
		h.Clock.Advance(time.Second)
	}
	h.Clock.Advance(time.Hour) // all are due, since different times
	h.Enqueue("d", bob, "hi")
	h.Drain(time.Hour)
	order := ""
	for _, m := range h.Sender.Sent() {
		order += m.Account
	}
	require.Equal(t, "abc"+"abcd", order)
}

func TestLane_SlowSenderHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var d diary
		s := queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
			if m.Account == "slow" {
				time.Sleep(time.Hour)
			}
			return queue.Receipt{}, nil
		})
		q := newQueue(t, rules(policy.Gap{Min: 10 * time.Second, Max: 10 * time.Second}), s, queue.Options{OnEvent: d.write, SendTimeout: -1})
		for range 3 {
			enqueue(t, q, hi("slow"))
			enqueue(t, q, hi("quick"))
		}
		stop := run(q)
		time.Sleep(4 * time.Hour)
		require.NoError(t, stop())
		at := map[string][]time.Time{}
		for _, r := range d.ended() {
			at[r.Account] = append(at[r.Account], r.At)
		}
		require.Equal(t, "[0 10 20]", seconds(start, at["quick"]))
		require.Equal(t, "[0 3610 7220]", seconds(start, at["slow"]))
		require.Zero(t, q.Lanes())
	})
}

// Other code holds the only permit of the account. The queue is not told when it
// gives it back, and finds out within a second.
func TestLane_PermitOfOtherCode(t *testing.T) {
	t.Parallel()
	p := rules(policy.Concurrency{Max: 1})
	l, err := limiter.New(p, nil)
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		permit, d := l.Take(start, limiter.Request{Account: alice, Action: policy.SendMessage})
		require.NoError(t, d.Err())
		q := newQueue(t, p, always, queue.Options{Limiter: l})
		id := enqueue(t, q, hi(alice))
		stop := run(q)
		time.Sleep(90*time.Second + time.Millisecond)
		require.Equal(t, queue.Queued, get(t, q, id).Status)
		permit.Settle(time.Now(), limiter.Sent)
		time.Sleep(time.Minute)
		require.NoError(t, stop())
		r := get(t, q, id)
		require.Equal(t, queue.Sent, r.Status)
		require.Equal(t, 91*time.Second, r.At.Sub(start))
	})
}

// The queue's own permit is no reason to ask every second: the lane goes on when
// it is settled.
func TestLane_OwnPermitWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &queuetest.Sender{}
		s.Otherwise(queuetest.Answer{Took: 2500 * time.Millisecond})
		// Two are claimed, and the gap lets one at a time through.
		q := newQueue(t, rules(policy.Gap{}), s, queue.Options{Width: 2, Typing: quiet})
		for range 4 {
			enqueue(t, q, hi(alice))
		}
		stop := run(q)
		time.Sleep(time.Minute)
		require.NoError(t, stop())
		var at []time.Time
		for _, c := range s.Log() {
			at = append(at, c.At)
		}
		require.Equal(t, "[0 2.5 5 7.5]", seconds(start, at))
	})
}

// A new account, and a new message of one that waits, wake a queue that sleeps.
func TestLane_EnqueueWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var d diary
		q := newQueue(t, rules(policy.Gap{Min: time.Hour, Max: time.Hour}), always, queue.Options{OnEvent: d.write})
		stop := run(q)
		time.Sleep(time.Minute)
		for i := range 5 {
			enqueue(t, q, hi(fmt.Sprint("account ", i)))
			enqueue(t, q, hi(fmt.Sprint("account ", i)))
			time.Sleep(time.Minute)
		}
		time.Sleep(2 * time.Hour)
		require.NoError(t, stop())
		var at []time.Time
		for _, r := range d.ended() {
			at = append(at, r.At)
		}
		require.Equal(t, "[60 120 180 240 300 3660 3720 3780 3840 3900]", seconds(start, at))
	})
}

// Every message of a long lane is put back once after it was typed.
func TestLane_EachPutBack(t *testing.T) {
	t.Parallel()
	const many = 500
	p := rules(policy.Concurrency{Max: 1})
	l, err := limiter.New(p, nil)
	require.NoError(t, err)
	clock := &queuetest.Clock{}
	req := limiter.Request{Account: alice, Action: policy.SendMessage}
	sent, typed := 0, 0
	s := typist{
		func(context.Context, queue.Message) (queue.Receipt, error) { sent++; return queue.Receipt{}, nil },
		func(context.Context, queue.Message, time.Duration) error { typed++; return nil },
	}
	q := newQueue(t, p, s, queue.Options{Limiter: l, Clock: clock, Typing: &queue.Typing{Start: time.Second, Max: time.Second}, History: -1})
	m := hi(alice)
	for range many {
		if _, err := q.Enqueue(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for range many {
		if _, err := q.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		permit, _ := l.Take(clock.Now(), req)
		clock.Advance(time.Second)
		if _, err := q.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		permit.Settle(clock.Now(), limiter.Unsent)
		clock.Advance(time.Second)
		if _, err := q.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	require.Equal(t, many, sent)
	require.Equal(t, many, typed)
}
