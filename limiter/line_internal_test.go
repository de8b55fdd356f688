package limiter

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/policy"
)

func lineLimiter(t require.TestingT, o *Options) *Limiter {
	l, err := New(policy.Policy{Rules: []policy.Rule{
		{Name: "window", Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}},
	}}, o)
	require.NoError(t, err)
	return l
}

// called reports whether the waiter has been told to ask, once.
func called(w *waiter) bool {
	select {
	case <-w.turn:
		return true
	default:
		return false
	}
}

// Whoever joins, leaves and changes: the lines are those of the model, and exactly
// the first in line is told, where there is something new for it.
func TestLines_LikeAList(t *testing.T) {
	t.Parallel()
	accounts := []string{"447700900001", "447700900002", "447700900003"}
	rapid.Check(t, func(t *rapid.T) {
		l := lineLimiter(t, nil)
		model := map[string][]*waiter{}
		news := map[*waiter]bool{} // who is to be told
		check := func() {
			standing := 0
			for _, account := range accounts {
				if len(model[account]) > 0 {
					standing++
				}
				require.Equal(t, len(model[account]) > 0, l.awaited(account))
				for _, w := range model[account] {
					require.Equal(t, news[w], called(w))
					delete(news, w)
				}
			}
			require.EqualValues(t, standing, l.awaiting.Load())
			kept := 0
			for i := range l.lines {
				kept += len(l.lines[i].of)
			}
			require.Equal(t, standing, kept)
		}
		first := func(account string) {
			if q := model[account]; len(q) > 0 {
				news[q[0]] = true
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"join": func(t *rapid.T) {
				account := rapid.SampledFrom(accounts).Draw(t, "account")
				model[account] = append(model[account], l.join(account))
				if len(model[account]) == 1 {
					first(account)
				}
			},
			"leave": func(t *rapid.T) {
				account := rapid.SampledFrom(accounts).Draw(t, "account")
				if len(model[account]) == 0 {
					t.Skip("nobody is there")
				}
				i := rapid.IntRange(0, len(model[account])-1).Draw(t, "place")
				l.leave(model[account][i])
				model[account] = slices.Delete(model[account], i, i+1)
				if i == 0 {
					first(account)
				}
			},
			"change": func(t *rapid.T) {
				account := rapid.SampledFrom(append([]string{""}, accounts...)).Draw(t, "account")
				for range rapid.IntRange(1, 3).Draw(t, "times") {
					l.changed(account)
				}
				for _, a := range accounts {
					if account == "" || a == account {
						first(a)
					}
				}
			},
			"": func(*rapid.T) { check() },
		})
	})
}

// A hundred thousand wait for one account, and as many for one each: limiters.md
// 3.2, 49.
func TestLines_ManyWaiters(t *testing.T) { //nolint:paralleltest // it measures the heap
	const n = 30_000
	alike := func(int) string { return "447700900001" }
	apart := func(i int) string { return fmt.Sprintf("4477%08d", i) }
	for name, test := range map[string]struct { //nolint:paralleltest // as above
		account func(int) string
		most    uint64 // bytes a waiter
	}{"one account": {alike, 256}, "an account each": {apart, 512}} {
		t.Run(name, func(t *testing.T) {
			l := lineLimiter(t, nil)
			keys := make([]string, n)
			for i := range keys {
				keys[i] = test.account(i)
			}
			before := heap()
			waiters := make([]*waiter, n)
			for i := range waiters {
				waiters[i] = l.join(keys[i])
			}
			each := (heap() - before) / n
			t.Logf("%d bytes a waiter", each)
			require.LessOrEqual(t, each, test.most)

			dice := rand.New(rand.NewPCG(1, 2))
			dice.Shuffle(n, func(i, j int) { waiters[i], waiters[j] = waiters[j], waiters[i] })
			for _, w := range waiters {
				l.leave(w)
			}
			waiters = nil
			require.Zero(t, l.awaiting.Load())
			for i := range l.lines {
				require.Nil(t, l.lines[i].of)
			}
			require.Less(t, int64(heap())-int64(before), int64(n), "bytes are left behind")
			runtime.KeepAlive(keys)
			runtime.KeepAlive(l)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
