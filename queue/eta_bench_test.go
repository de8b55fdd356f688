package queue_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// BenchmarkETA asks when a message goes that is behind 10,000 others, under the
// standard policy, after some were sent.
func BenchmarkETA(b *testing.B) {
	for _, typed := range []bool{false, true} {
		b.Run(fmt.Sprintf("typing=%v", typed), func(b *testing.B) {
			clock := &queuetest.Clock{}
			timed := slow{clock, sendTimes(rand.New(rand.NewPCG(1, 1)), 1)}
			var sender queue.Sender = &timed
			if typed {
				sender = &slowTypist{timed}
			}
			q, err := queue.New(policy.Standard(), sender, &queue.Options{Clock: clock, Seed: 1})
			require.NoError(b, err)
			var id string
			for i := range 10_100 {
				id, err = q.Enqueue(b.Context(), queue.Message{Account: alice, To: fmt.Sprint(int64(447700900000) + int64(i)), Text: "hello, how are you?"})
				require.NoError(b, err)
			}
			for sent := clock.Now().Add(20 * time.Minute); clock.Now().Before(sent); {
				next, err := q.Step(b.Context())
				require.NoError(b, err)
				clock.Set(next)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := q.ETA(b.Context(), id); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/ETA")
		})
	}
}
