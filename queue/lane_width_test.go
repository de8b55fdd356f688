package queue_test

import (
	"context"
	"fmt"
	"strings"
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

func TestLane_Width(t *testing.T) {
	t.Parallel()
	concurrency := func(most int64) policy.Limit { return policy.Concurrency{Max: most} }
	tests := []struct {
		name   string
		policy policy.Policy
		width  int // of the options, whose Workers are 40
		want   int
	}{
		{"default", policy.Unlimited(), 0, 1},
		{"option", policy.Unlimited(), 4, 4},
		{"policy", rules(concurrency(3)), 0, 3},
		{"policy before option", rules(concurrency(3)), 7, 3},
		{"the smallest", rules(concurrency(5), concurrency(2), concurrency(4)), 0, 2},
		{"beyond 32 bits", rules(concurrency(1 << 40)), 0, 20},
		{"of another action", policy.Policy{Rules: []policy.Rule{{Name: "uploads", Actions: []policy.Action{policy.UploadMedia}, Limit: concurrency(1)}}}, 5, 5},
		{"shadow", policy.Policy{Rules: []policy.Rule{{Name: "planned", Shadow: true, Limit: concurrency(1)}}}, 5, 5},
		{"by a pattern", policy.Policy{Rules: []policy.Rule{{Name: "sends", Actions: []policy.Action{"send_*"}, Limit: concurrency(6)}}}, 5, 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				now, most := map[string]int{}, map[string]int{}
				s := queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
					mu.Lock()
					now[m.Account]++
					most[m.Account] = max(most[m.Account], now[m.Account])
					mu.Unlock()
					time.Sleep(10 * time.Second)
					mu.Lock()
					now[m.Account]--
					mu.Unlock()
					return queue.Receipt{}, nil
				})
				start, ends := time.Now(), time.Time{}
				q := newQueue(t, tt.policy, s, queue.Options{Width: tt.width, Workers: 40, OnEvent: func(e queue.Event) {
					mu.Lock()
					defer mu.Unlock()
					ends = e.At
				}})
				for i := range 20 {
					enqueue(t, q, queue.Message{Account: "a", To: number(i), Text: "hi"})
					enqueue(t, q, queue.Message{Account: "b", To: number(i), Text: "hi"})
				}
				stop := run(q)
				time.Sleep(time.Hour)
				require.NoError(t, stop())
				require.Equal(t, map[string]int{"a": tt.want, "b": tt.want}, most)
				rounds := (20 + tt.want - 1) / tt.want
				require.Equal(t, time.Duration(rounds)*10*time.Second, ends.Sub(start), "as many at once as may be, all the time")
			})
		})
	}
}

// A lane is no wider than the queue has workers: what could not be sent yet is not
// typed yet.
func TestLane_WidthOfAllWorkers(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(policy.Concurrency{Max: 1 << 60}), &queue.Options{Workers: 7})
	for i := range 50 {
		h.Enqueue(alice, number(i), "hi")
	}
	_, err := h.Queue.Step(t.Context())
	require.NoError(t, err)
	require.Len(t, h.Sender.Typed(), 7)
	h.Drain(time.Hour)
	require.Len(t, h.Sender.Sent(), 50)
}

// As many at once as the policy allows to one recipient is not as many at once.
func TestLane_WidthOfARecipient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &queuetest.Sender{}
		s.Otherwise(queuetest.Answer{Took: time.Minute})
		p := policy.Policy{Rules: []policy.Rule{{Name: "pair", Scope: policy.ScopeRecipient, Limit: policy.Concurrency{Max: 1}}}}
		q := newQueue(t, p, s, queue.Options{Width: 3, Typing: quiet})
		for _, to := range []string{bob, carol, bob, carol} {
			enqueue(t, q, queue.Message{Account: alice, To: to, Text: "hi"})
		}
		stop := run(q)
		time.Sleep(time.Hour)
		require.NoError(t, stop())
		var at []time.Time
		for _, c := range s.Log() {
			at = append(at, c.At)
		}
		require.Equal(t, "[0 0 60 60]", seconds(start, at))
	})
}

// A wide lane shows typing for as many as may be on their way, one starts as
// another does, and none starts before one that came before it.
func TestLane_WideTypesSideBySide(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(policy.Concurrency{Max: 3}), &queue.Options{Typing: &queue.Typing{PerRune: time.Second, Max: time.Minute}})
	for i, text := range []string{"12345", "12", "1234567", "1", "123"} {
		h.Enqueue(alice, number(i), text)
	}
	_, err := h.Queue.Step(t.Context())
	require.NoError(t, err)
	require.Len(t, h.Sender.Typed(), 3)
	h.Drain(time.Minute)
	h.Audit()
	var at []time.Time
	var order []string
	var shown []time.Duration
	for _, c := range h.Sender.Log() {
		at = append(at, c.At)
	}
	for _, m := range h.Sender.Sent() {
		order = append(order, m.Text)
		r := get(t, h.Queue, m.ID)
		shown = append(shown, r.Typing)
	}
	require.Equal(t, []string{"12345", "12", "1234567", "1", "123"}, order)
	require.Equal(t, "[5 5 7 7 8]", seconds(queuetest.Epoch(), at))
	require.Equal(t, "[5s 5s 7s 2s 3s]", fmt.Sprint(shown), "typing is shown for one until it follows another")
}

// A lane as wide as its policy lets through no more when other code uses up the
// account's budget: what was typed goes back to its place.
func TestLane_WideKeepsOrderWhenTheGateShuts(t *testing.T) {
	t.Parallel()
	p := rules(policy.SlidingWindow{Max: 2, Window: 20 * time.Second})
	l, err := limiter.New(p, nil)
	require.NoError(t, err)
	h := queuetest.NewOptions(t, p, &queue.Options{Limiter: l, Width: 3, Typing: &queue.Typing{PerRune: time.Second, Max: time.Minute}})
	var want []string
	for i, text := range []string{"12", "1234", "123456", "1", "1"} {
		want = append(want, h.Enqueue(alice, number(i), text))
	}
	_, err = h.Queue.Step(t.Context())
	require.NoError(t, err)
	req := limiter.Request{Account: alice, Action: policy.SendMessage}
	require.NoError(t, l.Allow(h.Clock.Now(), req).Err())
	require.NoError(t, l.Allow(h.Clock.Now().Add(time.Second), req).Err())
	h.Drain(10 * time.Minute)
	var got []string
	var at []time.Time
	for _, c := range h.Sender.Log() {
		at = append(at, c.At)
	}
	for _, m := range h.Sender.Sent() {
		got = append(got, m.ID)
	}
	require.Equal(t, want, got)
	require.Equal(t, "[20 21 40 42 60]", seconds(queuetest.Epoch(), at))
}

// A message of a wide lane is put back for so long that typing has to be shown
// for it again. The one behind it, for which it need not, or which is still being
// typed, does not overtake it.
func TestLane_WideKeepsOrderWhenTypedAgain(t *testing.T) {
	t.Parallel()
	for _, typing := range []int{3, 70} {
		t.Run(fmt.Sprint(typing), func(t *testing.T) {
			t.Parallel()
			p := rules(policy.SlidingWindow{Max: 2, Window: 50 * time.Second})
			l, err := limiter.New(p, nil)
			require.NoError(t, err)
			h := queuetest.NewOptions(t, p, &queue.Options{Limiter: l, Width: 2, Typing: &queue.Typing{PerRune: time.Second, Max: time.Hour}})
			step := func(at time.Duration) {
				h.Clock.Set(queuetest.Epoch().Add(at))
				_, err := h.Queue.Step(t.Context())
				require.NoError(t, err)
			}
			first := h.Enqueue(alice, bob, strings.Repeat("x", 20))
			step(0)
			second := h.Enqueue(alice, carol, strings.Repeat("x", typing))
			step(10 * time.Second)
			require.Len(t, h.Sender.Typed(), 2)
			for range 2 {
				require.NoError(t, l.Allow(queuetest.Epoch().Add(12*time.Second), limiter.Request{Account: alice, Action: policy.SendMessage}).Err())
			}
			step(20 * time.Second)
			h.Drain(time.Hour)
			require.Equal(t, []string{first, second}, []string{h.Sender.Sent()[0].ID, h.Sender.Sent()[1].ID})
			require.Equal(t, "[82 82]", seconds(queuetest.Epoch(), []time.Time{get(t, h.Queue, first).At, get(t, h.Queue, second).At}))
			require.Len(t, h.Sender.Typed(), 3)
		})
	}
}

// A wide lane takes a message in while another is on the wire.
func TestLane_WideEnqueueWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &queuetest.Sender{}
		s.Otherwise(queuetest.Answer{Took: time.Minute})
		q := newQueue(t, policy.Unlimited(), s, queue.Options{Width: 2, Typing: quiet})
		stop := run(q)
		for i := range 4 {
			enqueue(t, q, queue.Message{Account: alice, To: number(i), Text: "hi"})
			time.Sleep(time.Second)
		}
		time.Sleep(time.Hour)
		require.NoError(t, stop())
		var at []time.Time
		for _, c := range s.Log() {
			at = append(at, c.At)
		}
		require.Equal(t, "[0 1 60 61]", seconds(start, at))
	})
}
