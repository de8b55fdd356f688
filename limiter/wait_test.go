package limiter_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestRealClockIsTheBubblesInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, start := limiter.RealClock(), time.Now()
		require.Equal(t, start, c.Now())
		require.Equal(t, start.Add(time.Hour), <-c.After(time.Hour))
		require.Equal(t, start.Add(time.Hour), c.Now())
		require.Equal(t, start.Add(time.Hour), <-c.After(-1))
	})
}

func TestClocksOfBenbjohnsonFitAsTheyAre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mock := clock.NewMock()
		for _, c := range []limiter.Clock{mock, clock.New()} {
			rung := c.After(time.Second)
			synctest.Wait()
			mock.Add(time.Second)
			<-rung
			require.False(t, c.Now().IsZero())
		}
	})
}

// A caller that sleeps for RetryAfter by the bubble's clock, as one does by the real
// one, is never refused again, and sends as much as the policy lets it.
func TestSleepingForRetryAfterIsEnough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, policy.Standard())
		start := time.Now()
		for range 600 {
			d := l.Check(time.Now(), request(1))
			if d.Answer == limiter.Later {
				time.Sleep(d.RetryAfter)
			}
			p, d := l.Take(time.Now(), request(1))
			require.NoError(t, d.Err())
			time.Sleep(100 * time.Millisecond)
			p.Settle(time.Now(), limiter.Sent)
		}
		elapsed := time.Since(start)
		require.Greater(t, elapsed, 24*time.Hour)
		require.Less(t, elapsed, 25*time.Hour)
	})
}
