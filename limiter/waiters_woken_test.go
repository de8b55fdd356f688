package limiter_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestWait_BusyUntilAPermitIsSettled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, only(policy.Concurrency{Max: 2}))
		q := newQueue(t, l)
		for i := range 6 {
			q.join(fmt.Sprint(i), request(1))
		}
		a, b := q.want("0", 0), q.want("1", 0)
		q.nobody()
		q.after(3 * time.Second)
		b.Settle(time.Now(), limiter.Sent)
		c := q.want("2", 3*time.Second)
		q.nobody()
		q.after(4 * time.Second)
		a.Settle(time.Now(), limiter.Unsent)
		c.Settle(time.Now(), limiter.Refused)
		q.want("3", 7*time.Second).Settle(time.Now(), limiter.Sent)
		q.want("4", 7*time.Second)
		q.want("5", 7*time.Second)
	})
}

// A send that is settled starts the gap, and the next waits for the rest of it.
func TestWait_GapFromTheEndOfTheSend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newLimiter(t, only(policy.Gap{Min: 5 * time.Second, Max: 5 * time.Second})))
		q.join("0", request(1))
		q.join("1", request(1))
		p := q.want("0", 0)
		q.after(90 * time.Second)
		q.nobody()
		p.Settle(time.Now(), limiter.Sent)
		q.want("1", 95*time.Second)
	})
}

// What is given back to a window is there for the first in line at once.
func TestWait_WokenByWhatIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, only(perMinute(1)))
		q := newQueue(t, l)
		q.join("0", request(1))
		q.join("1", request(1))
		p := q.want("0", 0)
		q.after(10 * time.Second)
		p.Settle(time.Now(), limiter.Unsent)
		q.want("1", 10*time.Second)
	})
}

func TestWait_APermitThatRunsOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, err := limiter.New(only(policy.Concurrency{Max: 2}), &limiter.Options{PermitTTL: 90 * time.Second})
		require.NoError(t, err)
		q := newQueue(t, l)
		for i := range 5 {
			q.join(fmt.Sprint(i), request(1))
			q.after(10 * time.Second)
		}
		p := [2]limiter.Permit{q.want("0", 0), q.want("1", 10*time.Second)} // never settled
		q.want("2", 90*time.Second)
		q.want("3", 100*time.Second)
		p[0].Settle(time.Now(), limiter.Unsent) // too late to mean anything
		p[1].Settle(time.Now(), limiter.Unsent)
		q.nobody()
		q.want("4", 180*time.Second)
	})
}

// Without a PermitTTL only the context ends a wait for a permit that nobody settles,
// and nothing polls.
func TestWait_APermitThatStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, only(oneAtATime()))
		clock := &countingClock{Clock: limiter.RealClock()}
		q := newQueue(t, l)
		q.clock = clock
		q.join("0", request(1))
		q.want("0", 0)
		cancel := q.join("1", request(1))
		q.after(1000 * time.Hour)
		q.nobody()
		require.Zero(t, clock.afters.Load())
		cancel()
		require.Equal(t, errGone, q.wantErr("1", 1000*time.Hour))
	})
}

// limiters.md 3.2, 47: who is woken and finds that somebody else was quicker waits
// on.
func TestWait_WokenInVain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, only(oneAtATime()))
		q := newQueue(t, l)
		held, _ := l.Take(time.Now(), request(1))
		q.join("0", request(1))
		for range 50 {
			q.after(time.Second)
			held.Settle(time.Now(), limiter.Sent)
			var d limiter.Decision
			if held, d = l.Take(time.Now(), request(1)); d.Answer != limiter.Allowed {
				end := q.next() // the waiter was quicker
				require.NoError(t, end.err)
				require.Equal(t, limiter.Busy, l.Check(time.Now(), request(1)).Answer)
				return
			}
			q.nobody()
		}
		held.Settle(time.Now(), limiter.Sent)
		q.want("0", 50*time.Second)
	})
}

func TestWait_HoldsAndPolicies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		before func(l *limiter.Limiter) error
		change func(l *limiter.Limiter) error
	}{
		{
			"hold of the account released",
			func(l *limiter.Limiter) error {
				return l.Hold(time.Now(), limiter.Target{Account: alice}, time.Time{}, "why not")
			},
			func(l *limiter.Limiter) error { return released(l, limiter.Target{Account: alice}) },
		},
		{
			"hold of everything released",
			func(l *limiter.Limiter) error { return l.Hold(time.Now(), limiter.Target{}, time.Time{}, "why not") },
			func(l *limiter.Limiter) error { return released(l, limiter.Target{}) },
		},
		{
			"hold of a campaign released before its end",
			func(l *limiter.Limiter) error {
				return l.Hold(time.Now(), limiter.Target{Campaign: "may"}, time.Now().Add(time.Hour), "why not")
			},
			func(l *limiter.Limiter) error { return released(l, limiter.Target{Campaign: "may"}) },
		},
		{
			"policy changed",
			func(l *limiter.Limiter) error { return l.SetPolicy(time.Now(), alice, only(perMinute(1))) },
			func(l *limiter.Limiter) error { return l.SetPolicy(time.Now(), alice, only(perMinute(5))) },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLimiter(t, only(perMinute(5)))
				q := newQueue(t, l)
				require.NoError(t, test.before(l))
				l.Allow(time.Now(), request(1))
				req := request(1)
				req.Campaign = "may"
				q.join("0", req)
				q.join("1", req)
				q.after(7 * time.Second)
				q.nobody()
				require.NoError(t, test.change(l))
				q.want("0", 7*time.Second)
				q.want("1", 7*time.Second)
			})
		})
	}
}

func released(l *limiter.Limiter, t limiter.Target) error {
	if !l.Release(time.Now(), t) {
		return errors.New("there was no hold")
	}
	return nil
}

// Who waits is told at once when a hold or a policy makes the wait pointless.
func TestWait_ChangedForTheWorse(t *testing.T) {
	t.Parallel()
	for _, target := range []limiter.Target{{Account: alice}, {}} {
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(t, only(perMinute(2)))
			q := newQueue(t, l)
			l.Allow(time.Now(), request(2))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			q.joinWith(ctx, "0", request(2))
			q.join("1", request(2))
			q.after(time.Second)
			require.NoError(t, l.Hold(time.Now(), target, time.Now().Add(time.Hour), "why not"))
			require.ErrorIs(t, q.wantErr("0", time.Second), limiter.ErrDeadline)
			q.nobody()
			require.NoError(t, l.SetPolicy(time.Now(), alice, only(perMinute(1))))
			var refused *limiter.RefusedError
			require.ErrorAs(t, q.wantErr("1", time.Second), &refused)
			require.Equal(t, limiter.Never, refused.Answer)
		})
	}
}
