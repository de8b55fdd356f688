package limiter_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// limiters.md 3.2, 46.
func TestWait_ContextDoneBefore(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, only(perMinute(1)))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	caused, cancelWith := context.WithCancelCause(t.Context())
	cancelWith(errGone)
	past, cancelPast := context.WithDeadline(t.Context(), time.Now().Add(-time.Hour))
	defer cancelPast()
	for ctx, want := range map[context.Context]error{
		cancelled: context.Canceled, caused: errGone, past: context.DeadlineExceeded,
	} {
		p, err := limiter.Wait(ctx, nil, l, request(1))
		require.Equal(t, want, err)
		require.Equal(t, limiter.Permit{}, p)
		require.Equal(t, limiter.Allowed, l.Check(time.Now(), request(1)).Answer, "something was taken")
	}
}

// limiters.md 3.2, 45.
func TestWait_DeadlineTooSoon(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		timeout time.Duration
		ok      bool
	}{
		{"shorter", 30 * time.Second, false},
		{"one nanosecond shorter", time.Minute - 1, false},
		{"equal", time.Minute, false}, // over when its turn comes
		{"one nanosecond longer", time.Minute + 1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLimiter(t, only(perMinute(1)))
				q := newQueue(t, l)
				q.join("0", request(1))
				q.want("0", 0)
				ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
				defer cancel()
				before := l.Gates(time.Now(), request(1))
				q.joinWith(ctx, "1", request(1))
				if test.ok {
					q.want("1", time.Minute)
					return
				}
				err := q.wantErr("1", 0)
				require.ErrorIs(t, err, limiter.ErrDeadline)
				require.ErrorIs(t, err, limiter.ErrRefused)
				require.NotErrorIs(t, err, context.DeadlineExceeded, "it was not exceeded")
				var soon *limiter.DeadlineError
				require.ErrorAs(t, err, &soon)
				require.Equal(t, test.timeout, soon.Left)
				require.Equal(t, before, []limiter.Gate{soon.Gate})
				require.Equal(t, before, l.Gates(time.Now(), request(1)), "something was taken")
			})
		})
	}
}

func TestDeadlineError_NamesTheRuleAndBothTimes(t *testing.T) {
	t.Parallel()
	err := &limiter.DeadlineError{
		Gate: limiter.Gate{Rule: "pace", Answer: limiter.Later, Limit: 8, RetryAfter: time.Minute},
		Left: 30 * time.Second,
	}
	require.EqualError(t, err,
		`limiter: deadline too soon: rule "pace" (limit 8, remaining 0) needs a wait of 1m0s, the context has 30s left`)
}

// Behind others a request counts only its own wait, as they may give up. It is told
// as soon as it stands first.
func TestWait_DeadlineBehindOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newLimiter(t, only(policy.TokenBucket{Max: 1, Per: time.Minute})))
		within := func(d time.Duration) context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			t.Cleanup(cancel)
			return ctx
		}
		q.join("0", request(1))
		q.want("0", 0)
		cancel := q.join("1", request(1))
		q.joinWith(within(59*time.Second), "no way", request(1))
		require.ErrorIs(t, q.wantErr("no way", 0), limiter.ErrDeadline)
		q.joinWith(within(90*time.Second), "lucky", request(1))
		q.joinWith(within(100*time.Second), "unlucky", request(1))
		q.after(time.Second)
		cancel()
		require.Equal(t, errGone, q.wantErr("1", time.Second))
		q.want("lucky", time.Minute)
		require.ErrorIs(t, q.wantErr("unlucky", time.Minute), limiter.ErrDeadline, "at once, not when its time is up")
	})
}

func TestWait_ContextDoneMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, only(oneAtATime()))
		q := newQueue(t, l)
		held, d := l.Take(time.Now(), request(1))
		require.Equal(t, limiter.Allowed, d.Answer)
		first, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errGone)
		defer cancel()
		second, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		q.joinWith(first, "first", request(1)) // busy: nobody knows for how long
		q.joinWith(second, "second", request(1))
		require.Equal(t, errGone, q.wantErr("first", time.Minute))
		require.Equal(t, context.DeadlineExceeded, q.wantErr("second", 2*time.Minute))
		held.Settle(time.Now(), limiter.Sent)
		require.Equal(t, limiter.Allowed, l.Check(time.Now(), request(1)).Answer, "somebody has taken it")
	})
}

// A deadline that has passed leaves nothing, also where the context does not know
// yet.
func TestWait_DeadlinePassed(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, only(perMinute(1)))
	require.Equal(t, limiter.Allowed, l.Allow(time.Now(), request(1)).Answer)
	_, err := limiter.Wait(lateContext{t.Context()}, nil, l, request(1))
	var soon *limiter.DeadlineError
	require.ErrorAs(t, err, &soon)
	require.Zero(t, soon.Left)
}

// lateContext ends after its deadline.
type lateContext struct{ context.Context } //nolint:containedctx // it is one

func (lateContext) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }
