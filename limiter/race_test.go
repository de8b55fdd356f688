package limiter_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

const callers = 64

// crowd runs f on many goroutines at once and waits for them.
func crowd(f func(caller int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range callers {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// Of many that ask for an account's first and only place at once, one gets it.
func TestFirstUseOfAnAccountAdmitsOne(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]policy.Limit{
		"bucket":   policy.TokenBucket{Max: 1, Per: time.Hour},
		"sliding":  policy.SlidingWindow{Max: 1, Window: time.Hour},
		"calendar": policy.CalendarWindow{Max: 1, Unit: policy.Hour},
		"gap":      policy.Gap{Min: time.Hour, Max: time.Hour},
		"flying":   policy.Concurrency{Max: 1},
	} {
		for round := range 20 {
			l := newLimiter(t, only(limit))
			var admitted atomic.Int64
			crowd(func(int) {
				if _, d := l.Take(monday, request(1)); d.Answer == limiter.Allowed {
					admitted.Add(1)
				}
			})
			require.Equal(t, int64(1), admitted.Load(), "%s, round %d", name, round)
			require.Equal(t, 1, l.Accounts())
		}
	}
}

// Many goroutines share one account and have one each. The sums are those of one
// caller: never over a rule, and not short of it once all is quiet.
func TestSumsAreExactHoweverManyAsk(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "bucket", Limit: policy.TokenBucket{Max: 1, Per: time.Hour, Burst: 500}},
		{Name: "sliding", Limit: policy.SlidingWindow{Max: 400, Window: time.Hour}},
		{Name: "calendar", Limit: policy.CalendarWindow{Max: 600, Unit: policy.Day}},
		{Name: "chunked", Limit: policy.SlidingWindow{Max: 2000, Window: time.Hour}},
		{Name: "flying", Limit: policy.Concurrency{Max: callers}},
	}}
	l := newLimiter(t, p)
	var shared, unsent, flying atomic.Int64
	private := make([]int64, callers)
	crowd(func(caller int) {
		for i := range 60 {
			req := request(1)
			if i%2 == 0 {
				req.Account = fmt.Sprint("private", caller)
			}
			l.Check(monday, req)
			permit, d := l.Take(monday, req)
			if d.Answer != limiter.Allowed {
				l.Gates(monday, req)
				continue
			}
			switch {
			case i%2 == 0:
				private[caller]++
				permit.Settle(monday, limiter.Sent)
			case i%6 == 1:
				unsent.Add(1)
				permit.Settle(monday, limiter.Unsent)
				permit.Settle(monday, limiter.Sent)
			default:
				shared.Add(1)
				if i%6 == 3 {
					flying.Add(1) // never settled
					continue
				}
				permit.Settle(monday, limiter.Sent)
			}
		}
	})
	require.Positive(t, unsent.Load())
	require.LessOrEqual(t, shared.Load(), int64(400))
	for caller := range private {
		require.Equal(t, int64(30), private[caller])
	}
	for _, g := range l.Gates(monday, request(1)) {
		switch g.Rule {
		case "sliding":
			require.Equal(t, max(0, 400-shared.Load()-1), g.Remaining)
		case "calendar":
			require.Equal(t, 600-shared.Load()-1, g.Remaining)
		case "chunked":
			require.Equal(t, 2000-shared.Load()-1, g.Remaining)
		case "flying":
			require.Equal(t, max(0, callers-flying.Load()-1), g.Remaining)
		}
	}
	require.Len(t, l.State(alice).Flights, int(flying.Load()))
}

// Once all is quiet nothing is left over: a crowd that is refused no more has
// taken all that there was.
func TestCrowdIsNotLeftShort(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]policy.Limit{
		"bucket":   policy.TokenBucket{Max: 1, Per: time.Hour, Burst: 777},
		"sliding":  policy.SlidingWindow{Max: 777, Window: time.Hour},
		"calendar": policy.CalendarWindow{Max: 777, Unit: policy.Hour},
		"flying":   policy.Concurrency{Max: 777},
	} {
		l := newLimiter(t, only(limit))
		var admitted atomic.Int64
		crowd(func(int) {
			for {
				if _, d := l.Take(monday, request(1)); d.Answer != limiter.Allowed {
					return
				}
				admitted.Add(1)
			}
		})
		require.Equal(t, int64(777), admitted.Load(), name)
	}
}

// Whoever settles a permit, and however many do, it counts once.
func TestManySettleOnePermit(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
		{Name: "flying", Limit: policy.Concurrency{Max: 2}},
		{Name: "sliding", Limit: policy.SlidingWindow{Max: 1000, Window: time.Hour}},
	}})
	held, _ := l.Take(monday, request(1))
	for range 50 {
		permit, d := l.Take(monday, request(1))
		require.Equal(t, limiter.Allowed, d.Answer)
		crowd(func(int) { permit.Settle(monday, limiter.Unsent) })
	}
	require.Len(t, l.State(alice).Flights, 1)
	require.Len(t, l.State(alice).Logs[0], 1)
	held.Settle(monday, limiter.Unsent)
	require.Empty(t, l.State(alice).Logs[0])
}

// The order in which callers are decided, with times of their own clocks, keeps
// every promise: what is admitted is what one caller would get.
func TestCallersWithTimesOfTheirOwnKeepTheBound(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, only(policy.TokenBucket{Max: 1000, Per: time.Second, Burst: 10}))
	start := time.Now()
	var admitted atomic.Int64
	crowd(func(caller int) {
		for i := range 200 {
			// All clocks run to start + 200 ms, each a little out of step.
			now := start.Add(time.Duration(i)*time.Millisecond - time.Duration(caller)*time.Microsecond)
			if l.Allow(now, request(1)).Answer == limiter.Allowed {
				admitted.Add(1)
			}
		}
	})
	require.LessOrEqual(t, admitted.Load(), int64(10+199))
	require.GreaterOrEqual(t, admitted.Load(), int64(10))
}
