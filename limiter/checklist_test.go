package limiter_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// Waiting for RetryAfter is enough, and a nanosecond less is not: rates of 1 to a
// million in a millisecond to 400 days.
func TestRetryAfterIsExactAtAnyRate(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 9))
	for range 1000 / slower {
		most := int64(math.Exp(rng.Float64() * math.Log(1e6)))
		per := time.Duration(math.Exp(rng.Float64()*math.Log(400*24*3600*1e3)) * 1e6)
		burst := 1 + rng.Int64N(20)
		if most/20 >= int64(per) {
			continue
		}
		for _, limit := range []policy.Limit{
			policy.TokenBucket{Max: most, Per: per, Burst: burst},
			policy.SlidingWindow{Max: burst, Window: per},
			policy.SlidingWindow{Max: 1500, Window: per},
		} {
			l, now := newLimiter(t, only(limit)), monday
			for range 5 {
				cost := 1 + rng.Int64N(burst)
				d := l.Allow(now, request(cost))
				for d.Answer == limiter.Allowed {
					now = now.Add(time.Duration(rng.Int64N(int64(per)/most/2 + 1))) // less than refills a token
					d = l.Allow(now, request(max(cost, d.Limit/3)))
					cost = max(cost, d.Limit/3)
				}
				require.Equal(t, limiter.Later, d.Answer, "%+v", limit)
				require.NotEqual(t, limiter.Allowed, l.Allow(now.Add(d.RetryAfter-1), request(cost)).Answer, "%+v", limit)
				require.Equal(t, limiter.Allowed, l.Allow(now.Add(d.RetryAfter), request(cost)).Answer, "%+v", limit)
				now = now.Add(d.RetryAfter)
			}
		}
	}
}

// 9 of 10 per 100 ns are there after 97 ns, and the 7 ns over are not lost: the next
// is there 3 ns later, not 10.
func TestWhatADivisionLeavesIsNotLost(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, only(policy.TokenBucket{Max: 10, Per: 100, Burst: 10}))
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(10)).Answer)
	require.Equal(t, limiter.Allowed, l.Allow(monday.Add(97), request(9)).Answer)
	require.Equal(t, limiter.Later, l.Allow(monday.Add(99), request(1)).Answer)
	require.Equal(t, limiter.Allowed, l.Allow(monday.Add(100), request(1)).Answer)
}

// A refund that fills the bucket leaves no part of a token on top.
func TestARefundFillsABucketAndNoMore(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, only(policy.TokenBucket{Max: 3, Per: 100, Burst: 3}))
	l.Allow(monday, request(1))
	p, _ := l.Take(monday.Add(17), request(2))
	p.Settle(monday.Add(25), limiter.Unsent)
	now := monday.Add(50)
	require.Equal(t, limiter.Allowed, l.Allow(now, request(3)).Answer)
	require.Equal(t, time.Duration(34), l.Allow(now, request(1)).RetryAfter) // 33 1/3 ns from empty
}

// After a suspension, of a process or of a whole machine, there is one burst.
func TestAtMostOneBurstAfterASuspension(t *testing.T) {
	t.Parallel()
	for name, limit := range sized(5) {
		if name == "people" || name == "contacts" {
			continue
		}
		l := newLimiter(t, only(limit))
		require.Equal(t, 5, admitted(l, 20, func(int) time.Time { return monday }), name)
		require.Equal(t, 5, admitted(l, 20, func(int) time.Time { return monday.AddDate(0, 3, 0) }), name)
	}
	l := newLimiter(t, only(policy.Gap{Min: time.Minute, Max: time.Minute}))
	require.Equal(t, 1, admitted(l, 20, func(int) time.Time { return monday }))
	require.Equal(t, 1, admitted(l, 20, func(int) time.Time { return monday.AddDate(0, 3, 0) }))
}

// What was spent many windows ago counts for nothing.
func TestIdleForManyWindowsLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, limit := range sized(5) {
		for _, idle := range []time.Duration{2 * time.Hour, 1000 * time.Hour, 100_000 * time.Hour} {
			l := newLimiter(t, only(limit))
			req := request(3)
			req.Recipient, req.NewContact = "r", true
			l.Allow(monday, req)
			req.Recipient = "s"
			want := newLimiter(t, only(limit)).Check(monday.Add(idle), req)
			require.Equal(t, want, l.Check(monday.Add(idle), req), name)
		}
	}
}

// One instant is one instant, whatever zone the time that tells it is in.
func TestTheZoneOfATimeMattersNothing(t *testing.T) {
	t.Parallel()
	tokyo := zone(t, "Asia/Tokyo")
	for _, unit := range []policy.Unit{policy.Minute, policy.Hour, policy.Day, policy.Week, policy.Month} {
		p := only(policy.CalendarWindow{Max: 2, Unit: unit, Location: zone(t, "America/Sao_Paulo")})
		utc, local, turns := newLimiter(t, p), newLimiter(t, p), newLimiter(t, p)
		for i := range 400 {
			now := monday.Add(time.Duration(i) * 41 * time.Minute)
			want := utc.Allow(now.UTC(), request(1))
			require.Equal(t, want, local.Allow(now.In(tokyo), request(1)))
			require.Equal(t, want, turns.Allow([]time.Time{now, now.In(tokyo)}[i%2], request(1)))
		}
	}
}

// A rolling day and a calendar day on one account are both kept, each with its own
// way to free.
func TestRollingAndCalendarDayTogether(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
		{Name: "rolling", Limit: policy.SlidingWindow{Max: 3, Window: 24 * time.Hour}},
		{Name: "calendar", Limit: policy.CalendarWindow{Max: 2, Unit: policy.Day, Location: time.UTC}},
	}})
	noon := monday.Truncate(24 * time.Hour).Add(12 * time.Hour)
	require.Equal(t, limiter.Allowed, l.Allow(noon, request(2)).Answer)
	d := l.Allow(noon.Add(time.Hour), request(1))
	require.Equal(t, "calendar", d.Rule)
	require.Equal(t, 11*time.Hour, d.RetryAfter)
	require.Equal(t, limiter.Allowed, l.Allow(noon.Add(12*time.Hour), request(1)).Answer)
	d = l.Allow(noon.Add(13*time.Hour), request(1))
	require.Equal(t, "rolling", d.Rule)
	require.Equal(t, 11*time.Hour, d.RetryAfter)
	require.Equal(t, limiter.Allowed, l.Allow(noon.Add(24*time.Hour), request(1)).Answer)
}

// A limiter has nothing to close: once dropped, with permits in flight and all, it is
// collected.
func TestADroppedLimiterIsCollected(t *testing.T) {
	t.Parallel()
	dropped := func() weak.Pointer[limiter.Limiter] {
		l := spent(t, monday)
		return weak.Make(l)
	}()
	for range 20 {
		runtime.GC()
		if dropped.Value() == nil {
			return
		}
	}
	t.Fatal("the limiter is still there")
}
