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
