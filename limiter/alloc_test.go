package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

//nolint:paralleltest // AllocsPerRun counts what other tests allocate too
func TestDecisionsDoNotAllocate(t *testing.T) {
	london := zone(t, "Europe/London")
	for name, p := range map[string]policy.Policy{
		"bucket":      only(policy.TokenBucket{Max: 1, Per: time.Minute}),
		"sliding":     only(policy.SlidingWindow{Max: 100, Window: 100 * time.Minute}),
		"chunked":     only(policy.SlidingWindow{Max: 5000, Window: 5000 * time.Minute}),
		"calendar":    only(policy.CalendarWindow{Max: 1, Unit: policy.Minute}),
		"london":      only(policy.CalendarWindow{Max: 1000, Unit: policy.Day, Location: london}),
		"gap":         only(policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}),
		"concurrency": only(policy.Concurrency{Max: 1}),
		"standard":    policy.Standard(),
		"strict":      policy.Strict(),
		"unlimited":   policy.Unlimited(),
	} {
		for clock, start := range map[string]time.Time{"": monday, " by the monotonic clock": steady()} {
			l := newLimiter(t, p)
			now := start
			send := func() {
				now = now.Add(30 * time.Minute)
				if l.Allow(now, request(1)).Answer != limiter.Allowed {
					t.Fatalf("%s: refused", name)
				}
				now = now.Add(30 * time.Minute)
				permit, d := l.Take(now, request(1))
				if d.Answer != limiter.Allowed {
					t.Fatalf("%s: refused", name)
				}
				permit.Settle(now.Add(time.Second), limiter.Outcome(1+now.Unix()/1800%3))
			}
			for range 3000 {
				send() // logs grow to their size once
			}
			require.Zero(t, testing.AllocsPerRun(200, send), "%s%s, allowed and settled", name, clock)

			if name == "unlimited" {
				continue
			}
			for l.Check(now, request(1)).Answer == limiter.Allowed {
				l.Take(now, request(1))
			}
			require.Zero(t, testing.AllocsPerRun(200, func() {
				now = now.Add(1)
				if l.Allow(now, request(1)).Answer == limiter.Allowed {
					t.Fatalf("%s: allowed", name)
				}
				l.Take(now, request(1))
			}), "%s%s, refused", name, clock)
			require.Zero(t, testing.AllocsPerRun(200, func() {
				now = now.Add(time.Second)
				l.Check(now, request(1))
			}), "%s%s, checked", name, clock)
			unknown := limiter.Request{Account: bob, Action: policy.SendMessage}
			require.Zero(t, testing.AllocsPerRun(200, func() { l.Check(now, unknown) }), "%s%s, a new account checked", name, clock)
		}
	}
}
