package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A message that was taken in is not refused when it is enqueued again, as it would be
// thought not to be kept.
func TestEnqueue_KeyOfOneThatWouldBeRefused(t *testing.T) {
	t.Parallel()
	day := rules(policy.CalendarWindow{Max: 1, Unit: policy.Day})
	for name, tt := range map[string]struct {
		policy  policy.Policy
		options queue.Options
		expires time.Duration
		refused error
	}{
		"full":           {day, queue.Options{MaxQueued: 1}, 0, queue.ErrFull},
		"of a full day":  {day, queue.Options{DayFull: queue.Reject}, 0, queue.ErrDayFull},
		"expires sooner": {sevenSeconds(), queue.Options{}, 2 * time.Second, queue.ErrMessage},
		"expired":        {sevenSeconds(), queue.Options{}, time.Second, queue.ErrMessage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.options.Typing = quiet
			h := queuetest.NewOptions(t, tt.policy, &tt.options)
			m := hi(alice)
			m.Key = "order 7"
			if tt.expires != 0 {
				m.ExpiresAt = h.Clock.Now().Add(tt.expires)
			}
			first := enqueue(t, h.Queue, m)
			if tt.expires != 0 {
				step(t, h)
				h.Clock.Advance(time.Second)
			}
			require.Equal(t, first, enqueue(t, h.Queue, m))
			if tt.expires == 0 {
				other := m
				other.Key = "order 8"
				_, err := h.Queue.Enqueue(t.Context(), other)
				require.ErrorIs(t, err, tt.refused)
				other.Key = ""
				_, err = h.Queue.Enqueue(t.Context(), other)
				require.ErrorIs(t, err, tt.refused)
			}
			h.Drain(time.Hour)
			require.Equal(t, first, enqueue(t, h.Queue, m), "it is done with")
			r, err := h.Queue.Send(t.Context(), m)
			require.NoError(t, err)
			require.Equal(t, queue.Sent, r.Status)
			require.Len(t, h.Sender.Sent(), 1)
		})
	}
}

// Where the key cannot be looked up nobody says that the message was not kept.
func TestEnqueue_KeyThatCannotBeLookedUp(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(), &queue.Options{MaxQueued: 1})
	h.Queue.SetStore(keyless{queue.NewMemory(1)})
	m := hi(alice)
	m.Key = "order 7"
	enqueue(t, h.Queue, m)
	_, err := h.Queue.Enqueue(t.Context(), m)
	require.ErrorIs(t, err, errStore)
	require.NotErrorIs(t, err, queue.ErrFull)
}

// A keyless store cannot look up a key.
type keyless struct{ queue.Store }

func (keyless) Keyed(context.Context, string, string, time.Time) (string, error) {
	return "", errStore
}

// Nor is it where nobody says any more whose budget it spends.
func TestEnqueue_KeyOfOneWithoutAPortfolio(t *testing.T) {
	t.Parallel()
	name := "family"
	h := queuetest.NewOptions(t, sharedRule(policy.SlidingWindow{Max: 1, Window: time.Hour}), &queue.Options{
		Typing: quiet, Portfolio: func(string) string { return name },
	})
	m := hi(alice)
	m.Key = "order 7"
	first := enqueue(t, h.Queue, m)
	name = ""
	require.Equal(t, first, enqueue(t, h.Queue, m))
	m.Key = "order 8"
	var refused *limiter.RequestError
	_, err := h.Queue.Enqueue(t.Context(), m)
	require.ErrorAs(t, err, &refused)
}
