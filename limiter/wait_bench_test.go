package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// BenchmarkWait is a Wait whose turn it is at once and the Settle after it, beside
// x/time/rate's Wait, which has no end to tell of. Both read the clock.
func BenchmarkWait(b *testing.B) {
	l := newLimiter(b, only(policy.TokenBucket{Max: 1_000_000_000, Per: time.Second, Burst: 1_000_000_000}))
	b.Run("wapace", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p, err := limiter.Wait(b.Context(), nil, l, request(1))
			if err != nil {
				b.Fatal(err)
			}
			p.Settle(time.Now(), limiter.Sent)
		}
	})
	b.Run("x-time-rate", func(b *testing.B) {
		l := rate.NewLimiter(1e9, 1e9)
		b.ReportAllocs()
		for b.Loop() {
			if err := l.Wait(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSettle is a Take and a Settle while nobody waits, and while somebody
// waits for another account.
func BenchmarkSettle(b *testing.B) {
	settle := func(b *testing.B, l *limiter.Limiter) {
		b.ReportAllocs()
		for b.Loop() {
			p, d := l.Take(monday, request(1))
			if d.Answer != limiter.Allowed {
				b.Fatal(d.Err())
			}
			p.Settle(monday, limiter.Sent)
		}
	}
	b.Run("nobody waits", func(b *testing.B) { settle(b, newLimiter(b, only(oneAtATime()))) })
	b.Run("another account is waited for", func(b *testing.B) {
		l := newLimiter(b, only(oneAtATime()))
		bobs := request(1)
		bobs.Account = bob
		held, _ := l.Take(monday, bobs)
		done := make(chan error)
		go func() {
			_, err := limiter.Wait(b.Context(), nil, l, bobs)
			done <- err
		}()
		settle(b, l)
		held.Settle(monday, limiter.Sent)
		require.NoError(b, <-done)
	})
}

func BenchmarkWindow(b *testing.B) {
	w := newWindow(b, 100, 100*time.Minute)
	now := monday
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(3 * time.Minute)
		if !w.AllowN(now, 1) {
			b.Fatal("refused")
		}
	}
}
