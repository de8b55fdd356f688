package queue_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

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
