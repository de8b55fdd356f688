package queue_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// Where many lanes wait, Run wakes for several at once, none too soon and none late by
// more than it may be. Where few do, each is served at its time.
func TestRun_WakesForSeveral(t *testing.T) {
	t.Parallel()
	for _, lanes := range []int{500, 2500} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			due := func(n int) time.Time { return start.Add(time.Second + time.Duration(n)*time.Millisecond/32) }
			var mu sync.Mutex
			wakes := map[time.Time]int{}
			worst := time.Duration(0)
			q := newQueue(t, policy.Unlimited(), queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
				mu.Lock()
				defer mu.Unlock()
				late := time.Since(m.NotBefore)
				require.GreaterOrEqual(t, late, time.Duration(0))
				worst = max(worst, late)
				wakes[time.Now()]++
				return queue.Receipt{}, nil
			}), queue.Options{Typing: quiet})
			for n, name := range accounts(lanes) {
				enqueue(t, q, queue.Message{Account: name, To: bob, Text: "hi", NotBefore: due(n)})
			}
			stop := run(q)
			time.Sleep(time.Minute)
			require.NoError(t, stop())
			require.Zero(t, q.Lanes())
			if lanes == 500 {
				require.Zero(t, worst)
				require.Len(t, wakes, lanes)
				return
			}
			require.Less(t, worst, 250*time.Microsecond)
			require.Less(t, len(wakes), 1400, "the last thousand are few")
		})
	}
}

// One that is due a little before the others were does not wait for their alarm.
func TestRun_WakesForSooner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		q := newQueue(t, policy.Unlimited(), always, queue.Options{OnEvent: d.write, Typing: quiet})
		stop := run(q)
		due := time.Now().Add(time.Second)
		for n, name := range accounts(20) {
			enqueue(t, q, queue.Message{Account: name, To: bob, Text: "hi", NotBefore: due.Add(-time.Duration(n) * 45 * time.Microsecond)})
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		require.NoError(t, stop())
		require.Len(t, d.ended(), 20)
		for _, r := range d.ended() {
			require.Equal(t, r.NotBefore, r.At)
		}
	})
}

// While Run wakes for several at once, a message that may go at once does.
func TestRun_NewMessageAmongMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		clock := &countingClock{Clock: limiter.RealClock()}
		q := newQueue(t, policy.Unlimited(), always, queue.Options{Clock: clock, OnEvent: d.write, Typing: quiet})
		start := time.Now()
		names := accounts(20_000)
		for n, name := range names {
			enqueue(t, q, queue.Message{Account: name, To: bob, Text: "hi", NotBefore: start.Add(time.Second + time.Duration(n)*50*time.Microsecond)})
		}
		stop := run(q)
		time.Sleep(1500 * time.Millisecond)
		for range 100 {
			time.Sleep(1234567)
			enqueue(t, q, hi(alice))
		}
		time.Sleep(time.Minute)
		require.NoError(t, stop())
		n := 0
		for _, r := range d.ended() {
			if r.Account != alice {
				require.Less(t, r.At.Sub(r.NotBefore), 250*time.Microsecond)
				continue
			}
			n++
			require.Equal(t, r.Enqueued, r.At)
		}
		require.Equal(t, 100, n)
		require.Less(t, clock.alarms.Load(), int64(6000), "one in a grain, but for the last thousand lanes")
	})
}

// While all workers are busy, Run does not wake for the lanes that are due.
func TestRun_SleepsWhileAllAreBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := &countingClock{Clock: limiter.RealClock()}
		var sent atomic.Int64
		q := newQueue(t, policy.Unlimited(), queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
			if sent.Add(1) > 1000 {
				time.Sleep(10 * time.Second)
			}
			return queue.Receipt{}, nil
		}), queue.Options{Clock: clock, Typing: quiet, Workers: 2})
		start := time.Now()
		for n, name := range accounts(4000) {
			enqueue(t, q, queue.Message{Account: name, To: bob, Text: "hi", NotBefore: start.Add(time.Second + time.Duration(n)*50*time.Microsecond)})
		}
		stop := run(q)
		time.Sleep(2 * time.Second)
		alarms := clock.alarms.Load()
		require.EqualValues(t, 1002, sent.Load())
		time.Sleep(5 * time.Second)
		require.LessOrEqual(t, clock.alarms.Load(), alarms+1)
		require.NoError(t, stop())
	})
}
