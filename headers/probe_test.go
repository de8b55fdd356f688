package headers_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

// Who waits for the answer to another's request is as patient as anybody else.
func TestTransportWaitsForAnAnswerThatNeverComes(t *testing.T) {
	t.Parallel()
	const (
		untilReset = "X-RateLimit-Remaining: 1\nX-RateLimit-Reset: 7200"
		refusal    = "Retry-After: 1"
	)
	for _, tt := range []struct {
		name     string
		first    string
		options  headers.TransportOptions
		deadline time.Duration
		took     time.Duration
	}{
		{"as long as it may wait", refusal, headers.TransportOptions{Tries: 1}, 0, time.Hour},
		{"for its budget", refusal, headers.TransportOptions{Tries: 1, Budget: 20 * s}, 0, 20 * s},
		{"for many times MaxWait", refusal, headers.TransportOptions{Tries: 1, MaxWait: 20 * s, Budget: 70 * s}, 0, 70 * s},
		{"until the deadline", refusal, headers.TransportOptions{Tries: 1}, 30 * s, 30*s - 1},
		{"before the reset", untilReset, headers.TransportOptions{Tries: 1, Budget: 20 * s}, 0, 20 * s},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				never := make(chan struct{})
				asked := 0
				base := roundTrip(func(*http.Request) (*http.Response, error) {
					asked++
					if asked == 1 {
						h := newScript(answer{status: 200, fields: tt.first})
						return h.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
					}
					<-never
					return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
				})
				tr := newTransport(t, base, tt.options)
				_, err := tr.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
				require.NoError(t, err)
				time.Sleep(2 * s)
				done := make(chan struct{})
				go func() { // the one whose answer says how many more may go
					defer close(done)
					_, err := tr.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
					if err != nil {
						t.Error(err)
					}
				}()
				synctest.Wait()
				require.Equal(t, 2, asked)

				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				began := time.Now()
				_, err = tr.RoundTrip(request(t, ctx, http.MethodGet, ""))
				require.ErrorIs(t, err, headers.ErrWaitTooLong)
				require.Equal(t, tt.took, time.Since(began))
				require.Equal(t, 2, asked, "it was not sent")
				close(never)
				<-done
			})
		})
	}
}
