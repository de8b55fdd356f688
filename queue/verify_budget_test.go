package queue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// Where nothing is kept, an answer is still good for the messages that wait for it.
func TestVerify_AnswersAllThatWait(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, checksOnly(policy.SlidingWindow{Max: 1, Window: time.Hour}),
		&queue.Options{Typing: quiet, Verify: &queue.Verify{Most: -1}})
	h.Enqueue(alice, carol, "hi")
	for range 3 {
		h.Enqueue(alice, bob, "hi")
	}
	h.Drain(time.Hour)
	require.Len(t, v.Checks(), 2)
	require.Len(t, h.Sender.Sent(), 4)
}

// 21 checks within a minute: the 21st waits for as long as the limiter says, and
// whoever is known passes it.
func TestVerify_Budget(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{{
		Name: "checks", Actions: []policy.Action{policy.CheckNumber}, Limit: policy.SlidingWindow{Max: 20, Window: time.Minute},
	}, {
		Name: "pace", Actions: []policy.Action{policy.SendMessage}, Limit: policy.Gap{Min: time.Second, Max: time.Second},
	}}}
	for _, r := range policy.Standard().Rules {
		if r.Covers(policy.CheckNumber) && r.Name == "check_minute" {
			require.Equal(t, p.Rules[0].Limit, r.Limit, "Standard's own rule")
		}
	}
	h, v := queuetest.NewVerifier(t, p, &queue.Options{Typing: quiet})
	for n := range 20 {
		h.Enqueue(alice, number(n), "hi")
	}
	waits := h.Enqueue(alice, number(20), "first")
	follows := h.Enqueue(alice, number(20), "second")
	later := h.Enqueue(alice, number(21), "hi")
	group := h.Enqueue(alice, "120363020000000042@g.us", "hi")
	known := h.Enqueue(alice, number(3), "hi")
	h.Drain(time.Hour)
	h.Audit()

	at := func(id string) time.Duration { return get(t, h.Queue, id).At.Sub(queuetest.Epoch()) }
	require.Equal(t, 20*time.Second, at(group))
	require.Equal(t, 21*time.Second, at(known))
	require.Equal(t, 60*time.Second, at(waits))
	require.Equal(t, 61*time.Second, at(follows))
	require.Equal(t, 62*time.Second, at(later))
	require.Len(t, v.Checks(), 22)
	require.Equal(t, queuetest.Epoch().Add(time.Minute), v.Checks()[20].At)
	require.Equal(t, queuetest.Epoch().Add(62*time.Second), v.Checks()[21].At,
		"a check waits until its message could go")
}

// Standard, a day: as many checks as sends, and both budgets are kept.
func TestVerify_Standard(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, policy.Standard(), nil)
	for n := range 600 {
		h.Enqueue(alice, number(n), "hi")
	}
	h.Drain(48 * time.Hour)
	h.Audit()
	require.Len(t, h.Sender.Sent(), 600)
	require.Len(t, v.Checks(), 600)
	for i, m := range h.Sender.Sent() {
		require.Equal(t, number(i), m.To)
	}
}

// A check that surely asked nobody gives its budget back, one that failed does not.
func TestVerify_Unsent(t *testing.T) {
	t.Parallel()
	for _, err := range []error{fmt.Errorf("not connected: %w", queue.ErrUnsent), errors.New("no answer")} {
		h, v := queuetest.NewVerifier(t, checksOnly(policy.SlidingWindow{Max: 1, Window: time.Hour}), &queue.Options{Typing: quiet})
		v.Answer(bob, queuetest.Verification{Err: err})
		id := h.Enqueue(alice, bob, "hi")
		h.Clock.Set(step(t, h))
		v.Answer(bob, queuetest.Verification{})
		want := time.Hour
		if errors.Is(err, queue.ErrUnsent) {
			want = 5 * time.Second
		}
		h.Drain(time.Hour)
		require.Equal(t, queuetest.Epoch().Add(want), get(t, h.Queue, id).At)
	}
}

func TestVerify_NeverAllowed(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, checksOnly(policy.SlidingWindow{Max: 0, Window: time.Hour}), nil)
	ids := []string{h.Enqueue(alice, bob, "hi"), h.Enqueue(alice, bob, "hi")}
	group := h.Enqueue(alice, "120363020000000042@g.us", "hi")
	h.Drain(time.Minute)
	for _, id := range ids {
		r := get(t, h.Queue, id)
		require.Equal(t, queue.Failed, r.Status)
		require.Equal(t, queue.NeverAllowed, r.Code)
		require.Contains(t, r.Err, "checks")
	}
	require.Equal(t, queue.Sent, get(t, h.Queue, group).Status)
	require.Empty(t, v.Checks())

	h, v = queuetest.NewVerifier(t, rules(policy.SlidingWindow{Max: 0, Window: time.Hour}), nil)
	id := h.Enqueue(alice, bob, "hi")
	h.Drain(0)
	require.Equal(t, queue.NeverAllowed, get(t, h.Queue, id).Code)
	require.Empty(t, v.Checks(), "who may not send has no need to ask")
}

// Rules that name no action are one budget for checks and sends.
func TestVerify_SharedBudget(t *testing.T) {
	t.Parallel()
	p := rules(policy.Concurrency{Max: 1}, policy.Gap{Min: 10 * time.Second, Max: 10 * time.Second})
	h, v := queuetest.NewVerifier(t, p, &queue.Options{Typing: quiet})
	v.AnswerOthers(queuetest.Verification{Took: time.Second})
	for n := range 3 {
		h.Enqueue(alice, number(n), "hi")
	}
	h.Drain(time.Hour)
	h.Audit()
	var at []time.Time
	for _, c := range h.Sender.Log() {
		at = append(at, c.At)
	}
	require.Equal(t, "[0 11 21 32 42 53]", seconds(queuetest.Epoch(), at))
}

// Another account learns the answer while this one waits for its budget.
func TestVerify_LearnsFromAnother(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, checksOnly(policy.SlidingWindow{Max: 1, Window: time.Hour}), &queue.Options{Typing: quiet})
	h.Enqueue(alice, carol, "hi")
	first := h.Enqueue(alice, bob, "1")
	step(t, h)
	require.Equal(t, queue.Queued, get(t, h.Queue, first).Status)
	h.Clock.Advance(time.Minute)
	h.Enqueue(carol, bob, "hi")
	second := h.Enqueue(alice, bob, "2")
	step(t, h)
	h.Drain(time.Hour)
	require.Len(t, v.Checks(), 2)
	require.Equal(t, []string{carol, bob, bob, bob}, recipients(h.Sender.Sent()))
	a, b := get(t, h.Queue, first), get(t, h.Queue, second)
	require.Less(t, a.ID, b.ID)
	require.False(t, b.At.Before(a.At))
}

// An answer that another account learns sooner does not let a message pass the one
// whose check is still under way.
func TestVerify_AnotherIsSooner(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := verifier{always, func(_ context.Context, account, _ string) (queue.Verification, error) {
				if account == alice {
					time.Sleep(time.Minute)
					if fails {
						return queue.Verification{}, errors.New("no answer")
					}
				}
				return queue.Verification{Registered: true}, nil
			}}
			q := newQueue(t, policy.Unlimited(), s, queue.Options{Width: 3, Typing: quiet})
			start := time.Now()
			stop := run(q)
			first := enqueue(t, q, hi(alice))
			time.Sleep(time.Second)
			enqueue(t, q, hi(carol))
			time.Sleep(time.Second)
			second := enqueue(t, q, hi(alice))
			time.Sleep(time.Hour)
			require.NoError(t, stop())
			want := time.Minute
			if fails {
				want += 5 * time.Second
			}
			for _, id := range []string{first, second} {
				r := get(t, q, id)
				require.Equal(t, queue.Sent, r.Status)
				require.Equal(t, want, r.At.Sub(start))
			}
		})
	}
}
