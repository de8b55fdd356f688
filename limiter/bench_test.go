package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// kinds are one rule of each kind that frees within an hour of one charge, and
// the presets.
func benchPolicies() map[string]policy.Policy {
	one := func(l policy.Limit) policy.Policy {
		return policy.Policy{Rules: []policy.Rule{{Name: "only", Limit: l}}}
	}
	return map[string]policy.Policy{
		"token_bucket":    one(policy.TokenBucket{Max: 1, Per: time.Minute}),
		"sliding_window":  one(policy.SlidingWindow{Max: 100, Window: 100 * time.Minute}),
		"calendar_window": one(policy.CalendarWindow{Max: 1, Unit: policy.Minute}),
		"gap":             one(policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}),
		"concurrency":     one(policy.Concurrency{Max: 1}),
		"standard":        policy.Standard(),
	}
}

var benchStart = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// BenchmarkDecision is one decision of one account, the time given: Allow on a
// clock that moves far enough for every request to be allowed, Allow and Check
// where every request is refused. x/time/rate's AllowN stands beside it.
func BenchmarkDecision(b *testing.B) {
	req := limiter.Request{Account: "447700900001", Action: policy.SendMessage}
	for name, p := range benchPolicies() {
		b.Run("allowed/"+name, func(b *testing.B) {
			l, err := limiter.New(p, &limiter.Options{Seed: 1})
			require.NoError(b, err)
			b.ReportAllocs()
			now := benchStart
			for b.Loop() {
				now = now.Add(3 * time.Minute)
				if l.Allow(now, req).Answer != limiter.Allowed {
					b.Fatal("refused")
				}
			}
		})
		b.Run("refused/"+name, func(b *testing.B) {
			l, err := limiter.New(p, &limiter.Options{Seed: 1})
			require.NoError(b, err)
			for l.Check(benchStart, req).Answer == limiter.Allowed {
				l.Take(benchStart, req)
			}
			b.ReportAllocs()
			for b.Loop() {
				if l.Allow(benchStart, req).Answer == limiter.Allowed {
					b.Fatal("allowed")
				}
			}
		})
		b.Run("check/"+name, func(b *testing.B) {
			l, err := limiter.New(p, &limiter.Options{Seed: 1})
			require.NoError(b, err)
			l.Allow(benchStart, req)
			b.ReportAllocs()
			now := benchStart
			for b.Loop() {
				now = now.Add(time.Microsecond)
				l.Check(now, req)
			}
		})
		b.Run("settled/"+name, func(b *testing.B) {
			l, err := limiter.New(p, &limiter.Options{Seed: 1})
			require.NoError(b, err)
			b.ReportAllocs()
			now := benchStart
			for b.Loop() {
				now = now.Add(3 * time.Minute)
				permit, d := l.Take(now, req)
				if d.Answer != limiter.Allowed {
					b.Fatal("refused")
				}
				permit.Settle(now.Add(time.Second), limiter.Sent)
			}
		})
	}
	b.Run("allowed/x-time-rate", func(b *testing.B) {
		l := rate.NewLimiter(rate.Every(time.Minute), 1)
		b.ReportAllocs()
		now := benchStart
		for b.Loop() {
			now = now.Add(3 * time.Minute)
			if !l.AllowN(now, 1) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("refused/x-time-rate", func(b *testing.B) {
		l := rate.NewLimiter(rate.Every(time.Minute), 1)
		l.AllowN(benchStart, 1)
		b.ReportAllocs()
		for b.Loop() {
			if l.AllowN(benchStart, 1) {
				b.Fatal("allowed")
			}
		}
	})
}

// BenchmarkFork forks an account that has sent some, and rewinds it.
func BenchmarkFork(b *testing.B) {
	l, err := limiter.New(policy.Standard(), nil)
	require.NoError(b, err)
	req := limiter.Request{Account: alice, Action: policy.SendMessage, Recipient: "r"}
	require.Equal(b, limiter.Allowed, l.Allow(monday, req).Answer)
	b.Run("fork", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = l.Fork(monday, alice, "")
		}
	})
	b.Run("rewind", func(b *testing.B) {
		fork, err := l.Fork(monday, alice, "")
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			at, _ := fork.Checkpoint(monday, alice, "")
			_ = fork.Rewind(monday, at)
		}
	})
}
