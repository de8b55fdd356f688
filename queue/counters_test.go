package queue_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// Every message is counted once, and every change of one is logged, with its numbers
// masked.
func TestCounters(t *testing.T) {
	t.Parallel()
	var book logbook
	var d diary
	log := slog.New(slog.NewTextHandler(&book, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet, Logger: log, OnEvent: d.write})
	h.Sender.Script(
		queuetest.Answer{}, queuetest.Answer{Err: errNo}, queuetest.Answer{Err: context.DeadlineExceeded},
		queuetest.Answer{Err: context.DeadlineExceeded}, queuetest.Answer{Err: queue.Retry(errNo, 0)},
	)
	var ids []string
	for i := range 5 {
		ids = append(ids, h.Enqueue(alice, number(i), "hi"))
	}
	m := hi(alice)
	m.NotBefore = queuetest.Epoch().Add(time.Hour)
	cancelled := enqueue(t, h.Queue, m)
	m.To, m.ExpiresAt = carol, m.NotBefore.Add(time.Hour)
	enqueue(t, h.Queue, m)
	m.To = number(7)
	enqueue(t, h.Queue, m)
	h.Clock.Set(step(t, h))
	step(t, h) // the one that was refused
	_, err := h.Queue.Cancel(t.Context(), cancelled)
	require.NoError(t, err)
	_, err = h.Queue.Resolve(t.Context(), ids[3], queue.GiveUp)
	require.NoError(t, err)
	require.Equal(t, queue.Counters{
		Enqueued: 8, Attempts: 6, Requeued: 1, Sent: 2, Failed: 2, InDoubt: 2, Resolved: 1, Cancelled: 1, Waiting: 2,
	}, h.Queue.Counters())
	h.Clock.Advance(2 * time.Hour)
	h.Drain(0)
	c := h.Queue.Counters()
	require.EqualValues(t, 2, c.Expired)
	require.Zero(t, c.Waiting)
	require.Equal(t, c.Enqueued, c.Sent+c.Failed+c.Cancelled+c.Expired+c.InDoubt-c.Resolved)
	require.Equal(t, len(d.all()), strings.Count(book.String(), "message is "))
	require.Contains(t, book.String(), `level=WARN msg="message is failed"`)
	require.Contains(t, book.String(), "code=SEND_FAILED")
	for _, number := range []string{alice, carol, number(1)} {
		require.NotContains(t, book.String(), number)
	}
}
