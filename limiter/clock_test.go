package limiter_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A step back of up to a second reads as the latest time. A larger one starts
// every wait again, in full, from the new time, once.
func TestClockThatStepsBack(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tell(t, []story{
		{
			name: "gap", limit: policy.Gap{Min: 10 * s, Max: 10 * s},
			steps: []step{
				{0, allow(1), yes(1, 0, 0)},
				{-1, check(1), wait(10*s+1, 1, 0, 10*s+1)},
				{-s, allow(1), wait(11*s, 1, 0, 11*s)},
				{9 * s, check(1), wait(s, 1, 0, s)}, // nothing has moved
				{-s - 1, allow(1), wait(10*s, 1, 0, 10*s)},
				{-s - 1, allow(1), wait(10*s, 1, 0, 10*s)}, // once
				{-s, allow(1), wait(10*s-1, 1, 0, 10*s-1)},
				{9*s - 1, allow(1), yes(1, 0, 0)},
				{9*s - 1, allow(1), wait(10*s, 1, 0, 10*s)},
			},
		},
		{
			name: "a gap whose pause is over stays over", limit: policy.Gap{Min: 10 * s, Max: 10 * s},
			steps: []step{
				{0, allow(1), yes(1, 0, 0)},
				{10 * s, take("a", 1), yes(1, 0, 0)},
				{11 * s, settle("a", limiter.Unsent), limiter.Gate{}},
				{-time.Hour, allow(1), yes(1, 0, 0)},
			},
		},
		{
			name: "bucket", limit: policy.TokenBucket{Max: 1, Per: 10 * s, Burst: 2},
			steps: []step{
				{0, allow(1), yes(2, 1, 10*s)},
				{5 * s, allow(1), yes(2, 0, 15*s)},
				{4 * s, allow(1), wait(6*s, 2, 0, 16*s)},
				{4*s - 1, allow(1), wait(5*s, 2, 0, 15*s)},
				{4*s - 1, allow(1), wait(5*s, 2, 0, 15*s)},
				{9*s - 1, allow(1), yes(2, 0, 20*s)},
			},
		},
		{
			name: "a full bucket stays full", limit: policy.TokenBucket{Max: 1, Per: 10 * s},
			steps: []step{
				{0, allow(1), yes(1, 0, 10*s)},
				{10 * s, take("a", 1), yes(1, 0, 10*s)},
				{30 * s, settle("a", limiter.Unsent), limiter.Gate{}},
				{0, allow(1), yes(1, 0, 10*s)},
			},
		},
		{
			name: "sliding window", limit: policy.SlidingWindow{Max: 2, Window: 10 * s},
			steps: []step{
				{0, allow(1), yes(2, 1, 10*s)},
				{5 * s, allow(1), yes(2, 0, 5*s)},
				{4 * s, allow(1), wait(6*s, 2, 0, 6*s)},
				{4*s - 1, allow(1), wait(10*s, 2, 0, 10*s)},
				{4 * s, allow(1), wait(10*s-1, 2, 0, 10*s-1)},
				{14*s - 1, allow(2), yes(2, 0, 10*s)},
			},
		},
		{
			name: "what had left a sliding window stays out", limit: policy.SlidingWindow{Max: 2, Window: 10 * s},
			steps: []step{
				{0, allow(1), yes(2, 1, 10*s)},
				{11 * s, allow(1), yes(2, 1, 10*s)},
				{0, allow(1), yes(2, 0, 10*s)},
				{0, allow(1), wait(10*s, 2, 0, 10*s)},
			},
		},
		{
			name: "chunked window", limit: policy.SlidingWindow{Max: 2048, Window: 10 * s},
			steps: []step{
				{0, allow(1024), yes(2048, 1024, 10*s)},
				{5 * s, allow(1024), yes(2048, 0, 5*s)},
				{4*s - 1, allow(1), wait(10*s, 2048, 0, 10*s)},
				{14*s - 1, allow(2048), yes(2048, 0, 10*s)},
			},
		},
		{
			name: "a calendar window is never opened again", limit: policy.CalendarWindow{Max: 2, Unit: policy.Hour},
			steps: []step{
				{0, allow(1), yes(2, 1, time.Hour)},
				{-time.Minute, allow(1), yes(2, 0, time.Hour+time.Minute)},
				{-time.Minute, allow(1), wait(time.Hour+time.Minute, 2, 0, time.Hour+time.Minute)},
				{time.Hour - 1, allow(1), wait(1, 2, 0, 1)},
				{time.Hour, allow(1), yes(2, 1, time.Hour)},
			},
		},
		{
			name: "nor once what opened a later one was given back", limit: policy.CalendarWindow{Max: 3, Unit: policy.Day},
			start: monday.Truncate(24 * time.Hour),
			steps: []step{
				{-2 * s, allow(3), yes(3, 0, 2*s)},
				{s, take("a", 1), yes(3, 2, 24*time.Hour-s)},
				{s, settle("a", limiter.Unsent), limiter.Gate{}},
				{-s, allow(1), wait(s, 3, 0, s)},
				{0, allow(3), yes(3, 0, 24*time.Hour)},
				{s, allow(1), wait(24*time.Hour-s, 3, 0, 24*time.Hour-s)},
				{24 * time.Hour, allow(3), yes(3, 0, 24*time.Hour)},
			},
		},
		{
			name: "nor once one far ahead was given back", limit: policy.CalendarWindow{Max: 3, Unit: policy.Hour},
			start: monday,
			steps: []step{
				{0, allow(3), yes(3, 0, time.Hour)},
				{1000 * time.Hour, take("a", 1), yes(3, 2, time.Hour)},
				{1000 * time.Hour, settle("a", limiter.Unsent), limiter.Gate{}},
				{s, allow(1), wait(time.Hour-s, 3, 0, time.Hour-s)},
				{time.Hour, allow(3), yes(3, 0, time.Hour)},
			},
		},
		{
			name: "one before it that was never opened goes by the later", limit: policy.CalendarWindow{Max: 3, Unit: policy.Day},
			start: monday.Truncate(24 * time.Hour),
			steps: []step{
				{24 * time.Hour, take("a", 1), yes(3, 2, 24*time.Hour)},
				{24 * time.Hour, settle("a", limiter.Unsent), limiter.Gate{}},
				{-30 * s, check(1), wait(30*s, 3, 0, 30*s)},
				{0, allow(2), yes(3, 1, 48*time.Hour)},
				{24 * time.Hour, allow(2), wait(24*time.Hour, 3, 1, 24*time.Hour)},
				{48 * time.Hour, allow(3), yes(3, 0, 24*time.Hour)},
			},
		},
		{
			name: "concurrency", limit: policy.Concurrency{Max: 1},
			steps: []step{
				{0, take("a", 1), yes(1, 0, 0)},
				{-time.Hour, take("b", 1), busy(1)},
				{-time.Hour, settle("a", limiter.Sent), limiter.Gate{}},
				{-time.Hour, take("b", 1), yes(1, 0, 0)},
			},
		},
		{
			name: "a send in flight ends at the new time", limit: policy.Gap{Min: 10 * s, Max: 10 * s},
			steps: []step{
				{0, take("a", 1), yes(1, 0, 0)},
				{-time.Hour, check(1), busy(1)},
				{-time.Hour + s, settle("a", limiter.Sent), limiter.Gate{}},
				{-time.Hour + s, allow(1), wait(10*s, 1, 0, 10*s)},
			},
		},
		{
			name: "a charge that cannot be told apart any more stays", limit: policy.SlidingWindow{Max: 2, Window: 10 * s},
			steps: []step{
				{0, take("a", 1), yes(2, 1, 10*s)},
				{-time.Hour, take("b", 1), yes(2, 0, 10*s)},
				{-time.Hour, settle("a", limiter.Unsent), limiter.Gate{}},
				{-time.Hour, check(1), wait(10*s, 2, 0, 10*s)},
				{-time.Hour, settle("b", limiter.Unsent), limiter.Gate{}},
				{-time.Hour, check(1), yes(2, 0, 10*s)},
			},
		},
	})
}

// fillable is a limit, the cost that fills it, and how long it then takes to free
// from [monday] on.
type fillable struct {
	limit policy.Limit
	cost  int64
	free  time.Duration
}

// ticking is one limit of each kind that looks at ticks alone.
func ticking() map[string]fillable {
	return map[string]fillable{
		"gap":     {policy.Gap{Min: time.Minute, Max: time.Minute}, 1, time.Minute},
		"bucket":  {policy.TokenBucket{Max: 1, Per: time.Minute, Burst: 3}, 3, time.Minute},
		"sliding": {policy.SlidingWindow{Max: 3, Window: time.Minute}, 3, time.Minute},
		"chunked": {policy.SlidingWindow{Max: 3000, Window: time.Minute}, 3000, time.Minute},
	}
}

// full is ticking and a calendar window of each unit.
func full() map[string]fillable {
	all := map[string]fillable{
		"minute": {policy.CalendarWindow{Max: 3, Unit: policy.Minute}, 3, time.Minute},
		"hour":   {policy.CalendarWindow{Max: 3, Unit: policy.Hour}, 3, time.Hour},
		"day":    {policy.CalendarWindow{Max: 3, Unit: policy.Day}, 3, 16 * time.Hour},
		"week":   {policy.CalendarWindow{Max: 3, Unit: policy.Week}, 3, 7*24*time.Hour - 8*time.Hour},
		"month":  {policy.CalendarWindow{Max: 3, Unit: policy.Month}, 3, 27*24*time.Hour - 8*time.Hour},
	}
	maps.Copy(all, ticking())
	return all
}

// A clock that ran a year ahead and comes back makes nobody wait for a year, and
// what was spent by it is not forgotten either.
func TestClockThatRanAYearAheadAndCameBack(t *testing.T) {
	t.Parallel()
	for name, tt := range full() {
		for _, settledBack := range []bool{false, true} {
			l := newLimiter(t, only(tt.limit))
			p, d := l.Take(monday.AddDate(1, 0, 0), request(tt.cost))
			require.Equal(t, limiter.Allowed, d.Answer, name)
			if settledBack {
				p.Settle(monday, limiter.Sent)
			} else {
				p.Settle(monday.AddDate(1, 0, 0), limiter.Sent)
			}
			d = l.Check(monday, request(1))
			require.Equal(t, limiter.Later, d.Answer, name)
			require.Equal(t, tt.free, d.RetryAfter, name)
			require.Equal(t, limiter.Allowed, l.Allow(monday.Add(d.RetryAfter), request(1)).Answer, name)
		}
	}
}

// Callers whose times are up to a second out of order get what they would get for
// the latest time at which anything was taken or settled.
func TestTimesOutOfOrderReadAsTheLatest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		shaken, steady := newLimiter(t, p), newLimiter(t, p)
		now := drawStart(t)
		latest := now.Add(-time.Second) // nothing was taken yet
		type pair struct{ shaken, steady limiter.Permit }
		var open []pair
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(drawPass(t, 0))
			early := now.Add(-time.Duration(rapid.SampledFrom([]int64{0, 0, 1, 5e8, 1e9}).Draw(t, "early")))
			if early.Before(latest.Add(-time.Second)) {
				early = latest.Add(-time.Second)
			}
			at := early
			if at.Before(latest) {
				at = latest
			}
			req := drawRequest(t)
			req.Account = alice
			if len(open) > 0 && rapid.Bool().Draw(t, "settle") {
				o := drawOutcome(t)
				open[0].shaken.Settle(early, o)
				open[0].steady.Settle(at, o)
				open, latest = open[1:], at
				continue
			}
			a, d := shaken.Take(early, req)
			b, e := steady.Take(at, req)
			if e.Answer == limiter.Later || e.Answer == limiter.Busy && e.RetryAfter > 0 {
				e.RetryAfter += at.Sub(early)
			}
			e.Reset, d.Reset = 0, 0
			require.Equal(t, e, d)
			if d.Answer == limiter.Allowed && a != (limiter.Permit{}) {
				open, latest = append(open, pair{a, b}), at
			}
		}
	})
}

// The bug of limiters that store the time they are given: asking for t and for a
// second before it, in turns, fills the bucket again and again.
func TestAskingBackAndForthAdmitsNoMore(t *testing.T) {
	t.Parallel()
	for name, tt := range full() {
		forth, turns := newLimiter(t, only(tt.limit)), newLimiter(t, only(tt.limit))
		var want, got int
		for i := range 2000 {
			now := monday.Add(time.Duration(i) * 100 * time.Millisecond)
			if forth.Allow(now, request(tt.cost)).Answer == limiter.Allowed {
				want++
			}
			for _, at := range []time.Time{now, now.Add(-time.Second)} {
				if turns.Allow(at, request(tt.cost)).Answer == limiter.Allowed {
					got++
				}
			}
		}
		require.LessOrEqual(t, got, want, name)
		require.Positive(t, want, name)
	}
	l := newLimiter(t, only(policy.TokenBucket{Max: 10, Per: time.Second, Burst: 10}))
	allowed := 0
	for i := range 2000 {
		if l.Allow(monday.Add(-time.Duration(i%2)*time.Second), request(1)).Answer == limiter.Allowed {
			allowed++
		}
	}
	require.Equal(t, 10, allowed)
}

// A monotonic reading that is behind comes from a caller that was overtaken: it
// reads as the latest time, however far behind, and starts nothing again.
func TestOvertakenCallerReadsAsTheLatest(t *testing.T) {
	t.Parallel()
	now := steady()
	for name, tt := range ticking() {
		l := newLimiter(t, only(tt.limit))
		late := now.Add(3 * time.Hour)
		require.Equal(t, limiter.Allowed, l.Allow(late, request(tt.cost)).Answer)
		before := l.State(alice)
		d := l.Allow(now, request(1))
		require.Equal(t, limiter.Later, d.Answer, name)
		require.Equal(t, 3*time.Hour+tt.free, d.RetryAfter, name)
		require.Equal(t, before, l.State(alice), name)
		require.Equal(t, limiter.Allowed, l.Allow(late.Add(tt.free), request(1)).Answer, name)
	}
}

// A permit may be settled with any time at all; one that makes no sense neither
// wipes out what the account has spent nor locks it.
func TestSettleTakesAnyTime(t *testing.T) {
	t.Parallel()
	for _, end := range []time.Time{{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		for name, tt := range full() {
			l := newLimiter(t, only(tt.limit))
			p, d := l.Take(monday, request(tt.cost))
			require.Equal(t, limiter.Allowed, d.Answer)
			p.Settle(end, limiter.Sent)
			require.Equal(t, tt.free, l.Check(monday, request(1)).RetryAfter, "%s settled at %v", name, end)
		}
	}
}

// The first and the last nanosecond that ticks can count are times like any other.
func TestFirstAndLastTime(t *testing.T) {
	t.Parallel()
	first, last := time.Unix(-9223372035, 0), time.Unix(9223372035, 999_999_999)
	for _, beyond := range []time.Time{time.Unix(-9223372036, 999_999_999), time.Unix(9223372036, 0), time.Unix(9223372036, 999_999_999)} {
		require.Equal(t, "request", newLimiter(t, policy.Standard()).Check(beyond, request(1)).Rule)
	}
	for name, tt := range full() {
		l := newLimiter(t, only(tt.limit))
		require.Equal(t, limiter.Allowed, l.Allow(first, request(tt.cost)).Answer, name)
		require.Equal(t, limiter.Later, l.Check(first, request(1)).Answer, name)
		require.Equal(t, limiter.Allowed, l.Check(last.Add(-time.Hour), request(1)).Answer, name)
		require.NoError(t, l.Check(first.Add(tt.free*2), request(1)).Err(), name)

		l = newLimiter(t, only(tt.limit))
		if l.Allow(last, request(tt.cost)).Answer == limiter.Allowed {
			require.NotEqual(t, limiter.Allowed, l.Check(last, request(1)).Answer, name)
			require.NotEqual(t, limiter.Allowed, l.Check(last.Add(1), request(1)).Answer, name)
		}
	}
}
