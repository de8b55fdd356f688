package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A slow sender takes a random time for each message.
type slow struct {
	clock *queuetest.Clock
	takes func() time.Duration
}

func (s *slow) Send(context.Context, queue.Message) (queue.Receipt, error) {
	s.clock.Advance(s.takes())
	return queue.Receipt{}, nil
}

// A slowTypist is slow and shows typing.
type slowTypist struct{ slow }

func (*slowTypist) Typing(context.Context, queue.Message, time.Duration) error { return nil }

// sendTimes are distributions of send times with a mean.
func sendTimes(dice *rand.Rand, mean float64) func() time.Duration {
	draws := []func() float64{
		func() float64 { return dice.ExpFloat64() },
		func() float64 { return 2 * dice.Float64() },
		func() float64 { return math.Exp(0.8*dice.NormFloat64() - 0.32) },
		func() float64 { return 0.8 + 0.4*dice.Float64() },
	}
	draw := draws[dice.IntN(len(draws))]
	return func() time.Duration { return time.Duration(mean * draw() * float64(time.Second)) }
}

// A campaign of which somebody asks, once in a while, when a message will go.
type asked struct {
	estimate queue.Estimate
	at, went time.Time
	before   int // messages that had been sent
}

func (a asked) off() float64 {
	return math.Abs(a.estimate.At.Sub(a.went).Seconds()) / a.went.Sub(a.at).Seconds()
}

func (a asked) within() bool {
	return !a.went.Before(a.estimate.Low) && !a.went.After(a.estimate.High)
}

// campaignOf sends a random campaign and asks when some of its messages go.
func campaignOf(t *testing.T, seed uint64) (all []asked) {
	t.Helper()
	dice := rand.New(rand.NewPCG(seed, 1))
	policies := []policy.Policy{
		policy.Standard(), policy.Standard(), policy.Strict(), policy.Unlimited(),
		rules(policy.SlidingWindow{Max: 8, Window: time.Minute}, policy.CalendarWindow{Max: 700, Unit: policy.Day}),
		rules(policy.TokenBucket{Max: 20, Per: time.Minute, Burst: 5}, policy.Gap{Min: time.Second, Max: 3 * time.Second}),
		rules(policy.Gap{Min: 4 * time.Second, Max: 9 * time.Second}, policy.ActiveHours{From: 9 * time.Hour, To: 17*time.Hour + 30*time.Minute}),
	}
	clock := &queuetest.Clock{}
	timed := slow{clock, sendTimes(dice, 0.1+3*dice.Float64())}
	var sender queue.Sender = &timed
	if dice.IntN(2) == 0 {
		sender = &slowTypist{timed}
	}
	went := map[string]time.Time{}
	sent := 0
	q, err := queue.New(policies[dice.IntN(len(policies))], sender, &queue.Options{
		Clock: clock, Seed: seed + 1, OnEvent: func(e queue.Event) {
			if e.Record.Status == queue.Sending {
				went[e.Record.ID] = e.At
				sent++
			}
		},
	})
	require.NoError(t, err)
	n := 50 + dice.IntN(1951)
	ids := make([]string, n)
	for i := range ids {
		m := queue.Message{
			Account: alice, To: fmt.Sprint(int64(447700900000) + int64(dice.IntN(2*n))), Text: "hello, hello, hello"[:1+dice.IntN(19)],
			Campaign: fmt.Sprint("campaign ", dice.IntN(3)),
		}
		switch dice.IntN(20) {
		case 0:
			m.Priority = 1
		case 1:
			m.NotBefore = clock.Now().Add(time.Duration(dice.Int64N(int64(3 * time.Hour))))
		}
		ids[i] = enqueue(t, q, m)
	}
	ask := map[int]bool{0: true}
	for range 4 {
		ask[dice.IntN(n)] = true
	}
	for steps := 0; ; steps++ {
		for ask[sent] {
			delete(ask, sent)
			id := ids[dice.IntN(n)]
			if get(t, q, id).Status != queue.Queued {
				continue
			}
			e, err := q.ETA(t.Context(), id)
			require.NoError(t, err)
			all = append(all, asked{estimate: e, at: clock.Now(), before: sent})
			defer func(i int) { all[i].went = went[id] }(len(all) - 1)
		}
		next, err := q.Step(t.Context())
		require.NoError(t, err)
		if next.IsZero() {
			return all
		}
		clock.Set(next)
	}
}

// What is estimated comes true: over 200 campaigns of 50 to 2,000 messages whose
// sends take random times.
func TestETA_ComesTrue(t *testing.T) {
	t.Parallel()
	var off []float64
	within, n := 0, 0
	for seed := range uint64(campaigns) {
		for _, a := range campaignOf(t, seed) {
			require.False(t, a.estimate.At.Before(a.at), "seed %d", seed)
			require.False(t, a.estimate.Low.After(a.estimate.At), "seed %d", seed)
			require.False(t, a.estimate.High.Before(a.estimate.At), "seed %d", seed)
			if a.within() {
				within++
			}
			n++
			if a.went.After(a.at) {
				off = append(off, a.off())
			}
		}
	}
	slices.Sort(off)
	median, inside := off[len(off)/2], float64(within)/float64(n)
	t.Logf("%d estimates: median error %.3f %%, 90 of 100 under %.2f %%; %.1f %% within the bounds", n, 100*median, 100*off[len(off)*9/10], 100*inside)
	require.Less(t, median, 0.02)
	require.GreaterOrEqual(t, inside, 0.85)
	require.LessOrEqual(t, inside, 0.98)
}

// Where nothing is left to chance, an estimate is what happens, to the nanosecond:
// whatever the lane's order, its holds, its checks and its budgets are.
func TestETA_IsExact(t *testing.T) {
	t.Parallel()
	seeds := []uint64{317, 401, 785, 964, 993, 1011, 1013} // in which checks, expiries and holds meet
	for seed := range uint64(exactCampaigns) {
		seeds = append(seeds, seed)
	}
	for _, seed := range slices.Compact(slices.Sorted(slices.Values(seeds))) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			exactly(t, rand.New(rand.NewPCG(seed, 2)), seed)
		})
	}
}

func exactly(t *testing.T, dice *rand.Rand, seed uint64) {
	t.Helper()
	policies := []policy.Policy{
		policy.Standard(), policy.Strict(), policy.Unlimited(),
		rules(policy.SlidingWindow{Max: 3, Window: time.Minute}, policy.Gap{Min: time.Second, Max: 8 * time.Second, Every: 4}),
		rules(policy.UniqueRecipients{Max: 12, Window: time.Hour}, policy.TokenBucket{Max: 9, Per: time.Minute, Burst: 3}),
		rules(policy.ActiveHours{From: 8 * time.Hour, To: 8*time.Hour + 20*time.Minute}, policy.Gap{Min: 10 * time.Second, Max: time.Minute}),
	}
	o := &queue.Options{Seed: seed + 1, KeepForUrgent: int64(dice.IntN(2))}
	if dice.IntN(2) == 0 {
		o.Typing = quiet
	}
	var h *queuetest.Harness
	verified := dice.IntN(2) == 0
	p := policies[dice.IntN(len(policies))]
	if verified {
		h, _ = queuetest.NewVerifier(t, p, o)
	} else {
		h = queuetest.NewOptions(t, p, o)
	}
	var ids []string
	take := func(n int) {
		for range n {
			m := queue.Message{
				Account: alice, To: fmt.Sprint(int64(447700900000) + int64(dice.IntN(30))), Text: "hello"[:1+dice.IntN(4)],
				Campaign: []string{"", "a", "b"}[dice.IntN(3)], Priority: dice.IntN(8) / 6,
			}
			if dice.IntN(8) == 0 {
				m.NotBefore = h.Clock.Now().Add(time.Duration(dice.Int64N(int64(time.Hour))))
			}
			if dice.IntN(8) == 0 {
				m.ExpiresAt = latestOf(m.NotBefore, h.Clock.Now()).Add(1 + time.Duration(dice.Int64N(int64(time.Hour))))
			}
			if id, err := h.Queue.Enqueue(t.Context(), m); err == nil { // it can be sent before it expires
				ids = append(ids, id)
			}
		}
	}
	take(40)
	for h.Queue.Counters().Sent < 16 {
		h.Clock.Set(latestOf(step(t, h), h.Clock.Now()))
	}
	take(20)
	for _, target := range []limiter.Target{{Campaign: "a"}, {Account: alice}, {Recipient: "447700900001"}} {
		if dice.IntN(2) == 0 {
			require.NoError(t, h.Queue.Hold(t.Context(), target, h.Clock.Now().Add(time.Duration(1+dice.Int64N(int64(time.Hour)))), "a test"))
		}
	}
	estimates := estimatesOf(t, h.Queue, ids)
	h.Drain(30 * 24 * time.Hour)
	for i, id := range ids {
		r, e := get(t, h.Queue, id), estimates[id]
		if r.Status != queue.Sent {
			require.True(t, e.Never(), "message %d of %+v is %s: %+v", i, p, r.Status, e)
			continue
		}
		require.True(t, e == queue.Estimate{At: r.At, Low: r.At, High: r.At}, "message %d of %v: %v, not %v; verified %v", i, p.Rules, e, r.At, verified)
	}
}

func latestOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// A message that has been typed waits for one that ranks before it and is still being
// typed, and its future comes to that without stepping through each nanosecond.
func TestETA_WhileOneThatRanksBeforeIsTyped(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Width: 2, Typing: &queue.Typing{PerRune: time.Second, Max: 24 * time.Hour}})
	short := enqueue(t, h.Queue, queue.Message{Account: alice, To: bob, Text: "hi"})
	step(t, h)
	long := enqueue(t, h.Queue, queue.Message{Account: alice, To: carol, Text: strings.Repeat("x", 10_000), Priority: 1})
	step(t, h)
	h.Clock.Advance(2 * time.Second)
	step(t, h)
	gates := gatesOf(t, h.Queue, short)
	require.Equal(t, []queue.GateKind{queue.GateAhead}, kinds(gates))
	require.Equal(t, 1, gates[0].Ahead)
	require.Equal(t, []queue.GateKind{queue.GateTyping}, kinds(gatesOf(t, h.Queue, long)))
	for _, id := range []string{short, long} {
		e, err := h.Queue.ETA(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, queuetest.Epoch().Add(10_000*time.Second), e.At)
	}
	h.Drain(24 * time.Hour)
	require.Equal(t, queuetest.Epoch().Add(10_000*time.Second), get(t, h.Queue, short).At)
}

// The next message of a chain may go at once where the first one expires, whatever the
// lane waits for.
func TestETA_BehindOneThatExpires(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(policy.SlidingWindow{Max: 3, Window: time.Minute}), &queue.Options{Typing: quiet, KeepForUrgent: 1})
	h.Sender.Script(queuetest.Answer{Err: queue.Retry(errors.New("busy"), 50*time.Second)})
	code := queue.Message{Account: alice, To: bob, Text: "code", Priority: 1}
	second := code
	code.ExpiresAt = queuetest.Epoch().Add(30 * time.Second)
	enqueue(t, h.Queue, code)
	behind := enqueue(t, h.Queue, second)
	h.Enqueue(alice, carol, "bulk")
	bulk := h.Enqueue(alice, carol, "it waits a minute for what is kept")
	step(t, h)
	for id, wait := range map[string]time.Duration{behind: 30 * time.Second, bulk: time.Minute} {
		e, err := h.Queue.ETA(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, queuetest.Epoch().Add(wait), e.At)
	}
	h.Drain(2 * time.Minute)
	require.Equal(t, queuetest.Epoch().Add(30*time.Second), get(t, h.Queue, behind).At)
	require.Equal(t, queuetest.Epoch().Add(time.Minute), get(t, h.Queue, bulk).At)
}

// A campaign that is held until after hours holds up no other.
func TestETA_HeldUntilAfterHours(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(policy.ActiveHours{From: 8 * time.Hour, To: 17 * time.Hour}), &queue.Options{Typing: quiet})
	hour := func(n time.Duration) time.Time { return queuetest.Epoch().Truncate(24 * time.Hour).Add(n * time.Hour) }
	h.Clock.Set(hour(16))
	require.NoError(t, h.Queue.Hold(t.Context(), limiter.Target{Campaign: "spring"}, hour(18), "a test"))
	held := enqueue(t, h.Queue, queue.Message{Account: alice, To: bob, Text: "hi", Campaign: "spring"})
	free := h.Enqueue(alice, carol, "hi")
	for id, at := range map[string]time.Time{held: hour(24 + 8), free: hour(16)} {
		e, err := h.Queue.ETA(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, at, e.At)
	}
	h.Drain(48 * time.Hour)
	require.Equal(t, hour(16), get(t, h.Queue, free).At)
	require.Equal(t, hour(24+8), get(t, h.Queue, held).At)
}

// Far beyond what is stepped, messages are taken to go on at the same pace.
func TestETA_FarAhead(t *testing.T) {
	t.Parallel()
	const n = 130_000
	h := queuetest.NewOptions(t, rules(policy.Gap{Min: time.Second, Max: 3 * time.Second}), &queue.Options{Typing: quiet})
	h.Sender.Otherwise(queuetest.Answer{Took: time.Second})
	var id string
	for range n {
		id = h.Enqueue(alice, bob, "hi")
	}
	for h.Queue.Counters().Sent < 8 {
		h.Clock.Set(latestOf(step(t, h), h.Clock.Now()))
	}
	e, err := h.Queue.ETA(t.Context(), id)
	require.NoError(t, err)
	require.InEpsilon(t, (n * 3 * time.Second).Seconds(), e.At.Sub(queuetest.Epoch()).Seconds(), 0.01)
	require.False(t, e.Low.After(e.At))
	require.False(t, e.High.Before(e.At))

	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	_, err = h.Queue.ETA(ctx, id)
	require.ErrorIs(t, err, why)
}

// Asking changes nothing: what goes when is the same with and without.
func TestETA_ChangesNothing(t *testing.T) {
	t.Parallel()
	send := func(ask bool) (all []queue.Record) {
		h, _ := queuetest.NewVerifier(t, policy.Standard(), nil)
		var ids []string
		for i := range 50 {
			ids = append(ids, h.Enqueue(alice, number(i/2), "hi"))
		}
		for next := h.Clock.Now(); !next.IsZero(); {
			h.Clock.Set(next)
			next = step(t, h)
			if ask {
				for _, id := range ids {
					_, err := h.Queue.ETA(t.Context(), id)
					require.NoError(t, err)
					gatesOf(t, h.Queue, id)
				}
			}
		}
		for _, id := range ids {
			all = append(all, get(t, h.Queue, id))
		}
		return all
	}
	require.Equal(t, send(false), send(true))
}

// Anybody may ask while the queue runs.
func TestETA_WhileRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, rules(policy.Gap{Min: time.Second, Max: 2 * time.Second}), always, queue.Options{Clock: limiter.RealClock(), Width: 3})
		var ids []string
		for range 60 {
			ids = append(ids, enqueue(t, q, hi(alice)))
		}
		stop := run(q)
		var asking sync.WaitGroup
		for i := range 3 {
			asking.Go(func() {
				for {
					time.Sleep(time.Duration(i+1) * 300 * time.Millisecond)
					e, err := q.ETA(context.Background(), ids[59])
					if err != nil || e.Never() {
						t.Errorf("%+v, %v", e, err)
					}
					if _, err := q.Gates(context.Background(), ids[59]); err != nil {
						t.Error(err)
					}
					r, err := q.Get(context.Background(), ids[59])
					if err != nil || r.Status.Final() {
						return
					}
				}
			})
		}
		asking.Wait()
		require.NoError(t, stop())
	})
}
