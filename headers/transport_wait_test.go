package headers_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

func TestTransportWaitTooLong(t *testing.T) {
	t.Parallel()
	limited := answer{status: 429, fields: "Retry-After: 10"}
	for _, tt := range []struct {
		name     string
		deadline time.Duration
		options  headers.TransportOptions
		fields   string
		took     time.Duration
		wait     time.Duration
		left     time.Duration
	}{
		{"past the deadline", 9 * s, headers.TransportOptions{}, "", 0, 10 * s, 9*s - 1},
		{"at the deadline", 10 * s, headers.TransportOptions{}, "", 0, 10 * s, 10*s - 1},
		{"past the deadline at the third try", 25 * s, headers.TransportOptions{}, "", 20 * s, 10 * s, 5*s - 1},
		{"longer than MaxWait", 0, headers.TransportOptions{MaxWait: 9 * s}, "", 0, 10 * s, 9 * s},
		{"more than the budget", 0, headers.TransportOptions{Budget: 25 * s}, "", 20 * s, 10 * s, 5 * s},
		{"longer than an hour", 0, headers.TransportOptions{}, "Retry-After: 9223372037", 0, 24 * time.Hour, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				a := limited
				if tt.fields != "" {
					a.fields = tt.fields
				}
				base := newScript(a)
				tr := newTransport(t, base, tt.options)
				_, err := tr.RoundTrip(request(t, ctx, http.MethodGet, ""))
				require.ErrorIs(t, err, headers.ErrWaitTooLong)
				var long *headers.WaitTooLongError
				require.ErrorAs(t, err, &long)
				require.Equal(t, headers.WaitTooLongError{Wait: tt.wait, Left: tt.left, Status: 429}, *long)
				require.Equal(t, tt.took, time.Since(base.start), "it is told at once")
				require.Zero(t, base.open)

				// The next one is not even sent.
				r := request(t, ctx, http.MethodPost, "x")
				closed := false
				r.Body = closing{r.Body, &closed}
				sent := len(base.sent)
				ctx, cancel := context.WithTimeout(t.Context(), s)
				defer cancel()
				_, err = tr.RoundTrip(r.WithContext(ctx))
				require.ErrorAs(t, err, &long)
				require.Zero(t, long.Status)
				require.Len(t, base.sent, sent)
				require.True(t, closed, "its body is closed all the same")
			})
		})
	}
}

type closing struct {
	io.ReadCloser
	closed *bool
}

func (c closing) Close() error {
	*c.closed = true
	return c.ReadCloser.Close()
}

func TestTransportStopsWaitingWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("nobody wants it any more")
		base := newScript(answer{status: 429, fields: "Retry-After: 100"})
		tr := newTransport(t, base, headers.TransportOptions{})
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(40*s, func() { cancel(why) })
		_, err := tr.RoundTrip(request(t, ctx, http.MethodGet, ""))
		require.ErrorIs(t, err, why)
		require.Equal(t, 40*s, time.Since(base.start))
		require.Zero(t, base.open)
	})
}

// http.Client's own timeout is a deadline too.
func TestTransportKnowsTheClientsTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := newScript(answer{status: 429, fields: "Retry-After: 100"})
		client := http.Client{Transport: newTransport(t, base, headers.TransportOptions{}), Timeout: 30 * s}
		_, err := client.Do(request(t, t.Context(), http.MethodGet, ""))
		require.ErrorIs(t, err, headers.ErrWaitTooLong)
		require.Zero(t, time.Since(base.start))
	})
}

func TestTransportJitter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		waits := func(o headers.TransportOptions, fields string) (all []time.Duration) {
			for range 200 {
				base := newScript(answer{status: 429, fields: fields}, answer{status: 200})
				o.Seed++
				tr, err := headers.NewTransport(base, &o)
				require.NoError(t, err)
				_, err = tr.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
				require.NoError(t, err)
				all = append(all, base.sent[1])
			}
			return all
		}
		spread := func(all []time.Duration) (least, most time.Duration) {
			least, most = all[0], all[0]
			for _, d := range all {
				least, most = min(least, d), max(most, d)
			}
			return least, most
		}
		least, most := spread(waits(headers.TransportOptions{}, "Retry-After: 10"))
		require.GreaterOrEqual(t, least, 10*s, "never sooner")
		require.Less(t, least, 10*s+100*time.Millisecond)
		require.LessOrEqual(t, most, 11*s)
		require.Greater(t, most, 11*s-100*time.Millisecond)

		least, most = spread(waits(headers.TransportOptions{Jitter: time.Minute}, "Retry-After: 10"))
		require.GreaterOrEqual(t, least, 10*s)
		require.LessOrEqual(t, most, 20*s, "never more than the wait")
		require.Greater(t, most, 19*s)

		require.Equal(t, waits(headers.TransportOptions{}, ""), waits(headers.TransportOptions{}, ""), "a seed decides")
	})
}
