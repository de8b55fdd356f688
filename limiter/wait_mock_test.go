package limiter_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// Users' mocks work as they are: nothing moves but what Add moves.
func TestWait_OnAMock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mock := clock.NewMock()
		l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
			{Name: "bucket", Limit: policy.TokenBucket{Max: 1, Per: time.Minute}},
			{Name: "gap", Limit: policy.Gap{Min: 30 * time.Second, Max: 30 * time.Second}},
		}})
		q := newQueue(t, l)
		q.clock = mock
		cancel := make([]func(), 4)
		for i, name := range []string{"0", "1", "2", "3"} {
			cancel[i] = q.join(name, request(1))
		}
		step := func(d time.Duration) {
			synctest.Wait()
			mock.Add(d)
			synctest.Wait()
		}
		served := func(name string) limiter.Permit {
			t.Helper()
			require.Len(t, q.ends, 1)
			end := <-q.ends
			require.NoError(t, end.err)
			require.Equal(t, name, end.name)
			return end.permit
		}
		served("0").Settle(mock.Now(), limiter.Sent)
		step(time.Minute - 1)
		require.Empty(t, q.ends)
		step(1)
		p := served("1")
		step(time.Minute) // busy: 1 is on its way
		require.Empty(t, q.ends)
		cancel[2]()
		synctest.Wait()
		require.Equal(t, errGone, (<-q.ends).err)
		p.Settle(mock.Now(), limiter.Sent)
		step(30*time.Second - 1)
		require.Empty(t, q.ends)
		step(1)
		served("3")
	})
}
