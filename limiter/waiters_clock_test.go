package limiter_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestWait_NothingToWaitWith(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, only(perMinute(1)))
	wrong := func(ctx context.Context, clock limiter.Clock, l *limiter.Limiter, req limiter.Request, field string) {
		p, err := limiter.Wait(ctx, clock, l, req)
		var wrong *limiter.RequestError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, field, wrong.Field)
		require.NotEmpty(t, wrong.Remedy)
		require.ErrorIs(t, err, limiter.ErrRefused)
		require.Equal(t, limiter.Permit{}, p)
	}
	wrong(nil, nil, l, request(1), "context")
	wrong(t.Context(), nil, nil, request(1), "limiter")
	wrong(t.Context(), nil, l, limiter.Request{Action: policy.SendMessage}, "account")
	wrong(t.Context(), zeroClock{}, l, request(1), "time")
}

// zeroClock is broken.
type zeroClock struct{}

func (zeroClock) Now() time.Time { return time.Time{} }

func (zeroClock) After(time.Duration) <-chan time.Time { return nil }

// A countingClock counts the timers that were asked for.
type countingClock struct {
	limiter.Clock
	afters atomic.Int64
}

func (c *countingClock) After(d time.Duration) <-chan time.Time {
	c.afters.Add(1)
	return c.Clock.After(d)
}

// However many wait, there is one timer for each turn, and none for those behind.
func TestWait_OneTimerForALine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := &countingClock{Clock: limiter.RealClock()}
		q := newQueue(t, newLimiter(t, only(perMinute(1))))
		q.clock = clock
		for i := range 500 {
			q.join(fmt.Sprint(i), request(1))
		}
		require.EqualValues(t, 1, clock.afters.Load())
		for i := range 500 {
			q.want(fmt.Sprint(i), time.Duration(i)*time.Minute)
		}
		require.EqualValues(t, 499, clock.afters.Load())
	})
}

// What ctx has left is real time. A clock that shows another time, or runs at
// another speed, is never compared with it.
func TestWait_ClockApartFromTheContexts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, only(perMinute(1)))
		q := newQueue(t, l)
		q.clock = aheadClock{}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		q.joinWith(ctx, "0", request(1))
		q.joinWith(ctx, "1", request(1))
		q.want("0", 0)
		q.want("1", time.Minute)
		short, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		q.joinWith(short, "2", request(1))
		require.ErrorIs(t, q.wantErr("2", time.Minute), limiter.ErrDeadline)
	})
}

// aheadClock shows a date of long after every deadline, without a monotonic reading.
type aheadClock struct{}

func (aheadClock) Now() time.Time { return time.Now().Round(0).AddDate(100, 0, 0) }

func (aheadClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
