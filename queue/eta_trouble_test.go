package queue_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// After sends that failed in every way an estimate is what happens too, if nothing fails
// any more: with messages that are tried again, are in doubt or follow those that are,
// with holds, and while the account is offline or comes back.
func TestETA_IsExactAfterTrouble(t *testing.T) {
	t.Parallel()
	for seed := range uint64(exactCampaigns) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			troubled(t, rand.New(rand.NewPCG(seed, 4)), seed)
		})
	}
}

func troubled(t *testing.T, dice *rand.Rand, seed uint64) {
	t.Helper()
	policies := []policy.Policy{
		policy.Standard(), policy.Unlimited(),
		rules(policy.Gap{Min: time.Second, Max: 8 * time.Second, Every: 2}, policy.CalendarWindow{Max: 40, Unit: policy.Day}),
		rules(policy.SlidingWindow{Max: 5, Window: time.Minute}, policy.NewContacts{Max: 6, Window: time.Hour}),
	}
	shared := policies[2]
	shared.Rules = append([]policy.Rule(nil), shared.Rules...)
	shared.Rules[1].Scope = policy.ScopePortfolio
	p := append(policies, shared)[dice.IntN(5)]
	o := &queue.Options{Seed: seed + 1, KeepForUrgent: int64(dice.IntN(2)), Portfolio: func(string) string { return "shared" }}
	if dice.IntN(2) == 0 {
		o.Typing = quiet
	}
	h := queuetest.NewOptions(t, p, o)
	script := make([]queuetest.Answer, 16) // by then it is known how long a send takes
	for range 1 + dice.IntN(12) {
		late := time.Duration(1 + dice.Int64N(int64(10*time.Minute)))
		err := []error{
			nil, nil, nil, errors.New("no"), queue.Retry(errors.New("busy"), late), queue.Offline(errors.New("gone")), queue.Unknown(errors.New("who knows")),
			queue.Drop(errors.New("no such number")), queue.Hold(errors.New("slow down"), limiter.Target{Account: alice}, h.Clock.Now().Add(late)),
		}[dice.IntN(9)]
		script = append(script, queuetest.Answer{Err: err})
	}
	h.Sender.Script(script...)
	var ids []string
	for range 70 {
		m := queue.Message{
			Account: alice, To: fmt.Sprint(int64(447700900000) + int64(dice.IntN(15))), Text: "hello"[:1+dice.IntN(4)],
			Campaign: []string{"", "a"}[dice.IntN(2)], Priority: dice.IntN(8) / 6,
			InDoubt: []queue.Doubt{queue.HoldInDoubt, queue.ResendInDoubt}[dice.IntN(2)],
		}
		if dice.IntN(8) == 0 {
			m.ExpiresAt = h.Clock.Now().Add(time.Duration(1 + dice.Int64N(int64(time.Hour))))
		}
		if id, err := h.Queue.Enqueue(t.Context(), m); err == nil {
			ids = append(ids, id)
		}
	}
	for len(h.Sender.Log()) < len(script) {
		next := step(t, h)
		if next.IsZero() {
			return // all are done with
		}
		if len(h.Sender.Log()) < len(script) {
			h.Clock.Set(latestOf(next, h.Clock.Now()))
		}
	}
	h.Clock.Advance(time.Duration(dice.Int64N(2) * dice.Int64N(int64(20*time.Second))))
	estimates := estimatesOf(t, h.Queue, ids)
	h.Drain(30 * 24 * time.Hour)
	for i, id := range ids {
		r, e := get(t, h.Queue, id), estimates[id]
		if r.Status != queue.Sent {
			require.True(t, e.Never(), "message %d of %+v is %s: %+v", i, p, r.Status, e)
			continue
		}
		if e.High.IsZero() {
			e.High = e.At // the account is not connected
		}
		require.True(t, e == queue.Estimate{At: r.At, Low: r.At, High: r.At}, "message %d of %v: %v, not %v; %+v", i, p.Rules, e, r.At, script)
	}
}

// estimatesOf is when each of the messages is said to go.
func estimatesOf(t *testing.T, q *queue.Queue, ids []string) map[string]queue.Estimate {
	t.Helper()
	estimates := map[string]queue.Estimate{}
	for _, id := range ids {
		e, err := q.ETA(t.Context(), id)
		require.NoError(t, err)
		estimates[id] = e
	}
	return estimates
}
