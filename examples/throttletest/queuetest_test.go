package throttletest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/examples/throttletest"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// The harness's sender can type, as WhatsApp's clients can. Typing comes on top of
// the pace and is drawn by the seed; without it the times are round.
func TestPaceWithQueuetest(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, throttletest.Pace(), &queue.Options{Typing: &queue.Typing{}})
	shipSix(t, h.Queue)

	h.Drain(2 * time.Minute)
	h.Audit()
	var sent []time.Duration
	for _, call := range h.Sender.Log() {
		sent = append(sent, call.At.Sub(queuetest.Epoch()))
	}
	require.Equal(t, onTime(), sent)
}

// A slow send moves those behind it: the gap counts from its end, the minute from
// its start.
func TestPaceAfterSlowSend(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, throttletest.Pace(), &queue.Options{Typing: &queue.Typing{}})
	h.Sender.Script(queuetest.Answer{Took: 25 * time.Second})
	shipSix(t, h.Queue)

	h.Drain(3 * time.Minute)
	h.Audit()
	var sent []string
	for _, call := range h.Sender.Log() {
		sent = append(sent, call.At.Sub(queuetest.Epoch()).String())
	}
	require.Equal(t, []string{"0s", "35s", "45s", "1m0s", "1m35s", "1m45s"}, sent)
}

// shipSix makes the service send six messages.
func shipSix(t *testing.T, q *queue.Queue) {
	t.Helper()
	n := throttletest.Notifier{Queue: q, Account: "447700900000"}
	for i := range 6 {
		require.NoError(t, n.Shipped(t.Context(), fmt.Sprintf("+44 7700 90000%d", i+1), fmt.Sprintf("A-%d", i+1)))
	}
}

// onTime is when six messages go out under the pace.
func onTime() []time.Duration {
	return []time.Duration{0, 10 * time.Second, 20 * time.Second, 60 * time.Second, 70 * time.Second, 80 * time.Second}
}
