package queue_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// sharedRule is a policy with a rule that accounts of one portfolio share, and a gap.
func sharedRule(limit policy.Limit, actions ...policy.Action) policy.Policy {
	return policy.Policy{Rules: []policy.Rule{
		{Name: "pace", Actions: []policy.Action{policy.SendMessage}, Limit: policy.Gap{Min: time.Second, Max: 2 * time.Second}},
		{Name: "shared", Actions: actions, Scope: policy.ScopePortfolio, Limit: limit},
	}}
}

// family is the portfolio of alice and carol. Others have one of their own.
func family(account string) string {
	if account == alice || account == carol {
		return "family"
	}
	return "own of " + account
}

const stranger = "447700900500"

func TestPortfolio_IsShared(t *testing.T) {
	t.Parallel()
	tests := map[string]policy.Limit{
		"window":     policy.SlidingWindow{Max: 3, Window: time.Hour},
		"day":        policy.CalendarWindow{Max: 3, Unit: policy.Day, Location: time.UTC},
		"bucket":     policy.TokenBucket{Max: 1, Per: time.Hour, Burst: 3},
		"recipients": policy.UniqueRecipients{Max: 3, Window: time.Hour},
	}
	for name, limit := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := queuetest.NewOptions(t, sharedRule(limit), &queue.Options{Typing: quiet, Portfolio: family})
			last := map[string]string{}
			for i := range 4 {
				for _, account := range []string{alice, carol, stranger} {
					last[account] = h.Enqueue(account, number(i+10*int(account[len(account)-1])), "hi")
				}
			}
			minute := queuetest.Epoch().Add(time.Minute)
			for next := step(t, h); next.Before(minute); next = step(t, h) {
				h.Clock.Set(next)
			}
			sent := map[string]int{}
			for _, m := range h.Sender.Sent() {
				sent[family(m.Account)]++
			}
			require.Equal(t, map[string]int{"family": 3, family(stranger): 3}, sent)
			for account, id := range last {
				gates, err := h.Queue.Gates(t.Context(), id)
				require.NoError(t, err)
				shut := slices.IndexFunc(gates, func(g queue.Gate) bool { return g.Kind == queue.GateRule && g.Rule == "shared" })
				require.GreaterOrEqual(t, shut, 0, "%s: %v", account, gates)
				require.True(t, gates[shut].Until.After(minute))
			}
			h.Drain(8 * 24 * time.Hour)
			require.Len(t, h.Sender.Sent(), 12)
			h.Audit()
		})
	}
}

// Accounts that wait for the budget of their portfolio get it in turn.
func TestPortfolio_Fair(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, sharedRule(policy.SlidingWindow{Max: 1, Window: time.Minute}), &queue.Options{Typing: quiet, Portfolio: family})
	for range 6 {
		h.Enqueue(alice, bob, "hi")
		h.Enqueue(carol, bob, "hi")
	}
	h.Drain(time.Hour)
	sent := h.Sender.Sent()
	require.Len(t, sent, 12)
	for i := range sent[2:] {
		require.Equal(t, sent[i].Account, sent[i+2].Account, "message %d", i+2)
	}
	require.NotEqual(t, sent[0].Account, sent[1].Account)
}

// An ETA knows what the portfolio has spent, and each of its futures begins with that.
func TestPortfolio_ETA(t *testing.T) {
	t.Parallel()
	p := sharedRule(policy.SlidingWindow{Max: 3, Window: time.Hour})
	p.Rules[0].Limit = policy.Gap{Min: time.Second, Max: time.Second}
	for _, typing := range []*queue.Typing{quiet, nil} {
		h := queuetest.NewOptions(t, p, &queue.Options{Typing: typing, Portfolio: family})
		for range 2 {
			h.Enqueue(alice, bob, "hi")
		}
		for next := step(t, h); !next.IsZero(); next = step(t, h) {
			h.Clock.Set(next)
		}
		h.Clock.Advance(10 * time.Minute)
		var ids []string
		for range 8 {
			ids = append(ids, h.Enqueue(carol, bob, "hi"))
		}
		var etas []queue.Estimate
		for _, id := range ids {
			eta, err := h.Queue.ETA(t.Context(), id)
			require.NoError(t, err)
			etas = append(etas, eta)
		}
		h.Drain(5 * time.Hour)
		for i, id := range ids {
			at := get(t, h.Queue, id).At
			require.InDelta(t, etas[i].At.Sub(queuetest.Epoch()).Seconds(), at.Sub(queuetest.Epoch()).Seconds(), 5, "message %d", i)
			require.Less(t, etas[i].High.Sub(etas[i].Low), 20*time.Second, "message %d", i)
		}
		require.Greater(t, etas[1].At.Sub(etas[0].At), 30*time.Minute, "two of three were alice's")
		h.Audit()
	}
}

// What a portfolio has spent outlives the queue, also where a hold was kept last.
func TestPortfolio_Restart(t *testing.T) {
	t.Parallel()
	p := sharedRule(policy.SlidingWindow{Max: 3, Window: time.Hour})
	clock, store := &queuetest.Clock{}, queue.NewMemory(100)
	s := &queuetest.Sender{Clock: clock, Portfolio: family}
	open := func() *queue.Queue {
		return newQueue(t, p, s, queue.Options{Clock: clock, Store: store, Typing: quiet, Portfolio: family})
	}
	drain := func(q *queue.Queue, until time.Time) {
		for {
			next, err := q.Step(t.Context())
			require.NoError(t, err)
			if next.IsZero() || next.After(until) {
				return
			}
			clock.Set(next)
		}
	}
	q := open()
	for range 3 {
		enqueue(t, q, hi(alice))
	}
	drain(q, clock.Now().Add(time.Minute))
	require.Len(t, s.Sent(), 3)
	require.NoError(t, q.Hold(t.Context(), limiter.Target{Account: alice, Campaign: "spring"}, time.Time{}, "too many complaints"))
	for range 3 { // and it dies, again and again
		q = open()
		enqueue(t, q, hi(carol))
		drain(q, clock.Now().Add(time.Minute))
		require.Len(t, s.Sent(), 3, "the portfolio is spent")
	}
	drain(q, clock.Now().Add(24*time.Hour))
	require.Len(t, s.Sent(), 6)
	for _, v := range queuetest.Audit(p, s.Log()) {
		t.Error(v)
	}
}

// Checks draw on the portfolio's budget, too.
func TestPortfolio_Checks(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, sharedRule(policy.SlidingWindow{Max: 2, Window: time.Hour}, policy.CheckNumber), &queue.Options{Typing: quiet, Portfolio: family})
	ids := []string{h.Enqueue(alice, number(1), "hi"), h.Enqueue(carol, number(2), "hi"), h.Enqueue(alice, number(3), "hi")}
	for next := step(t, h); next.Before(queuetest.Epoch().Add(time.Minute)); next = step(t, h) {
		h.Clock.Set(next)
	}
	require.Len(t, v.Checks(), 2)
	gates, err := h.Queue.Gates(t.Context(), ids[2])
	require.NoError(t, err)
	require.Equal(t, "shared", gates[0].Rule)
	eta, err := h.Queue.ETA(t.Context(), ids[2])
	require.NoError(t, err)
	h.Drain(2 * time.Hour)
	require.InDelta(t, 0, get(t, h.Queue, ids[2]).At.Sub(eta.At).Seconds(), 5)
	h.Audit()
}

func TestPortfolio_Missing(t *testing.T) {
	t.Parallel()
	p := sharedRule(policy.SlidingWindow{Max: 3, Window: time.Hour})
	_, err := queue.New(p, always, nil)
	require.ErrorIs(t, err, queue.ErrOption)
	require.EqualError(t, err, `queue: portfolio nil: rule "shared" counts by portfolio: give the function that says which one an account belongs to`)
	p.Rules[1].Shadow = true
	q := newQueue(t, p, always, queue.Options{})
	enqueue(t, q, hi(alice))
	p.Rules[1].Shadow = false

	for name, tt := range map[string]struct {
		says func(string) string
		want string
	}{
		"nothing":  {func(string) string { return "" }, `queue: of Options.Portfolio: limiter: portfolio "": rule "shared" counts by it; name it`},
		"a panic":  {func(string) string { panic("no database") }, `queue: of Options.Portfolio: limiter: portfolio "": rule "shared" counts by it; name it`},
		"NUL":      {func(string) string { return "447700900123\x00" }, "queue: of Options.Portfolio: limiter: portfolio \"4477******23\ufffd\": leave NUL bytes out"},
		"too much": {func(string) string { return string(make([]byte, 1<<20)) }, "use at most 256 bytes, not 1048576"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, p, always, queue.Options{Portfolio: tt.says})
			_, err := q.Enqueue(t.Context(), hi(alice))
			var bad *limiter.RequestError
			require.ErrorAs(t, err, &bad)
			require.ErrorContains(t, err, tt.want)
			require.Zero(t, q.Undone())
		})
	}
}

// A queue is not made where an account that has messages waiting has no portfolio: none
// is lost.
func TestPortfolio_MissingAtRestart(t *testing.T) {
	t.Parallel()
	p, store := sharedRule(policy.SlidingWindow{Max: 3, Window: time.Hour}), queue.NewMemory(100)
	q := newQueue(t, p, always, queue.Options{Store: store, Portfolio: family})
	id := enqueue(t, q, hi(alice))
	_, err := queue.New(p, always, &queue.Options{Store: store, Portfolio: func(string) string { return "" }})
	require.ErrorContains(t, err, "queue: what waits could not be taken up: queue: of Options.Portfolio")
	q = newQueue(t, p, always, queue.Options{Store: store, Portfolio: family})
	_, err = q.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, queue.Sent, get(t, q, id).Status)
}

// Lanes that share a budget are driven by many workers, and keep it.
func TestPortfolio_Run(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := policy.Policy{Rules: []policy.Rule{{Name: "shared", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 10, Window: time.Minute}}}}
		portfolio := func(string) string { return "all" }
		s := &queuetest.Sender{Portfolio: portfolio}
		s.Otherwise(queuetest.Answer{Took: 300 * time.Millisecond})
		q := newQueue(t, p, s, queue.Options{Typing: quiet, Portfolio: portfolio})
		stop := run(q)
		for range 5 {
			for _, account := range accounts(20) {
				enqueue(t, q, hi(account))
			}
		}
		time.Sleep(9*time.Minute + time.Second)
		require.Len(t, s.Sent(), 100, "no more than they may, and no less")
		require.NoError(t, stop())
		for _, v := range queuetest.Audit(p, s.Log()) {
			t.Error(v)
		}
	})
}

// A message that was in doubt is sent again on the portfolio's budget.
func TestPortfolio_Resend(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, sharedRule(policy.SlidingWindow{Max: 2, Window: time.Hour}), &queue.Options{Typing: quiet, Portfolio: family})
	h.Sender.Script(queuetest.Answer{Err: context.DeadlineExceeded})
	id := h.Enqueue(alice, bob, "hi")
	h.Drain(time.Minute)
	h.Enqueue(carol, bob, "hi")
	h.Drain(time.Minute)
	require.Zero(t, h.Queue.Lanes())
	r, err := h.Queue.Resolve(t.Context(), id, queue.Resend)
	require.NoError(t, err)
	require.Equal(t, queue.Queued, r.Status)
	next := step(t, h)
	require.Greater(t, next.Sub(h.Clock.Now()), 50*time.Minute)
	h.Drain(2 * time.Hour)
	require.Equal(t, queue.Sent, get(t, h.Queue, id).Status)
	h.Audit()
}
