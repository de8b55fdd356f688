package limiter_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// gatesByRule is how each rule stands, in no order.
func gatesByRule(l *limiter.Limiter, now time.Time, req limiter.Request) map[string]limiter.Gate {
	gates := map[string]limiter.Gate{}
	for _, g := range l.Gates(now, req) {
		gates[g.Rule] = g
	}
	return gates
}

// stricter reports whether a rule lets through no more by a than by b.
func stricter(a, b limiter.Gate) bool {
	return a.Answer > b.Answer || a.Answer == b.Answer && a.RetryAfter >= b.RetryAfter && a.Remaining <= b.Remaining
}

// One request is taken in one limiter and never asked for in the other; all the
// rest is the same. Once it is settled as unsent the first limiter must not be the
// looser one, and where nothing came between not the stricter one either.
func TestUnsentGrantsNoMoreThanNeverAsked(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		with, without := newLimiter(t, p), newLimiter(t, p)
		now, retry := drawStart(t), time.Duration(0)
		type pair struct{ with, without limiter.Permit }
		var (
			open    []pair
			odd     limiter.Permit // the request that without never gets
			holding bool
			between = 0 // what the account did since it was taken
			exact   = true
			buckets = slices.ContainsFunc(p.Rules, func(r policy.Rule) bool {
				_, is := r.Limit.(policy.TokenBucket)
				return is
			})
		)
		same := func(req limiter.Request) {
			a, b := gatesByRule(with, now, req), gatesByRule(without, now, req)
			for rule := range b {
				require.True(t, stricter(a[rule], b[rule]), "%s: %+v with a request that was unsent, %+v without", rule, a[rule], b[rule])
			}
			if exact && !holding {
				require.Equal(t, b, a)
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(drawPass(t, retry))
			req := drawRequest(t)
			req.Account = alice
			same(req)
			switch step := rapid.IntRange(0, 9).Draw(t, "step"); {
			case step < 2 && !holding:
				var d limiter.Decision
				odd, d = with.Take(now, req)
				holding, between = d.Answer == limiter.Allowed, 0
			case step < 4 && holding:
				odd.Settle(now, limiter.Unsent)
				holding, exact = false, exact && between == 0
				same(req)
			case step < 8:
				a, d := with.Take(now, req)
				retry = d.RetryAfter
				if d.Answer != limiter.Allowed {
					break // without may allow it, but then it is not asked
				}
				b, d := without.Take(now, req)
				require.Equal(t, limiter.Allowed, d.Answer)
				open = append(open, pair{a, b})
				between++
			case len(open) > 0:
				i := rapid.IntRange(0, len(open)-1).Draw(t, "permit")
				o := drawOutcome(t)
				open[i].with.Settle(now, o)
				open[i].without.Settle(now, o)
				// A bucket takes the last charge back, and no longer knows that
				// this was the last before the one it has taken back.
				exact = exact && (o != limiter.Unsent || !buckets)
				open = append(open[:i:i], open[i+1:]...)
				between++
			}
		}
	})
}

// Windows, counts and gaps are back where they started whatever order permits come
// back in, and a bucket as far as its last charge goes.
func TestThreePermitsComeBackInAnyOrder(t *testing.T) {
	t.Parallel()
	limits := map[string]policy.Limit{
		"sliding":     policy.SlidingWindow{Max: 9, Window: time.Minute},
		"chunked":     policy.SlidingWindow{Max: 9000, Window: time.Minute},
		"calendar":    policy.CalendarWindow{Max: 9, Unit: policy.Hour},
		"concurrency": policy.Concurrency{Max: 9},
		"bucket":      policy.TokenBucket{Max: 9, Per: time.Minute, Burst: 9},
	}
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		for name, limit := range limits {
			t.Run(fmt.Sprint(name, order), func(t *testing.T) {
				t.Parallel()
				l := newLimiter(t, only(limit))
				fresh := l.Check(monday.Add(time.Second), request(9))
				var permits [3]limiter.Permit
				for i := range permits {
					permits[i], _ = l.Take(monday.Add(time.Duration(i)), request(int64(i)+2))
				}
				for _, i := range order {
					permits[i].Settle(monday.Add(time.Second), limiter.Unsent)
				}
				got := l.Check(monday.Add(time.Second), request(9))
				if name != "bucket" {
					require.Equal(t, fresh, got)
				} else {
					// Only the last charge, of 4, comes back, and the first two are
					// owed until their tokens have come back: 5 less what a second gave.
					require.Equal(t, limiter.Later, got.Answer)
					require.Equal(t, int64(4), got.Remaining)
				}
				require.Empty(t, l.State(alice).Flights)
			})
		}
	}
}

// A permit is settled once, whatever its copies and other permits do.
func TestPermitIsSettledOnce(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, only(policy.Concurrency{Max: 3}))
	a, _ := l.Take(monday, request(1))
	copied := a
	a.Settle(monday, limiter.Sent)
	b, _ := l.Take(monday, request(1)) // may well be kept where a was
	held := l.State(alice)
	for range 3 {
		a.Settle(monday, limiter.Unsent)
		copied.Settle(monday, limiter.Sent)
		limiter.Permit{}.Settle(monday, limiter.Sent)
	}
	require.Equal(t, held, l.State(alice))
	require.Len(t, held.Flights, 1)
	b.Settle(monday, limiter.Sent)
	require.Empty(t, l.State(alice).Flights)
}

// A charge that was over, or had no room, when a change of policy took the rule from
// many charges to few is not there to be given back.
func TestUnsentAfterAChangeThatLeftItOut(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		most int64
		wait time.Duration
		left int64
	}{
		"it was over":        {5, time.Minute, 5},
		"nothing has room":   {0, time.Second, 0},
		"some of it had not": {1, time.Second, 0}, // a full window may hold others' charges
	} {
		l := newLimiter(t, only(policy.SlidingWindow{Max: 2000, Window: time.Minute}))
		p, d := l.Take(monday, request(2))
		require.Equal(t, limiter.Allowed, d.Answer)
		now := monday.Add(tt.wait)
		setPolicy(t, l, now, only(policy.SlidingWindow{Max: tt.most, Window: time.Minute}))
		p.Settle(now, limiter.Unsent)
		require.Equal(t, tt.left, l.Gates(now, request(tt.most+1))[0].Remaining, name)
	}
}

// Of two charges of one instant that found room for one, the unsent one is not taken
// for the other.
func TestUnsentAfterAChangeTakesNoOtherCharge(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, only(policy.SlidingWindow{Max: 2000, Window: time.Minute}))
	p, _ := l.Take(monday, request(1))
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(2)).Answer)
	setPolicy(t, l, monday, only(policy.SlidingWindow{Max: 2, Window: time.Minute}))
	p.Settle(monday, limiter.Unsent)
	require.Equal(t, limiter.Later, l.Check(monday, request(1)).Answer, "the other charge of 2 fills the window")
}
