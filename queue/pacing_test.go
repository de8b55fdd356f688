package queue_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// pauses are the times from the end of each call to the next one.
func pauses(calls []queuetest.Call) (pauses []time.Duration) {
	for i := range calls[1:] {
		pauses = append(pauses, calls[i+1].At.Sub(calls[i].Done))
	}
	return pauses
}

func TestPacing_Standard(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Standard(), &queue.Options{Typing: quiet})
	h.Sender.Otherwise(queuetest.Answer{Took: 300 * time.Millisecond})
	for range 1200 {
		h.Enqueue(alice, bob, "hi")
	}
	h.Drain(72 * time.Hour)
	h.Audit()
	calls := h.Sender.Log()
	require.Len(t, calls, 1200)
	days := map[string]int{}
	for i, c := range calls {
		days[c.At.UTC().Format(time.DateOnly)]++
		if i == 0 || calls[i-1].At.YearDay() != c.At.YearDay() {
			continue
		}
		pause := c.At.Sub(calls[i-1].Done)
		if i%20 == 0 {
			require.GreaterOrEqual(t, pause, 30*time.Second)
			require.LessOrEqual(t, pause, 60*time.Second)
		} else {
			require.GreaterOrEqual(t, pause, 5*time.Second)
			require.LessOrEqual(t, pause, 9*time.Second)
		}
	}
	require.Equal(t, map[string]int{"2026-01-05": 500, "2026-01-06": 500, "2026-01-07": 200}, days)
	require.Equal(t, "00:00:00", calls[500].At.UTC().Format("15:04:05.999999999"), "at the day's first instant")
}

func TestPacing_Strict(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Strict(), &queue.Options{Typing: quiet})
	h.Sender.Otherwise(queuetest.Answer{Took: 200 * time.Millisecond})
	for range 450 {
		h.Enqueue(alice, bob, "hi")
	}
	h.Drain(72 * time.Hour)
	h.Audit()
	for i, pause := range pauses(h.Sender.Log()) {
		if (i+1)%200 != 0 {
			require.Equal(t, time.Minute, pause)
		}
	}
	calls := h.Sender.Log()
	require.Equal(t, "2026-01-06 00:00:00", calls[200].At.UTC().Format("2006-01-02 15:04:05.999999999"))
	require.Equal(t, "2026-01-07 00:00:00", calls[400].At.UTC().Format("2006-01-02 15:04:05.999999999"))
}

func TestPacing_Unlimited(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet})
	for range 500 {
		h.Enqueue(alice, bob, "hi")
	}
	h.Drain(0)
	require.Len(t, h.Sender.Sent(), 500)
	require.Equal(t, queuetest.Epoch(), h.Clock.Now())
	require.Empty(t, h.Sender.Typed())
}

func TestPacing_EachKind(t *testing.T) {
	t.Parallel()
	lisbon := time.FixedZone("somewhere", 5*3600+45*60)
	tests := []struct {
		name  string
		limit policy.Limit
		took  time.Duration
		want  string // seconds since the start
	}{
		{"token bucket", policy.TokenBucket{Max: 1, Per: 10 * time.Second, Burst: 3}, time.Second, "[0 1 2 10 20 30]"},
		{"sliding window", policy.SlidingWindow{Max: 2, Window: 10 * time.Second}, time.Second, "[0 1 10 11 20 21]"},
		{"calendar minute", policy.CalendarWindow{Max: 2, Unit: policy.Minute}, 25 * time.Second, "[0 25 60 85 120 145]"},
		{"calendar day elsewhere", policy.CalendarWindow{Max: 3, Unit: policy.Day, Location: lisbon}, time.Second, "[0 1 2 36900 36901 36902]"},
		{"gap", policy.Gap{Min: 7 * time.Second, Max: 7 * time.Second}, time.Second, "[0 8 16 24 32 40]"},
		{"gap after two", policy.Gap{Min: 7 * time.Second, Max: 7 * time.Second, Every: 2}, time.Second, "[0 1 9 10 18 19]"},
		{"concurrency", policy.Concurrency{Max: 1}, time.Second, "[0 1 2 3 4 5]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := queuetest.NewOptions(t, rules(tt.limit), &queue.Options{Typing: quiet})
			h.Sender.Otherwise(queuetest.Answer{Took: tt.took})
			for range 6 {
				h.Enqueue(alice, bob, "hi")
			}
			h.Drain(24 * time.Hour)
			h.Audit()
			var at []time.Time
			for _, c := range h.Sender.Log() {
				at = append(at, c.At)
			}
			require.Equal(t, tt.want, seconds(queuetest.Epoch(), at))

			synctest.Test(t, func(t *testing.T) {
				s := &queuetest.Sender{}
				s.Otherwise(queuetest.Answer{Took: tt.took})
				// The bubble's clock starts at midnight UTC.
				time.Sleep(8 * time.Hour)
				start := time.Now()
				q := newQueue(t, rules(tt.limit), s, queue.Options{Typing: quiet})
				for range 6 {
					enqueue(t, q, hi(alice))
				}
				stop := run(q)
				time.Sleep(24 * time.Hour)
				require.NoError(t, stop())
				at = nil
				for _, c := range s.Log() {
					at = append(at, c.At)
				}
				require.Equal(t, tt.want, seconds(start, at), "the same under Run")
				require.Empty(t, queuetest.Audit(rules(tt.limit), s.Log()))
			})
		})
	}
}

// Rules that count recipients are told who gets the message.
func TestPacing_Recipients(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "people", Limit: policy.UniqueRecipients{Max: 2, Window: time.Hour}},
		{Name: "pair", Scope: policy.ScopeRecipient, Limit: policy.Gap{Min: 10 * time.Second, Max: 10 * time.Second}},
	}}
	h := queuetest.NewOptions(t, p, &queue.Options{Typing: quiet})
	for _, to := range []string{bob, "+44 7700 900001", carol, "44 7700 900 099", "447700900002"} {
		h.Enqueue(alice, to, "hi")
	}
	h.Drain(2 * time.Hour)
	var at []time.Time
	for _, c := range h.Sender.Log() {
		at = append(at, c.At)
	}
	require.Equal(t, "[0 0 10 10 3610]", seconds(queuetest.Epoch(), at))
}

// Every message goes at the first instant that the limiter allows, asked by a
// limiter that sees what the queue's own sees.
func TestPacing_Exact(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Standard(), &queue.Options{Typing: quiet, Seed: 7})
	h.Sender.Otherwise(queuetest.Answer{Took: 150 * time.Millisecond})
	for range 100 {
		h.Enqueue(alice, bob, "hi")
	}
	h.Drain(time.Hour)
	l, err := limiter.New(policy.Standard(), &limiter.Options{Seed: 7})
	require.NoError(t, err)
	req := limiter.Request{Account: alice, Action: policy.SendMessage}
	calls := h.Sender.Log()
	for i, c := range calls {
		permit, d := l.Take(c.At, req)
		require.NoError(t, d.Err())
		permit.Settle(c.Done, limiter.Sent)
		if i+1 < len(calls) {
			require.Equal(t, calls[i+1].At.Sub(c.Done), l.Check(c.Done, req).RetryAfter)
		}
	}
}

// A campaign under Run in real time, which is the bubble's, keeps the policy as
// under Step, and takes as long.
func TestPacing_RunAndStepAgree(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Standard(), &queue.Options{Seed: 3})
	h.Sender.Otherwise(queuetest.Answer{Took: 100 * time.Millisecond})
	for range 200 {
		h.Enqueue(alice, bob, "hello there")
	}
	h.Drain(2 * time.Hour)
	byStep := h.Sender.Log()

	synctest.Test(t, func(t *testing.T) {
		s := &queuetest.Sender{}
		s.Otherwise(queuetest.Answer{Took: 100 * time.Millisecond})
		// IDs hold the time, and typing is drawn by ID: start at the same time.
		time.Sleep(time.Until(queuetest.Epoch()))
		q := newQueue(t, policy.Standard(), s, queue.Options{Seed: 3})
		for range 200 {
			enqueue(t, q, queue.Message{Account: alice, To: bob, Text: "hello there"})
		}
		stop := run(q)
		time.Sleep(2 * time.Hour)
		require.NoError(t, stop())
		byRun := s.Log()
		require.Len(t, byRun, 200)
		for i := range byRun {
			require.Equal(t, byStep[i].At.UTC(), byRun[i].At.Round(0).UTC())
			require.Equal(t, byStep[i].Done.UTC(), byRun[i].Done.Round(0).UTC())
		}
		require.Empty(t, queuetest.Audit(policy.Standard(), byRun))
	})
}

func drawPolicy(t *rapid.T) policy.Policy {
	span := rapid.SampledFrom([]time.Duration{time.Second, 17 * time.Second, time.Minute, time.Hour})
	most := rapid.Int64Range(1, 6)
	limits := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) policy.Limit {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return policy.TokenBucket{Max: most.Draw(t, "max"), Per: span.Draw(t, "per"), Burst: most.Draw(t, "burst")}
		case 1:
			return policy.SlidingWindow{Max: most.Draw(t, "max"), Window: span.Draw(t, "window")}
		case 2:
			return policy.CalendarWindow{Max: 4 * most.Draw(t, "max"), Unit: rapid.SampledFrom([]policy.Unit{policy.Minute, policy.Hour, policy.Day}).Draw(t, "unit")}
		case 3:
			least := span.Draw(t, "min")
			return policy.Gap{Min: least, Max: least + span.Draw(t, "spread"), Every: rapid.Int64Range(0, 4).Draw(t, "every")}
		default:
			return policy.Concurrency{Max: most.Draw(t, "max")}
		}
	}), 0, 4).Draw(t, "limits")
	return rules(limits...)
}

// Whatever the policy, and whenever messages come, the log keeps the policy, the
// order is kept and nothing is left behind.
func TestPacing_AnyPolicy(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPolicy(rt)
		o := &queue.Options{Width: rapid.IntRange(1, 3).Draw(rt, "width")}
		if rapid.Bool().Draw(rt, "quiet") {
			o.Typing = quiet
		}
		h := queuetest.NewOptions(t, p, o)
		accounts := rapid.IntRange(1, 3).Draw(rt, "accounts")
		want := map[string][]string{}
		for range rapid.IntRange(1, 25).Draw(rt, "messages") {
			account := fmt.Sprint("account ", rapid.IntRange(1, accounts).Draw(rt, "account"))
			want[account] = append(want[account], h.Enqueue(account, bob, rapid.StringN(1, 80, -1).Draw(rt, "text")))
			h.Sender.Otherwise(queuetest.Answer{Took: time.Duration(rapid.Int64Range(0, 3e9).Draw(rt, "took"))})
			for range rapid.IntRange(0, 3).Draw(rt, "steps") {
				next, err := h.Queue.Step(t.Context())
				require.NoError(rt, err)
				if !next.IsZero() && rapid.Bool().Draw(rt, "jump") {
					h.Clock.Set(next)
				} else {
					h.Clock.Advance(time.Duration(rapid.Int64Range(0, 30e9).Draw(rt, "later")))
				}
			}
		}
		h.Drain(100 * 24 * time.Hour)
		require.Empty(rt, queuetest.Audit(p, h.Sender.Log()))
		got := map[string][]string{}
		for _, m := range h.Sender.Sent() {
			got[m.Account] = append(got[m.Account], m.ID)
		}
		require.Equal(rt, want, got)
		require.Zero(rt, h.Queue.Lanes())
	})
}
