package limiter_test

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// inUse is what is on the heap and in use.
func inUse() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// BenchmarkFlood pours millions of keys over a limiter with room for 100,000
// accounts. "live" accounts leave no room; "idle" ones make it, so that each key
// takes the place of another. grown-B is how much the heap grew meanwhile: nothing
// in the one, what chance adds to the fullest shards in the other.
func BenchmarkFlood(b *testing.B) {
	const room = 100_000
	window := policy.Policy{Rules: []policy.Rule{{Name: "window", Limit: policy.SlidingWindow{Max: 2, Window: time.Second}}}}
	day := policy.Policy{Rules: []policy.Rule{
		{Name: "bucket", Limit: policy.TokenBucket{Max: 1, Per: time.Hour, Burst: 5}},
		{Name: "day", Limit: policy.CalendarWindow{Max: 5, Unit: policy.Day}},
	}}
	for name, tt := range map[string]struct {
		policy policy.Policy
		pass   time.Duration // from key to key
		keys   int
		want   limiter.Answer
	}{
		"live": {day, 0, 10_000_000, limiter.Busy},
		"idle": {window, 40 * time.Microsecond, 2_000_000, limiter.Allowed},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				l, err := limiter.New(tt.policy, &limiter.Options{Seed: 1, MaxAccounts: room})
				require.NoError(b, err)
				now := benchStart
				req := limiter.Request{Action: policy.SendMessage}
				for i := range room {
					req.Account = fmt.Sprint("live", i)
					require.Equal(b, limiter.Allowed, l.Allow(now, req).Answer)
					now = now.Add(tt.pass)
				}
				before := inUse()
				b.StartTimer()
				for i := range tt.keys {
					req.Account = strconv.Itoa(i)
					now = now.Add(tt.pass)
					if d := l.Allow(now, req); d.Answer != tt.want {
						b.Fatalf("key %d: %+v", i, d)
					}
				}
				b.StopTimer()
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(tt.keys), "ns/key")
				b.ReportMetric((inUse()-before)/room, "grown-B/account")
				b.ReportMetric(before/room, "B/account")
				runtime.KeepAlive(l)
				b.StartTimer()
			}
		})
	}
}

// BenchmarkMemory fills limiters and reports what one more of a thing takes on the
// heap.
func BenchmarkMemory(b *testing.B) {
	const many = 100_000
	each := func(limit policy.Limit) policy.Policy {
		return policy.Policy{Rules: []policy.Rule{{Name: "pair", Scope: policy.ScopeRecipient, Limit: limit}}}
	}
	for _, tt := range []struct {
		name   string
		policy policy.Policy
	}{
		{"recipient/unique", only(policy.UniqueRecipients{Max: many, Window: time.Hour})},
		{"pair/bucket", each(policy.TokenBucket{Max: 1, Per: 6 * time.Second, Burst: 45})},
		{"pair/gap", each(policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second})},
		{"pair/day", each(policy.CalendarWindow{Max: 3, Unit: policy.Day})},
		{"pair/window", each(policy.SlidingWindow{Max: 3, Window: time.Hour})},
	} {
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				l, err := limiter.New(tt.policy, &limiter.Options{Seed: 1})
				require.NoError(b, err)
				before := inUse()
				b.StartTimer()
				req := limiter.Request{Account: "447700900001", Action: policy.SendMessage}
				for i := range many {
					req.Recipient = strconv.Itoa(i)
					if d := l.Allow(benchStart, req); d.Answer != limiter.Allowed {
						b.Fatalf("%d: %+v", i, d)
					}
				}
				b.StopTimer()
				b.ReportMetric((inUse()-before)/many, "B/each")
				runtime.KeepAlive(l)
				b.StartTimer()
			}
		})
	}
}
