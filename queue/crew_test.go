package queue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
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

// A lane whose sender does not come back delays no other, to the nanosecond.
func TestRun_BlockedLane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var d diary
		q := newQueue(t, rules(policy.Gap{Min: 7 * time.Second, Max: 7 * time.Second}),
			queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
				if m.Account == alice {
					time.Sleep(time.Hour)
				}
				return queue.Receipt{}, nil
			}), queue.Options{OnEvent: d.write, Workers: 2})
		enqueue(t, q, hi(alice))
		names := accounts(20)
		for _, name := range names {
			for range 5 {
				enqueue(t, q, hi(name))
			}
		}
		stop := run(q)
		time.Sleep(30 * time.Second)
		at := map[string][]time.Time{}
		for _, r := range d.ended() {
			at[r.Account] = append(at[r.Account], r.At)
		}
		require.NotContains(t, at, alice)
		for _, name := range names {
			require.Equal(t, "[0 7 14 21 28]", seconds(start, at[name]))
		}
		time.Sleep(time.Hour)
		require.NoError(t, stop())
	})
}

// While all workers are busy, lanes wait, and then go in the order they were due.
func TestRun_FullCrew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		var order []string
		var at []time.Time
		q := newQueue(t, policy.Unlimited(), queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
			mu.Lock()
			order, at = append(order, m.Account), append(at, time.Now())
			mu.Unlock()
			if m.Account == alice || m.Account == carol {
				time.Sleep(time.Minute)
			}
			return queue.Receipt{}, nil
		}), queue.Options{Workers: 2})
		stop := run(q)
		enqueue(t, q, hi(alice))
		enqueue(t, q, hi(carol))
		synctest.Wait()
		names := accounts(9)
		for _, name := range names {
			time.Sleep(time.Second)
			enqueue(t, q, hi(name))
		}
		time.Sleep(time.Hour)
		require.NoError(t, stop())
		require.ElementsMatch(t, []string{alice, carol}, order[:2])
		require.ElementsMatch(t, names, order[2:])
		require.Equal(t, "[0 0 60 60 60 60 60 60 60 60 60]", seconds(start, at))
	})
}

// Where many look at once some rest instead, and yet none is missing: with as many
// workers as lanes, no lane takes longer than its own sends do.
func TestRun_WholeCrew(t *testing.T) {
	t.Parallel()
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			const lanes, each = 100, 40
			var sent atomic.Int64
			q := newQueue(t, policy.Unlimited(), queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
				if m.Text == "slow" {
					time.Sleep(time.Second)
				}
				sent.Add(1)
				return queue.Receipt{}, nil
			}), queue.Options{Workers: lanes})
			for n := range each {
				for i, name := range accounts(lanes) {
					m := hi(name)
					if (n*n+i)%4 == 0 { // two patterns, and each lane has a half or none
						m.Text = "slow"
					}
					enqueue(t, q, m)
				}
			}
			stop := run(q)
			time.Sleep(each/2*time.Second + 1)
			require.EqualValues(t, lanes*each, sent.Load(), time.Since(start))
			require.NoError(t, stop())
		})
	}
}

// A worker whose goroutine the sender ends is replaced.
func TestRun_SenderEndsWorkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		q := newQueue(t, policy.Unlimited(), queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
			runtime.Goexit()
			return queue.Receipt{}, nil
		}), queue.Options{OnEvent: d.write, Workers: 1})
		for range 3 {
			enqueue(t, q, hi(alice))
			enqueue(t, q, hi(carol))
		}
		stop := run(q)
		synctest.Wait()
		require.Len(t, d.ended(), 6)
		require.NoError(t, stop())
	})
}

// No wake-up is lost: whatever comes from all sides, and however long sends take,
// each message goes at the very instant at which its lane is free. The bubble's
// time stands still while anybody has something to do.
func TestRun_NoLostWakeUp(t *testing.T) {
	t.Parallel()
	const gap = 300 * time.Millisecond
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dice := rand.New(rand.NewPCG(seed, 4))
				var d diary
				names := accounts(1 + dice.IntN(40))
				takes := time.Duration(dice.IntN(3)) * 50 * time.Millisecond
				q := newQueue(t, rules(policy.Gap{Min: gap, Max: gap}), queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
					if takes > 0 {
						time.Sleep(takes)
					}
					return queue.Receipt{}, nil
				}), queue.Options{OnEvent: d.write, Workers: len(names)})
				stop := run(q)
				var callers sync.WaitGroup
				const each = 60
				for i := range 8 {
					own := rand.New(rand.NewPCG(seed, 10+uint64(i)))
					callers.Go(func() {
						for range each {
							time.Sleep(time.Duration(own.IntN(4)) * 25 * time.Millisecond)
							if _, err := q.Enqueue(t.Context(), hi(names[own.IntN(len(names))])); err != nil {
								t.Error(err)
							}
						}
					})
				}
				callers.Wait()
				time.Sleep(8 * each * (gap + takes))
				require.NoError(t, stop())
				ended := d.ended()
				require.Len(t, ended, 8*each)
				free := map[string]time.Time{}
				for _, r := range ended {
					want := r.Enqueued
					if f := free[r.Account]; f.After(want) {
						want = f
					}
					require.Equal(t, want, r.At)
					free[r.Account] = r.Done.Add(gap)
				}
			})
		})
	}
}

// A lane that becomes due later than the timer rings sets no other.
func TestRun_OneTimer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := &countingClock{Clock: limiter.RealClock()}
		q := newQueue(t, rules(policy.Gap{Min: time.Minute, Max: time.Minute}), always, queue.Options{Clock: clock})
		stop := run(q)
		for _, name := range accounts(1000) {
			enqueue(t, q, hi(name))
			enqueue(t, q, hi(name))
			synctest.Wait()
			time.Sleep(time.Millisecond)
		}
		require.EqualValues(t, 1, clock.alarms.Load(), "for the first lane")
		time.Sleep(2 * time.Minute)
		require.LessOrEqual(t, clock.alarms.Load(), int64(1000), "one for each instant at which a lane was due")
		require.NoError(t, stop())
		require.Zero(t, q.Lanes())
	})
}

// A countingClock counts the alarms that are set.
type countingClock struct {
	limiter.Clock
	alarms atomic.Int64
}

func (c *countingClock) After(d time.Duration) <-chan time.Time {
	c.alarms.Add(1)
	return c.Clock.After(d)
}
