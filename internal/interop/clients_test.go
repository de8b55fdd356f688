package interop_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

// clients are other people's, over a base.
func clients() map[string]func(base http.RoundTripper) *http.Client {
	return map[string]func(http.RoundTripper) *http.Client{
		"hashicorp/go-retryablehttp": func(base http.RoundTripper) *http.Client {
			c := retryablehttp.NewClient()
			c.Logger = nil
			c.RetryMax, c.RetryWaitMin, c.RetryWaitMax = 2, time.Millisecond, time.Millisecond
			c.HTTPClient.Transport = base
			return c.StandardClient()
		},
		"failsafe-go/failsafehttp": func(base http.RoundTripper) *http.Client {
			return &http.Client{Transport: failsafehttp.NewRoundTripper(base, failsafehttp.NewRetryPolicyBuilder().Build())}
		},
	}
}

// Other people's clients wait as long as our refusals ask them to, and are then let
// in: none is refused twice in a row. Neither reads the RateLimit or X-RateLimit
// fields, so that each runs into every refusal that it could have foreseen.
func TestClientsObeyOurRefusals(t *testing.T) {
	t.Parallel()
	const window = 2 * time.Second
	for name, client := range clients() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, sent := ours(t, 2, window), &log{}
			c := client(sent)
			for range 4 {
				answer, err := c.Post(url, "text/plain", strings.NewReader("hello")) //nolint:noctx // it is their client's to make
				require.NoError(t, err)
				require.NoError(t, answer.Body.Close())
				require.Equal(t, http.StatusOK, answer.StatusCode)
			}
			require.Equal(t, []int{200, 200, 429, 200, 200}, sent.statuses())
			require.Equal(t, "2", sent.visits[2].retry)
			require.GreaterOrEqual(t, sent.pauses()[2], window)
		})
	}
}

// What they get wrong, and a Retry-After of ours cannot lead them into, because it is
// a whole number of at least 1 that is as long as the wait:
//
//   - go-retryablehttp v0.7.8 and failsafe-go v0.9.8 multiply the seconds without a
//     check. More than a duration holds become a negative wait: they come back at
//     once.
//   - failsafe-go reads no date, and without a number does not wait at all.
//
// Our transport does not wait for what it cannot, and reads dates.
func TestClientsOfAnAbsurdServer(t *testing.T) {
	t.Parallel()
	date := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	for _, tt := range []struct{ name, client, retry string }{
		{"go-retryablehttp and a number", "hashicorp/go-retryablehttp", "9223372037"},
		{"failsafe-go and a number", "failsafe-go/failsafehttp", "9223372037"},
		{"failsafe-go and a date", "failsafe-go/failsafehttp", date},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, sent := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tt.retry)
				w.WriteHeader(http.StatusTooManyRequests)
			})), &log{}
			answer, err := clients()[tt.client](sent).Get(url) //nolint:noctx // it is their client's to make
			if err == nil {
				require.NoError(t, answer.Body.Close())
			}
			require.Equal(t, []int{429, 429, 429}, sent.statuses())
			for _, pause := range sent.pauses() {
				require.Less(t, pause, time.Second, "it waits now: take it off the list")
			}

			sent = &log{}
			tr, err := headers.NewTransport(sent, &headers.TransportOptions{MaxWait: time.Minute})
			require.NoError(t, err)
			_, err = (&http.Client{Transport: tr}).Get(url) //nolint:noctx,bodyclose // there is no answer
			require.ErrorIs(t, err, headers.ErrWaitTooLong)
			require.Equal(t, []int{429}, sent.statuses())
		})
	}
}
