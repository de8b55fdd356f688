package limiter_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A turn is how one Wait ended.
type turn struct {
	name   string
	at     time.Duration // since the start of the queue
	permit limiter.Permit
	err    error
}

// A queue is those who wait on one limiter in a bubble, each on a goroutine that
// stands where it is meant to before the next one starts.
type queue struct {
	t     *testing.T
	l     *limiter.Limiter
	clock limiter.Clock
	start time.Time
	ends  chan turn
}

func newQueue(t *testing.T, l *limiter.Limiter) *queue {
	t.Helper()
	return &queue{t: t, l: l, start: time.Now(), ends: make(chan turn, 10_000)}
}

// join starts a Wait. cancel ends its context with errGone.
func (q *queue) join(name string, req limiter.Request) (cancel func()) {
	ctx, stop := context.WithCancelCause(context.Background())
	q.joinWith(ctx, name, req)
	return func() { stop(errGone) }
}

func (q *queue) joinWith(ctx context.Context, name string, req limiter.Request) {
	go func() {
		p, err := limiter.Wait(ctx, q.clock, q.l, req)
		q.ends <- turn{name, time.Since(q.start), p, err}
	}()
	synctest.Wait()
}

// next is the next Wait that ends.
func (q *queue) next() turn {
	q.t.Helper()
	select {
	case end := <-q.ends:
		return end
	case <-time.After(1000 * time.Hour):
		q.t.Fatal("nobody's turn comes")
		return turn{}
	}
}

// want is next, which must be that one, at that time, with a permit.
func (q *queue) want(name string, at time.Duration) limiter.Permit {
	q.t.Helper()
	end := q.next()
	require.NoError(q.t, end.err, name)
	require.Equal(q.t, name, end.name)
	require.Equal(q.t, at, end.at, name)
	return end.permit
}

// wantErr is next, which must be that one, at that time, with an error.
func (q *queue) wantErr(name string, at time.Duration) error {
	q.t.Helper()
	end := q.next()
	require.Error(q.t, end.err, name)
	require.Equal(q.t, limiter.Permit{}, end.permit, "a permit and an error")
	require.Equal(q.t, name, end.name)
	require.Equal(q.t, at, end.at, name)
	return end.err
}

// nobody fails the test where a Wait has ended.
func (q *queue) nobody() {
	q.t.Helper()
	synctest.Wait()
	require.Empty(q.t, q.ends)
}

func (q *queue) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

var errGone = errors.New("gone")

func perMinute(n int64) policy.Limit { return policy.SlidingWindow{Max: n, Window: time.Minute} }

func oneAtATime() policy.Limit { return policy.Concurrency{Max: 1} }

// In order, at the instant the rule frees: limiters.md 3.2, 48.
func TestWait_FirstInFirstOut(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]policy.Limit{
		"bucket": policy.TokenBucket{Max: 1, Per: time.Minute},
		"window": perMinute(1),
		"gap":    policy.Gap{Min: time.Minute, Max: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := newQueue(t, newLimiter(t, only(limit)))
				for i := range 100 {
					q.join(fmt.Sprint(i), request(1))
				}
				for i := range 100 {
					q.want(fmt.Sprint(i), time.Duration(i)*time.Minute).Settle(time.Now(), limiter.Sent)
				}
			})
		})
	}
}

func TestWait_AccountsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newLimiter(t, only(perMinute(1))))
		bobs := request(1)
		bobs.Account = bob
		q.join("a", request(1))
		q.join("a2", request(1))
		q.join("b", bobs)
		q.want("a", 0)
		q.want("b", 0)
		q.want("a2", time.Minute)
	})
}

// A large cost is served as soon as there is room for it, though small ones could
// have gone all the while: limiters.md 3.2, 48.
func TestWait_SmallCostsDoNotStarveALargeOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, only(perMinute(10)))
		q := newQueue(t, l)
		for range 9 { // one every 5 s, until 40 s
			require.Equal(t, limiter.Allowed, l.Allow(time.Now(), request(1)).Answer)
			q.after(5 * time.Second)
		}
		q.join("large", request(10)) // the last of them leaves the window at 100 s
		for i := range 10 {
			q.join(fmt.Sprint(i), request(1))
			q.after(5 * time.Second)
		}
		q.nobody()
		q.want("large", 100*time.Second)
		for i := range 10 {
			q.want(fmt.Sprint(i), 160*time.Second)
		}
	})
}

// limiters.md 3.2, 44.
func TestWait_ACancelledWaiterGivesItsPlaceBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newLimiter(t, only(policy.TokenBucket{Max: 1, Per: time.Minute})))
		cancels := make([]func(), 6)
		for i := range cancels {
			cancels[i] = q.join(fmt.Sprint(i), request(1))
		}
		q.want("0", 0)
		q.after(30 * time.Second)
		for _, i := range []int{3, 5, 1} { // of the middle, the last, the first
			cancels[i]()
			require.Equal(t, errGone, q.wantErr(fmt.Sprint(i), 30*time.Second))
		}
		q.want("2", time.Minute)
		q.want("4", 2*time.Minute)
		q.join("6", request(1))
		q.want("6", 3*time.Minute)
	})
}

func TestWait_TheNextIsWokenAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, only(perMinute(3)))
		q := newQueue(t, l)
		require.Equal(t, limiter.Allowed, l.Allow(time.Now(), request(2)).Answer)
		cancel := q.join("large", request(2))
		q.join("small", request(1))
		q.after(10 * time.Second)
		q.nobody()
		cancel()
		require.Equal(t, errGone, q.wantErr("large", 10*time.Second))
		q.want("small", 10*time.Second)
	})
}

// What failsafe-go does wrong, limiters.md 3.1, B4: after five cancelled waits at
// one a second the next caller waits six seconds.
func TestB4_CancelledWaitsKeepNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, only(policy.TokenBucket{Max: 1, Per: time.Second}))
		q := newQueue(t, l)
		require.Equal(t, limiter.Allowed, l.Allow(time.Now(), request(1)).Answer)
		var cancels []func()
		for i := range 5 {
			cancels = append(cancels, q.join(fmt.Sprint(i), request(1)))
		}
		for i, cancel := range cancels {
			cancel()
			require.Equal(t, errGone, q.wantErr(fmt.Sprint(i), 0))
		}
		q.join("next", request(1))
		q.want("next", time.Second)
	})
}

// What clipperhouse/rate does wrong, limiters.md 3.1, B29: a context that is
// cancelled at the very instant that the request may go gives a permit or an error,
// and takes what it says.
func TestB29_APermitOrAnErrorNeverBoth(t *testing.T) {
	t.Parallel()
	permits, errs := 0, 0
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
				{Name: "window", Limit: perMinute(1)},
				{Name: "one", Limit: oneAtATime()},
			}})
			require.Equal(t, limiter.Allowed, l.Allow(time.Now(), request(1)).Answer)
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Minute, func() { cancel(errGone) })
			p, err := limiter.Wait(ctx, nil, l, request(1))
			if err != nil {
				errs++
				require.Equal(t, errGone, err)
				require.Equal(t, limiter.Permit{}, p)
				require.Equal(t, limiter.Allowed, l.Check(time.Now(), request(1)).Answer, "an error has taken something")
			} else {
				permits++
				require.Equal(t, limiter.Busy, l.Check(time.Now(), request(1)).Answer, "a permit has taken nothing")
			}
		})
	}
	t.Logf("%d permits, %d errors", permits, errs)
	require.Equal(t, 200, permits+errs)
}

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

// A new account that there is no room for waits until an old one is forgotten, which
// nobody tells it of: it asks every second.
func TestWait_Capacity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, err := limiter.New(only(perMinute(1)), &limiter.Options{MaxAccounts: 1})
		require.NoError(t, err)
		q := newQueue(t, l)
		require.Equal(t, limiter.Allowed, l.Allow(time.Now(), request(1)).Answer)
		bobs := request(1)
		bobs.Account = bob
		q.join("bob", bobs)
		end := q.next()
		require.NoError(t, end.err)
		require.GreaterOrEqual(t, end.at, time.Minute)
		require.LessOrEqual(t, end.at, time.Minute+2*time.Second)
	})
}

func TestWait_Refused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, only(perMinute(2)))
		q := newQueue(t, l)
		q.join("all", request(2))
		q.want("all", 0)
		for _, place := range []string{"alone", "behind another"} {
			q.join("too much", request(3))
			var refused *limiter.RefusedError
			require.ErrorAs(t, q.wantErr("too much", 0), &refused, place)
			require.Equal(t, limiter.Never, refused.Answer)
			q.join("negative", request(-3))
			var wrong *limiter.RequestError
			require.ErrorAs(t, q.wantErr("negative", 0), &wrong, place)
			require.Equal(t, "cost", wrong.Field)
			q.join("waits", request(2))
		}
		q.want("waits", time.Minute)
		q.want("waits", 2*time.Minute)
	})
}

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

func TestWait_NoRule(t *testing.T) {
	t.Parallel()
	p, err := limiter.Wait(t.Context(), nil, newLimiter(t, policy.Unlimited()), request(math.MaxInt64))
	require.NoError(t, err)
	p.Settle(monday, limiter.Sent)
}

// zeroClock is broken.
type zeroClock struct{}

func (zeroClock) Now() time.Time                       { return time.Time{} }
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

// aheadClock shows a date of long after every deadline, without a monotonic reading.
type aheadClock struct{}

func (aheadClock) Now() time.Time                         { return time.Now().Round(0).AddDate(100, 0, 0) }
func (aheadClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
