package queue_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A sender that says it put nothing on the wire gives the budget back, whatever
// else its error wraps.
func TestUnsentGivesTheBudgetBack(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "day", Limit: policy.CalendarWindow{Max: 2, Unit: policy.Day}},
		{Name: "gap", Limit: policy.Gap{Min: time.Minute, Max: time.Minute}},
	}}
	h := queuetest.NewOptions(t, p, &queue.Options{Typing: &queue.Typing{}})
	h.Sender.Script(queuetest.Answer{Err: fmt.Errorf("%w: %w", queue.ErrUnsent, context.Canceled)})
	id := h.Enqueue("447700900000", "447700900001", "never leaves")
	for range 2 {
		h.Enqueue("447700900000", "447700900002", "goes")
	}
	h.Drain(time.Hour) // the third would have to wait for the next day
	log := h.Sender.Log()
	require.Len(t, log, 3)
	require.Zero(t, log[1].At.Sub(log[0].At), "no pause after what was not sent")
	require.Equal(t, time.Minute, log[2].At.Sub(log[1].At))
	r, err := h.Queue.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, queue.Failed, r.Status)
	require.Equal(t, queue.SendFailed, r.Code)
}
