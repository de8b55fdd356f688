package limiter_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// The faults found in other limiters that can be put to one in memory. Three of the
// thirty cannot: B23 is of replicas whose clocks set the time of a shared budget, B26
// of two commands to Redis between which a key has no end, and B27 of keys in Redis
// that do not live as long as their budget. Of B11 only the half in memory can. B10, B17 and B22 are put without Redis: what went wrong
// there is the arithmetic of periods and costs.
func TestFaultsOfOtherLimiters(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct {
		name string
		put  func(*testing.T)
	}{
		{"B01 times that go back and forth", peerTimesBackAndForth},
		{"B02 a reservation cancelled twice", peerCancelledTwice},
		{"B03 reservations cancelled out of order and late", peerCancelledOutOfOrder},
		{"B04 waits that were cancelled keep nothing", peerCancelledWaits},
		{"B05 rates of zero and intervals under a nanosecond", peerTinyIntervals},
		{"B06 the same limit twice, and in two orders", peerSameLimitTwice},
		{"B07 eviction while in use", peerEvictionInUse},
		{"B08 a cost whose duration overflows", peerCostOverflows},
		{"B09 a burst whose duration overflows", peerBurstOverflows},
		{"B10 a period that is not whole seconds", peerBrokenSeconds},
		{"B11 a key that all ask for", peerHotKey},
		{"B12 a peek that writes, and a flood of keys", peerFlood},
		{"B13 a cost above the burst", peerCostAboveBurst},
		{"B14 a refusal that loses part of a token", peerPartOfAToken},
		{"B15 rate zero and negative costs", peerNegativeCost},
		{"B16 costs above what is left, and as large as can be", peerLargestCost},
		{"B17 a period under a millisecond", peerShortPeriod},
		{"B18 a reset that is too early", peerReset},
		{"B19 limits forgotten before their period is over", peerForgotten},
		{"B20 a retry after nothing", peerRetryAfterNothing},
		{"B21 a wall clock that is set back", peerWallSetBack},
		{"B22 costs stored though refused, and refunds to another window", peerRefunds},
		{"B24 the length of months", peerMonths},
		{"B25 a fraction lost when the limit changes", peerFraction},
		{"B28 a flood that keeps itself out", peerKeepsItselfOut},
		{"B29 allowed and an error at once", peerPermitAndError},
		{"B30 a time that was read before another's charge", peerStaleTime},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			fault.put(t)
		})
	}
}

// admitted is how many of n requests at times of their own are allowed.
func admitted(l *limiter.Limiter, n int, at func(i int) time.Time) (sum int) {
	for i := range n {
		if l.Allow(at(i), request(1)).Answer == limiter.Allowed {
			sum++
		}
	}
	return sum
}

func peerTimesBackAndForth(t *testing.T) {
	for _, tt := range []struct {
		start time.Time
		back  time.Duration
	}{
		{monday, 1}, {monday, time.Second},
		{steady(), 1}, {steady(), time.Second}, {steady(), time.Hour},
	} {
		l := newLimiter(t, only(policy.TokenBucket{Max: 10, Per: time.Second, Burst: 10}))
		require.Equal(t, 10, admitted(l, 2000, func(i int) time.Time { return tt.start.Add(-tt.back * time.Duration(i%2)) }), "%v", tt.back)
	}
	// A clock that is set back by more and forth again, without a monotonic reading,
	// passes that time each time it goes forth: no more goes than passes.
	l := newLimiter(t, only(policy.TokenBucket{Max: 1, Per: time.Hour}))
	require.Equal(t, 1, admitted(l, 2000, func(i int) time.Time { return monday.Add(-time.Minute * time.Duration(i%2)) }))
}

func peerCancelledTwice(t *testing.T) {
	for name, limit := range sized(10) {
		l := newLimiter(t, only(limit))
		req := request(5)
		req.Recipient, req.NewContact = "r", true
		l.Allow(monday, req)
		before := l.Check(monday, request(1)).Remaining
		p, _ := l.Take(monday, req)
		p.Settle(monday, limiter.Unsent)
		once := l.Gates(monday, req)
		p.Settle(monday, limiter.Unsent)
		require.Equal(t, once, l.Gates(monday, req), name)
		require.LessOrEqual(t, l.Check(monday, request(1)).Remaining, before, name)
	}
}

func peerCancelledOutOfOrder(t *testing.T) {
	l := newLimiter(t, only(policy.SlidingWindow{Max: 10, Window: time.Minute}))
	first, _ := l.Take(monday, request(5))
	l.Take(monday, request(5))
	first.Settle(monday, limiter.Unsent)
	require.Equal(t, limiter.Allowed, l.Check(monday, request(5)).Answer)

	l = newLimiter(t, only(policy.TokenBucket{Max: 1, Per: time.Minute, Burst: 10}))
	now, _ := l.Take(monday, request(10))
	now.Settle(monday.Add(time.Millisecond), limiter.Unsent)
	require.Equal(t, limiter.Allowed, l.Check(monday.Add(time.Millisecond), request(10)).Answer)
}

func peerCancelledWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, only(policy.TokenBucket{Max: 1, Per: time.Second}))
		require.Equal(t, limiter.Allowed, l.Allow(time.Now(), request(1)).Answer)
		var waits sync.WaitGroup
		for range 5 {
			waits.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(time.Millisecond, cancel)
				_, err := limiter.Wait(ctx, nil, l, request(1))
				if err == nil {
					t.Error("a cancelled wait got a permit")
				}
			})
		}
		waits.Wait()
		require.Equal(t, time.Second-time.Millisecond, l.Check(time.Now(), request(1)).RetryAfter)
	})
}

func peerSameLimitTwice(t *testing.T) {
	window := func(name string) policy.Rule {
		return policy.Rule{Name: name, Limit: policy.SlidingWindow{Max: 100, Window: time.Hour}}
	}
	shared := policy.Rule{Name: "c", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 150, Window: time.Hour}}
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{window("a"), window("b"), shared}})
	require.NoError(t, l.SetPolicy(monday, bob, policy.Policy{Rules: []policy.Rule{shared, window("b"), window("a")}}))
	var sums [2]atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		crowd(func(caller int) {
			req := request(1)
			req.Account, req.Portfolio = []string{alice, bob}[caller%2], []string{"p", "p", "q"}[caller%3]
			for range 50 {
				if l.Allow(monday, req).Answer == limiter.Allowed {
					sums[caller%2].Add(1)
				}
			}
		})
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("a deadlock")
	}
	require.Equal(t, int64(100), sums[0].Load())
	require.Equal(t, int64(100), sums[1].Load())
}

func peerEvictionInUse(t *testing.T) {
	l, err := limiter.New(only(policy.SlidingWindow{Max: 500, Window: time.Hour}), &limiter.Options{MaxAccounts: 200})
	require.NoError(t, err)
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(1)).Answer) // alice has her room
	var sum, clock atomic.Int64
	crowd(func(caller int) {
		for i := range 300 {
			now := monday.Add(time.Duration(clock.Add(1)) * 10 * time.Millisecond)
			if caller%2 == 0 {
				// Accounts that are idle for a second make the limiter forget all the time.
				req := request(1)
				req.Account = fmt.Sprint(caller, "-", i)
				p, _ := l.Take(now, req)
				p.Settle(now, limiter.Unsent)
			} else if l.Allow(now, request(1)).Answer == limiter.Allowed {
				sum.Add(1)
			}
		}
	})
	require.Equal(t, int64(499), sum.Load(), "alice was forgotten, or refused for others")
	require.LessOrEqual(t, l.Accounts(), 200+callers)
}

func peerHotKey(t *testing.T) {
	l := newLimiter(t, only(policy.TokenBucket{Max: 1, Per: time.Hour, Burst: 100}))
	var allowed, later atomic.Int64
	crowd(func(int) {
		for range 500 {
			switch d := l.Allow(monday, request(1)); d.Answer {
			case limiter.Allowed:
				allowed.Add(1)
			case limiter.Later:
				later.Add(1)
			case limiter.Busy, limiter.Never:
				t.Errorf("%+v", d)
			}
		}
	})
	require.Equal(t, int64(100), allowed.Load())
	require.Equal(t, int64(callers*500-100), later.Load())
}

func peerFlood(t *testing.T) {
	l, err := limiter.New(only(policy.SlidingWindow{Max: 1, Window: time.Hour}), &limiter.Options{MaxAccounts: 100})
	require.NoError(t, err)
	l.Check(monday, request(1))
	l.Gates(monday, request(1))
	require.Zero(t, l.Accounts())
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(1)).Answer)
	refused := 0
	for i := range 10_000 {
		req := request(1)
		req.Account = fmt.Sprint("flood", i)
		if d := l.Allow(monday, req); d.Rule == "capacity" {
			refused++
		}
		if i%1000 == 0 {
			require.Equal(t, limiter.Later, l.Allow(monday, request(1)).Answer)
		}
	}
	require.Equal(t, 100, l.Accounts())
	require.Equal(t, 10_000-99, refused)
}

func peerReset(t *testing.T) {
	for _, broken := range []time.Duration{0, 1, 800 * time.Millisecond, time.Second - 1} {
		for _, limit := range []policy.Limit{
			policy.SlidingWindow{Max: 1, Window: time.Minute},
			policy.TokenBucket{Max: 1, Per: time.Minute},
			policy.CalendarWindow{Max: 1, Unit: policy.Minute},
		} {
			l, now := newLimiter(t, only(limit)), monday.Add(broken)
			reset := l.Allow(now, request(1)).Reset
			require.NotEqual(t, limiter.Allowed, l.Check(now.Add(reset-1), request(1)).Answer, "%+v", limit)
			require.Equal(t, limiter.Allowed, l.Check(now.Add(reset), request(1)).Answer, "%+v", limit)
		}
	}
}

func peerForgotten(t *testing.T) {
	l, err := limiter.New(only(policy.SlidingWindow{Max: 1, Window: time.Hour}), &limiter.Options{MaxAccounts: 20})
	require.NoError(t, err)
	require.NoError(t, l.SetPolicy(monday, bob, only(policy.SlidingWindow{Max: 3, Window: time.Hour})))
	bobs := request(1)
	bobs.Account = bob
	for minute := range 180 {
		now := monday.Add(time.Duration(minute) * time.Minute)
		want := limiter.Later
		if minute%60 == 0 {
			want = limiter.Allowed
		}
		require.Equal(t, want, l.Allow(now, request(1)).Answer, "minute %d", minute)
		for i := range 40 { // room is made all the time
			other := request(1)
			other.Account = fmt.Sprint(minute, "-", i)
			p, _ := l.Take(now, other)
			p.Settle(now, limiter.Unsent)
		}
		require.Equal(t, int64(3), l.Check(now, bobs).Limit)
	}
	l = newLimiter(t, only(policy.SlidingWindow{Max: 5, Window: time.Second}))
	require.Equal(t, 5, admitted(l, 60, func(i int) time.Time {
		return monday.Add(time.Second - 30*time.Millisecond + time.Duration(i)*time.Millisecond)
	}))
}

func peerRetryAfterNothing(t *testing.T) {
	l := newLimiter(t, only(policy.SlidingWindow{Max: 1, Window: 500 * time.Millisecond}))
	l.Allow(monday, request(1))
	require.Equal(t, 500*time.Millisecond, l.Allow(monday, request(1)).RetryAfter)
	require.Equal(t, time.Duration(1), l.Allow(monday.Add(500*time.Millisecond-1), request(1)).RetryAfter)
	require.Equal(t, limiter.Never, l.Allow(monday, request(-100)).Answer)
	require.Equal(t, limiter.Later, l.Allow(monday, request(1)).Answer)
}

func peerWallSetBack(t *testing.T) {
	for name, limit := range map[string]policy.Limit{
		"bucket":  policy.TokenBucket{Max: 10, Per: time.Second},
		"sliding": policy.SlidingWindow{Max: 1, Window: 100 * time.Millisecond},
		"gap":     policy.Gap{Min: 100 * time.Millisecond, Max: 100 * time.Millisecond},
	} {
		l := newLimiter(t, only(limit))
		l.Allow(monday, request(1))
		require.LessOrEqual(t, l.Allow(monday.Add(-time.Hour), request(1)).RetryAfter, 100*time.Millisecond, name)
		require.Equal(t, limiter.Allowed, l.Allow(monday.Add(100*time.Millisecond-time.Hour), request(1)).Answer, name)
	}
	l := newLimiter(t, only(policy.TokenBucket{Max: 2e9, Per: time.Second, Burst: 7}))
	require.Equal(t, 7, admitted(l, 100, func(int) time.Time { return monday }))
}

func peerRefunds(t *testing.T) {
	for name, limit := range map[string]policy.Limit{
		"sliding":  policy.SlidingWindow{Max: 5, Window: time.Minute},
		"bucket":   policy.TokenBucket{Max: 5, Per: time.Minute, Burst: 5},
		"calendar": policy.CalendarWindow{Max: 5, Unit: policy.Minute},
	} {
		l := newLimiter(t, only(limit))
		require.Equal(t, limiter.Never, l.Allow(monday, request(100)).Answer, name)
		require.Equal(t, int64(3), l.Allow(monday, request(2)).Remaining, name)
		require.Equal(t, limiter.Never, l.Allow(monday, request(7)).Answer, name)
		require.Equal(t, int64(3), l.Check(monday, request(7)).Remaining, name)

		// A refund of a charge that counts no more gives the next window nothing.
		p, d := l.Take(monday, request(3))
		require.Equal(t, limiter.Allowed, d.Answer, name)
		now := monday.Add(time.Minute)
		require.Equal(t, limiter.Allowed, l.Allow(now, request(5)).Answer, name)
		p.Settle(now, limiter.Unsent)
		require.Equal(t, limiter.Later, l.Check(now, request(1)).Answer, name)
	}
	// A refund of all there is moves no window.
	l := newLimiter(t, only(policy.CalendarWindow{Max: 5, Unit: policy.Minute}))
	p, _ := l.Take(monday.Add(30*time.Second), request(5))
	p.Settle(monday.Add(40*time.Second), limiter.Unsent)
	require.Equal(t, 20*time.Second, l.Allow(monday.Add(40*time.Second), request(5)).Reset)
}

func peerKeepsItselfOut(t *testing.T) {
	for name, limit := range map[string]policy.Limit{
		"sliding":  policy.SlidingWindow{Max: 1, Window: time.Minute},
		"bucket":   policy.TokenBucket{Max: 1, Per: time.Minute},
		"calendar": policy.CalendarWindow{Max: 1, Unit: policy.Minute},
		"gap":      policy.Gap{Min: time.Minute, Max: time.Minute},
	} {
		l := newLimiter(t, only(limit))
		require.Equal(t, 3, admitted(l, 1201, func(i int) time.Time { return monday.Add(time.Duration(i) * 100 * time.Millisecond) }), name)
	}
	l := newLimiter(t, only(policy.TokenBucket{Max: 1, Per: time.Minute}))
	l.Allow(monday, request(1))
	require.Equal(t, 20*time.Second, l.Allow(monday.Add(40*time.Second), request(1)).RetryAfter)
}

func peerPermitAndError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, only(policy.SlidingWindow{Max: 1, Window: time.Second}))
		for range 50 {
			require.NoError(t, waitOnce(context.Background(), t, l))
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Second, cancel) // as the window frees
			if err := waitOnce(ctx, t, l); err != nil {
				require.Equal(t, limiter.Allowed, l.Check(time.Now(), request(1)).Answer, "an error took the place")
			}
			cancel()
			time.Sleep(time.Second)
		}
	})
}

// waitOnce waits for a place and fails where a permit and an error come together.
func waitOnce(ctx context.Context, t *testing.T, l *limiter.Limiter) error {
	t.Helper()
	p, err := limiter.Wait(ctx, nil, l, request(1))
	require.Equal(t, err != nil, p == limiter.Permit{})
	return err
}

func peerStaleTime(t *testing.T) {
	now := steady()
	l := newLimiter(t, only(policy.TokenBucket{Max: 1, Per: time.Second}))
	require.Equal(t, limiter.Allowed, l.Allow(now.Add(500*time.Millisecond), request(1)).Answer)
	d := l.Allow(now, request(1)) // read 500 ms before, asked after
	require.Equal(t, limiter.Later, d.Answer)
	require.Equal(t, 1500*time.Millisecond, d.RetryAfter)
	require.Equal(t, time.Second, l.Allow(now.Add(500*time.Millisecond), request(1)).RetryAfter)
}
