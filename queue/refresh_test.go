package queue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// What waits for a day goes at once under a policy that allows it, and the policy
// outlives the queue.
func TestRefresh_Policy(t *testing.T) {
	t.Parallel()
	for _, account := range []string{alice, ""} {
		synctest.Test(t, func(t *testing.T) {
			p := rules(policy.CalendarWindow{Max: 1, Unit: policy.Day})
			l, store, s := wrapLimiter(t, p), queue.NewMemory(10), &queuetest.Sender{}
			q := newQueue(t, p, s, queue.Options{Limiter: l, Store: store, Typing: quiet})
			first, second := enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))
			stop := run(q)
			time.Sleep(time.Minute)
			require.Equal(t, queue.Sent, get(t, q, first).Status)
			require.Equal(t, queue.Queued, get(t, q, second).Status)
			wide := rules(policy.CalendarWindow{Max: 2, Unit: policy.Day})
			require.NoError(t, l.SetPolicy(time.Now(), alice, wide))
			require.NoError(t, q.Refresh(t.Context(), account))
			synctest.Wait()
			require.Equal(t, queue.Sent, get(t, q, second).Status)
			require.NoError(t, stop())

			l = wrapLimiter(t, p)
			newQueue(t, p, s, queue.Options{Limiter: l, Store: store})
			require.Equal(t, wide.Rules, l.PolicyOf(alice).Rules)
		})
	}
}

func TestRefresh_Hold(t *testing.T) {
	t.Parallel()
	l := wrapLimiter(t, policy.Unlimited())
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Limiter: l, Typing: quiet})
	target := limiter.Target{Account: alice}
	require.NoError(t, l.Hold(h.Clock.Now(), target, h.Clock.Now().Add(time.Hour), "too many complaints"))
	h.Enqueue(alice, bob, "hi")
	step(t, h)
	require.True(t, l.Release(h.Clock.Now(), target))
	require.NoError(t, h.Queue.Refresh(t.Context(), alice))
	h.Drain(0)
	require.Len(t, h.Sender.Sent(), 1)
}

// A policy that is narrower counts at once, also while more are on the wire.
func TestRefresh_NarrowerWhileMoreAreOnTheWire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := rules(policy.Concurrency{Max: 3})
		l, s := wrapLimiter(t, p), &queuetest.Sender{}
		s.Otherwise(queuetest.Answer{Took: 10 * time.Second})
		q := newQueue(t, p, s, queue.Options{Limiter: l, Typing: quiet})
		for n := range 9 {
			enqueue(t, q, queue.Message{Account: alice, To: number(n), Text: "hi"})
		}
		stop := run(q)
		time.Sleep(time.Second)
		require.NoError(t, l.SetPolicy(time.Now(), alice, rules(policy.Concurrency{Max: 1})))
		require.NoError(t, q.Refresh(t.Context(), alice))
		time.Sleep(5 * time.Minute)
		log := s.Log()
		require.Len(t, log, 9)
		for i, c := range log[3:] {
			require.Equal(t, time.Duration(i+1)*10*time.Second, c.At.Sub(log[0].At))
		}
		require.NoError(t, stop())
	})
}
