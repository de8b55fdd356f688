package queue_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

func TestDayFull(t *testing.T) {
	t.Parallel()
	p := rules(policy.Gap{Min: time.Second, Max: time.Second}, policy.CalendarWindow{Max: 5, Unit: policy.Day})
	midnight := time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC)
	t.Run("reject", func(t *testing.T) {
		t.Parallel()
		h := queuetest.NewOptions(t, p, &queue.Options{Typing: quiet, DayFull: queue.Reject})
		full := func() {
			t.Helper()
			_, err := h.Queue.Enqueue(t.Context(), hi(alice))
			var full *queue.DayFullError
			require.ErrorAs(t, err, &full)
			require.ErrorIs(t, err, queue.ErrDayFull)
			require.Equal(t, queue.Code("DAILY_LIMIT_REACHED"), full.Code)
			require.Equal(t, midnight, full.Frees.UTC())
			require.EqualValues(t, 5, full.Limit)
			require.ErrorContains(t, err, `rule "b"`)
		}
		for range 3 {
			h.Enqueue(alice, bob, "hi")
		}
		h.Clock.Set(step(t, h))
		step(t, h) // two are sent
		for range 2 {
			h.Enqueue(alice, bob, "hi")
		}
		full()
		h.Enqueue(carol, bob, "another account")
		h.Drain(time.Hour)
		full()
		h.Clock.Set(midnight)
		h.Enqueue(alice, bob, "hi")
	})
	t.Run("defer", func(t *testing.T) {
		t.Parallel()
		h := queuetest.NewOptions(t, p, &queue.Options{Typing: quiet})
		for range 6 {
			h.Enqueue(alice, bob, "hi")
		}
		h.Drain(24 * time.Hour)
		require.Equal(t, midnight, h.Sender.Log()[5].At.UTC())
	})
}

// What waits counts for the budget that it draws on, and for the day on which it may go.
func TestDayFull_RejectCountsWhatWaits(t *testing.T) {
	t.Parallel()
	day := func(n int64) policy.Limit {
		return policy.CalendarWindow{Max: n, Unit: policy.Day, Location: time.UTC}
	}
	scoped := func(scope policy.Scope) policy.Policy {
		return policy.Policy{Rules: []policy.Rule{{Name: "day", Scope: scope, Limit: day(3)}}}
	}
	tomorrow := time.Date(2026, 1, 6, 9, 0, 0, 0, time.UTC)
	message := func(account, to string) queue.Message { return queue.Message{Account: account, To: to, Text: "hi"} }
	urgent, later, after := message(alice, bob), message(alice, bob), message(alice, bob)
	urgent.Priority = 1
	later.NotBefore = tomorrow
	later.Campaign = "reminders"
	after.Campaign = later.Campaign
	tests := map[string]struct {
		policy  policy.Policy
		options queue.Options
		taken   []queue.Message
		refused []queue.Message
		then    []queue.Message // is taken all the same
	}{
		"of the portfolio's other accounts": {
			scoped(policy.ScopePortfolio), queue.Options{Portfolio: family},
			[]queue.Message{message(alice, bob), message(carol, bob), message(alice, bob)},
			[]queue.Message{message(carol, bob), message(alice, bob)},
			[]queue.Message{message(stranger, bob)},
		},
		"to the recipient": {
			scoped(policy.ScopeRecipient), queue.Options{},
			[]queue.Message{message(alice, bob), message(alice, carol), message(alice, bob), message(alice, bob), message(alice, carol)},
			[]queue.Message{message(alice, bob), urgent},
			[]queue.Message{message(carol, bob), message(alice, carol)},
		},
		"less what is kept for urgent ones": {
			scoped(policy.ScopeAccount), queue.Options{KeepForUrgent: 1},
			[]queue.Message{message(alice, bob), message(alice, carol)},
			[]queue.Message{message(alice, bob)},
			[]queue.Message{urgent},
		},
		"but not for another day": {
			scoped(policy.ScopeAccount), queue.Options{},
			[]queue.Message{later, after, message(alice, bob), message(alice, bob), message(alice, bob)},
			[]queue.Message{message(alice, bob)},
			[]queue.Message{later},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.options.DayFull, tt.options.Typing = queue.Reject, quiet
			h := queuetest.NewOptions(t, tt.policy, &tt.options)
			refuse := func() {
				for _, m := range tt.refused {
					_, err := h.Queue.Enqueue(t.Context(), m)
					require.ErrorIs(t, err, queue.ErrDayFull)
				}
			}
			for _, m := range tt.taken {
				enqueue(t, h.Queue, m)
			}
			refuse()
			step(t, h)
			refuse() // what was sent counts as well
			for _, m := range tt.then {
				enqueue(t, h.Queue, m)
			}
			step(t, h)
			h.Clock.Set(tomorrow)
			step(t, h)
			require.Zero(t, h.Queue.Lanes())
			require.Zero(t, h.Queue.Families())
			h.Audit()
			require.Len(t, h.Sender.Sent(), len(tt.taken)+len(tt.then))
			h.Clock.Advance(24 * time.Hour)
			for _, m := range tt.taken[:2] {
				enqueue(t, h.Queue, m)
			}
		})
	}
}

// What cannot be sent before it expires is refused, and what can is not.
func TestEnqueue_ExpiresFirst(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, sevenSeconds(), &queue.Options{Typing: quiet})
	add := func(after time.Duration, priority int, to string) error {
		m := queue.Message{Account: alice, To: to, Text: "hi", Priority: priority, ExpiresAt: h.Clock.Now().Add(after)}
		_, err := h.Queue.Enqueue(t.Context(), m)
		return err
	}
	for i := range 10 {
		require.NoError(t, add(time.Hour, 0, number(i)))
	}
	err := add(70*time.Second, 0, number(10))
	require.ErrorIs(t, err, queue.ErrMessage)
	require.ErrorContains(t, err, "it cannot be sent by then, 10 messages are before it; give it more time or a higher priority")
	require.NoError(t, add(71*time.Second, 0, number(10)))
	require.NoError(t, add(time.Second, 1, number(11)))
	step(t, h)
	require.ErrorIs(t, add(7*time.Second, 9, number(12)), queue.ErrMessage, "the pause runs")
	require.NoError(t, add(8*time.Second, 9, number(12)))
	h.Drain(2 * time.Minute)
	require.Len(t, h.Sender.Sent(), 12)
}
