package limiter_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// Thousands wait and give up at once: none has a goroutine beyond its caller's, and
// nothing is left of them: limiters.md 3.2, 49. The lines of a hundred thousand are
// in TestLines_ManyWaiters.
func TestWait_ThousandsGiveUp(t *testing.T) { //nolint:paralleltest // it counts goroutines
	synctest.Test(t, func(t *testing.T) {
		const n = 5000 // the race detector can tell 8,128 goroutines apart
		clock := &countingClock{Clock: limiter.RealClock()}
		l := newLimiter(t, only(perMinute(1)))
		require.Equal(t, limiter.Allowed, l.Allow(time.Now(), request(1)).Answer)
		ctx, cancel := context.WithCancelCause(t.Context())
		var gone atomic.Int64
		before := runtime.NumGoroutine()
		for range n {
			go func() {
				if _, err := limiter.Wait(ctx, clock, l, request(1)); errors.Is(err, errGone) {
					gone.Add(1)
				}
			}()
		}
		synctest.Wait()
		require.LessOrEqual(t, runtime.NumGoroutine()-before, n)
		require.EqualValues(t, 1, clock.afters.Load())
		cancel(errGone)
		synctest.Wait()
		require.EqualValues(t, n, gone.Load())
		time.Sleep(time.Minute)
		require.Equal(t, limiter.Allowed, l.Check(time.Now(), request(1)).Answer, "somebody has taken something")
	})
}

// Many goroutines wait, take, settle and give up on few accounts at once.
func TestWait_UnderLoad(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "bucket", Limit: policy.TokenBucket{Max: 10, Per: time.Second, Burst: 5}},
		{Name: "window", Limit: policy.SlidingWindow{Max: 300, Window: time.Minute}},
		{Name: "two", Limit: policy.Concurrency{Max: 2}},
	}}
	synctest.Test(t, func(t *testing.T) {
		const workers, sends = 40, 10
		l := newLimiter(t, p)
		var (
			mu    sync.Mutex
			calls []queuetest.Call
			gone  atomic.Int64
			all   sync.WaitGroup
		)
		for w := range workers {
			all.Go(func() {
				req := request(1)
				req.Account = fmt.Sprintf("44770090000%d", w%3)
				for i := range sends {
					ctx, cancel := context.WithCancel(t.Context())
					if i%5 == w%5 {
						time.AfterFunc(time.Duration(w)*37*time.Millisecond, cancel)
					}
					permit, err := limiter.Wait(ctx, nil, l, req)
					if err != nil {
						gone.Add(1)
						cancel()
						continue
					}
					call := queuetest.Call{Account: req.Account, Action: req.Action, At: time.Now()}
					time.Sleep(time.Duration(1+(w+i)%7) * 20 * time.Millisecond)
					call.Done = time.Now()
					mu.Lock()
					calls = append(calls, call)
					mu.Unlock()
					permit.Settle(call.Done, limiter.Sent)
					cancel()
				}
			})
		}
		all.Wait()
		require.Equal(t, workers*sends, len(calls)+int(gone.Load()))
		require.Positive(t, gone.Load())
		require.Greater(t, len(calls), workers*sends/2)
		require.Empty(t, queuetest.Audit(p, calls))
		for i := range 3 {
			req := request(1)
			req.Account = fmt.Sprintf("44770090000%d", i)
			time.Sleep(time.Minute)
			require.Equal(t, limiter.Allowed, l.Check(time.Now(), req).Answer)
		}
	})
}
