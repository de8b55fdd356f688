package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// TestAHoldElsewhereChangesNothing compares two limiters, one of which has a hold on
// an account that nobody uses, so that it looks for holds with every request. The
// other takes the straight way where it can.
func TestAHoldElsewhereChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		switch rapid.IntRange(0, 4).Draw(t, "preset") {
		case 0:
			p = policy.Standard()
		case 1:
			p = policy.Strict()
		case 2:
			p = policy.Policy{Rules: []policy.Rule{
				{Name: "minute", Limit: policy.SlidingWindow{Max: 3, Window: time.Minute}},
				{Name: "hour", Limit: policy.CalendarWindow{Max: 5, Unit: policy.Hour}},
				{Name: "gap", Limit: policy.Gap{Min: time.Second, Max: 9 * time.Second}},
				{Name: "one_at_a_time", Limit: policy.Concurrency{Max: 1}},
				{Name: "two_minutes", Limit: policy.SlidingWindow{Max: 4, Window: 2 * time.Minute}},
			}}
		}
		ttl := rapid.SampledFrom([]time.Duration{-1, time.Second, time.Minute}).Draw(t, "ttl")
		now, retry := drawStart(t), time.Duration(0)
		if rapid.Bool().Draw(t, "steady") {
			now = steady().Add(now.Sub(monday))
		}
		straight, around := withTTL(t, p, ttl), withTTL(t, p, ttl)
		require.NoError(t, around.Hold(now, limiter.Target{Account: "nobody"}, time.Time{}, "none"))
		var open [][2]limiter.Permit
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(drawPass(t, retry))
			if rapid.IntRange(0, 9).Draw(t, "back") == 0 {
				now = now.Add(-drawPass(t, time.Second))
			}
			req := drawRequest(t)
			req.Account = alice // of two, one may be forgotten in either limiter alone
			if rapid.Bool().Draw(t, "message") {
				req.Action = policy.SendMessage
			}
			req.Keep = rapid.SampledFrom([]int64{0, 0, 0, 1, 3}).Draw(t, "keep")
			var got, want limiter.Decision
			switch rapid.IntRange(0, 5).Draw(t, "call") {
			case 0, 1:
				got, want = straight.Allow(now, req), around.Allow(now, req)
			case 2:
				got, want = straight.Check(now, req), around.Check(now, req)
			case 3, 4:
				var permits [2]limiter.Permit
				permits[0], got = straight.Take(now, req)
				permits[1], want = around.Take(now, req)
				open = append(open, permits)
			default:
				if n := len(open); n > 0 {
					i, o := rapid.IntRange(0, n-1).Draw(t, "permit"), drawOutcome(t)
					open[i][0].Settle(now, o)
					open[i][1].Settle(now, o)
					open = append(open[:i:i], open[i+1:]...)
				}
				require.Equal(t, around.Gates(now, req), straight.Gates(now, req))
			}
			require.Equal(t, want, got, "%+v", req)
			if retry = got.RetryAfter; rapid.IntRange(0, 9).Draw(t, "look") > 0 {
				continue
			}
			was, err := around.Snapshot(now, alice)
			require.NoError(t, err)
			is, err := straight.Snapshot(now, alice)
			require.NoError(t, err)
			require.Equal(t, was, is)
		}
	})
}
