package throttletest_test

import (
	"context"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/examples/throttletest"
	"github.com/wapace/wapace/queue"
)

// Step does what is due on this goroutine and waits for nothing, so the mock has
// no timer to lose: it is set to the time that Step names, and Step is called
// again.
func TestPaceWithMockClock(t *testing.T) {
	t.Parallel()
	mock := clock.NewMock()
	start := mock.Now()
	var sent []time.Duration
	q, err := queue.New(throttletest.Pace(), queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
		sent = append(sent, mock.Now().Sub(start))
		return queue.Receipt{}, nil
	}), &queue.Options{Clock: mock})
	require.NoError(t, err)
	shipSix(t, q)

	for {
		next, err := q.Step(t.Context())
		require.NoError(t, err)
		if next.IsZero() {
			break
		}
		mock.Set(next)
	}
	require.Equal(t, onTime(), sent)
}
