package interop_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/go-chi/httprate"
	"github.com/sethvargo/go-limiter/httplimit"
	"github.com/sethvargo/go-limiter/memorystore"
	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

// Our transport reads what other people's servers print, and is let in by waiting.
//
// What they get wrong:
//
//   - go-limiter v0.7.1 prints Reset and Retry-After as a date that ends in UTC. An
//     HTTP date ends in GMT, and http.ParseTime cannot read it; Parse does. It is
//     rounded down to the second: who waits for it can come almost a
//     second too soon, and is then told to wait no time at all.
//   - httprate v0.16.1 prints the length of the window as Retry-After, however much
//     of it has passed, so that who waits may wait much too long; for a window under
//     a second it is 0. Its Reset is rounded down: who waits for it comes too soon.
func TestTransportObeysOtherServers(t *testing.T) {
	t.Parallel()
	const max, window = 2, 2 * time.Second
	key := func(*http.Request) (string, error) { return "everybody", nil }
	for _, tt := range []struct {
		name    string
		serve   func(http.Handler) http.Handler
		refused int // how often in a row, at most
		wait    func(retry string, at time.Time) (time.Duration, error)
	}{
		{
			name: "sethvargo/go-limiter",
			serve: func(next http.Handler) http.Handler {
				store, err := memorystore.New(&memorystore.Config{Tokens: max, Interval: window})
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, store.Close(context.Background())) })
				m, err := httplimit.NewMiddleware(store, key)
				require.NoError(t, err)
				return m.Handle(next)
			},
			refused: 2,
			wait: func(retry string, at time.Time) (time.Duration, error) {
				until, err := time.Parse(time.RFC1123, retry)
				return until.Sub(at), err
			},
		},
		{
			name:    "go-chi/httprate",
			serve:   httprate.Limit(max, window, httprate.WithKeyFuncs(key)),
			refused: 1,
			wait: func(retry string, _ time.Time) (time.Duration, error) {
				seconds, err := strconv.Atoi(retry)
				return time.Duration(seconds) * time.Second, err
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, sent := serve(t, tt.serve(http.HandlerFunc(ok))), &log{}
			client := &http.Client{Transport: transport(t, sent)}
			for range 5 {
				answer, text := get(t, client, url)
				a := headers.Parse(answer, text, time.Now(), nil)
				require.EqualValues(t, max, a.Limit)
				require.GreaterOrEqual(t, a.Remaining, int64(0))
				require.NotZero(t, a.ResetKind)
				require.LessOrEqual(t, a.Reset, window+time.Second)
				require.Empty(t, a.Notes)
			}
			inARow := 0
			for i, v := range sent.visits {
				if v.status == http.StatusOK {
					inARow = 0
					continue
				}
				inARow++
				require.LessOrEqual(t, inARow, tt.refused, "%v %v", sent.statuses(), sent.pauses())
				wait, err := tt.wait(v.retry, v.at)
				require.NoError(t, err)
				require.GreaterOrEqual(t, sent.pauses()[i], wait.Truncate(time.Second), "it waits what it was told")
			}
		})
	}
}
