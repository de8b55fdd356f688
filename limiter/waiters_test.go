package limiter_test

import (
	"context"
	"errors"
	"fmt"
	"math"
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

func TestWait_NoRule(t *testing.T) {
	t.Parallel()
	p, err := limiter.Wait(t.Context(), nil, newLimiter(t, policy.Unlimited()), request(math.MaxInt64))
	require.NoError(t, err)
	p.Settle(monday, limiter.Sent)
}
