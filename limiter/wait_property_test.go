package limiter_test

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// A visit is one Wait, drawn before the bubble begins.
type visit struct {
	account string
	cost    int64
	pause   time.Duration // before it begins, after the one before
	patient time.Duration // until its context is cancelled; 0: never
	takes   time.Duration // until its permit is settled
	outcome limiter.Outcome
	passer  bool // somebody who does not wait, and may come between
}

func visits(t *rapid.T) []visit {
	some := func(most int) *rapid.Generator[time.Duration] {
		return rapid.Map(rapid.IntRange(0, most), func(n int) time.Duration { return time.Duration(n) * time.Second })
	}
	one := rapid.Custom(func(t *rapid.T) visit {
		v := visit{
			account: rapid.SampledFrom([]string{alice, alice, bob}).Draw(t, "account"),
			cost:    rapid.Int64Range(1, 3).Draw(t, "cost"),
			pause:   some(20).Draw(t, "pause"),
			takes:   some(30).Draw(t, "takes"),
			outcome: rapid.SampledFrom([]limiter.Outcome{limiter.Sent, limiter.Refused, limiter.Unsent}).Draw(t, "outcome"),
			passer:  rapid.IntRange(0, 9).Draw(t, "passer") == 0,
		}
		if rapid.Bool().Draw(t, "impatient") {
			v.patient = 1 + some(90).Draw(t, "patient")
		}
		return v
	})
	return rapid.SliceOfN(one, 1, 25).Draw(t, "visits")
}

func waitPolicy(t *rapid.T) policy.Policy {
	limits := []policy.Limit{
		policy.TokenBucket{Max: 5, Per: time.Minute, Burst: 3},
		policy.SlidingWindow{Max: 4, Window: 50 * time.Second},
		policy.CalendarWindow{Max: 6, Unit: policy.Minute},
		policy.Gap{Min: 4 * time.Second, Max: 9 * time.Second, Every: 2},
		policy.Concurrency{Max: 2},
	}
	var p policy.Policy
	for i, limit := range limits {
		if rapid.Bool().Draw(t, "rule") {
			p.Rules = append(p.Rules, policy.Rule{Name: string(rune('a' + i)), Limit: limit})
		}
	}
	return p
}

// Whoever waits, gives up, settles and passes by: the policy is kept, everybody who
// does not give up gets through, and in each account in the order they came.
func TestWait_AnyCrowd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, crowd := waitPolicy(t), visits(t)
		rapid.SyncTest(t, func(t *rapid.T) {
			l := newLimiter(t, p)
			type end struct {
				queuetest.Call
				number int
				began  time.Time
				err    error
				ended  time.Time
			}
			ends := make(chan end, len(crowd))
			for i, v := range crowd {
				time.Sleep(v.pause)
				ctx, cancel := context.WithCancelCause(context.Background())
				if v.patient > 0 {
					time.AfterFunc(v.patient, func() { cancel(errGone) })
				}
				go func() {
					defer cancel(nil)
					req := limiter.Request{Account: v.account, Action: policy.SendMessage, Cost: v.cost}
					e := end{number: i, began: time.Now()}
					var permit limiter.Permit
					if v.passer {
						var d limiter.Decision
						permit, d = l.Take(time.Now(), req)
						e.err = d.Err()
					} else {
						permit, e.err = limiter.Wait(ctx, nil, l, req)
					}
					e.ended = time.Now()
					if e.err == nil {
						time.Sleep(v.takes)
						e.Call = queuetest.Call{
							Account: v.account, Action: policy.SendMessage, Cost: v.cost,
							At: e.ended, Done: time.Now(), Unsent: v.outcome == limiter.Unsent,
						}
						permit.Settle(e.Done, v.outcome)
					}
					ends <- e
				}()
				synctest.Wait()
			}
			var all []end
			for range crowd {
				all = append(all, <-ends)
			}
			slices.SortFunc(all, func(a, b end) int { return cmp.Compare(a.number, b.number) })

			var calls []queuetest.Call
			latest := map[string]time.Time{}
			for i, e := range all {
				v := crowd[i]
				switch {
				case e.err == nil:
					calls = append(calls, e.Call)
					if !v.passer {
						require.False(t, e.At.Before(latest[v.account]), "visit %d overtook one that came before it", i)
						latest[v.account] = e.At
					}
				case v.passer:
					require.ErrorIs(t, e.err, limiter.ErrRefused)
				default:
					require.Equal(t, errGone, e.err)
					require.Equal(t, v.patient, e.ended.Sub(e.began), "visit %d gave up", i)
				}
			}
			require.Empty(t, queuetest.Audit(p, calls))
		})
	})
}
