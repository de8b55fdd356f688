package throttletest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/examples/throttletest"
	"github.com/wapace/wapace/queue"
)

// Inside the bubble the real clock is a fake one: it jumps ahead whenever all
// goroutines wait, so the two minutes take no time.
func TestPaceWithSynctest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var sent []time.Duration
		q, err := queue.New(throttletest.Pace(), queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
			sent = append(sent, time.Since(start))
			return queue.Receipt{}, nil
		}), nil)
		require.NoError(t, err)
		shipSix(t, q)

		ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
		defer stop()
		require.NoError(t, q.Run(ctx))
		require.Equal(t, onTime(), sent)
	})
}
