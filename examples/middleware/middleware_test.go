package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/wapace/wapace/queue/queuetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ask(h http.Handler, key, method, path string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("X-API-Key", key)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// until asks until it is refused, and returns how often it was not.
func until(t *testing.T, h http.Handler, key, method, path string) (allowed int, refused *http.Response) {
	t.Helper()
	for ; allowed < 1_000_000; allowed++ {
		if answer := ask(h, key, method, path); answer.StatusCode != http.StatusOK {
			require.Equal(t, http.StatusTooManyRequests, answer.StatusCode)
			return allowed, answer
		}
	}
	require.Fail(t, "it is never refused")
	return 0, nil
}

// The plans of the documentation: Free 10, 100 and 1,000; Basic 60, 1,000 and
// 10,000; Premium 300, 5,000 and 50,000; Enterprise 1,000, 20,000 and 200,000 per
// minute, hour and day.
func TestPlans(t *testing.T) {
	t.Parallel()
	for key, want := range map[string][3]int{
		"free":       {10, 100, 1_000},
		"basic":      {60, 1_000, 10_000},
		"premium":    {300, 5_000, 50_000},
		"enterprise": {1_000, 20_000, 200_000},
	} {
		if want[2] > most {
			continue
		}
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			var clock queuetest.Clock
			h, err := newAPI(&clock)
			require.NoError(t, err)
			minute, hour, day := 0, 0, 0
			for start := clock.Now(); clock.Now().Sub(start) < 24*time.Hour; clock.Advance(time.Minute) {
				allowed, refused := until(t, h, key, http.MethodGet, "/api/v1/messages")
				day += allowed
				since := clock.Now().Sub(start)
				switch {
				case since == 0:
					minute = allowed
					require.Equal(t, strconv.Itoa(minute), refused.Header.Get("X-RateLimit-Limit"))
				case since < time.Hour:
					hour = day
				}
				if retry, err := strconv.Atoi(refused.Header.Get("Retry-After")); err != nil || retry > 3600 {
					break // the day is used up
				}
				if since >= time.Minute && allowed == 0 {
					clock.Advance(58 * time.Minute) // the hour is, and strikes are forgotten
				}
			}
			require.Equal(t, want, [3]int{minute, hour, day})
		})
	}
}

// The endpoints with limits of their own, whatever the plan.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method, path string
		allowed      int
		retry        string
	}{
		{http.MethodPost, "/api/v1/sessions", 5, "3600"},
		{http.MethodPost, "/api/v1/messages/bulk", 1, "60"},
		{http.MethodGet, "/api/v1/media/photo", 30, "60"},
		{http.MethodPut, "/api/v1/media/album/1", 30, "60"},
		{http.MethodPost, "/api/v1/webhooks/test", 5, "3600"},
	} {
		for key := range plans() {
			h, err := newAPI(&queuetest.Clock{})
			require.NoError(t, err)
			allowed, refused := until(t, h, key, tt.method, tt.path)
			if key == "free" && tt.allowed > 10 {
				require.Equal(t, 10, allowed, "the plan has less for everything")
				continue
			}
			require.Equal(t, tt.allowed, allowed, "%s %s under %s", tt.method, tt.path, key)
			require.Equal(t, strconv.Itoa(allowed), refused.Header.Get("X-RateLimit-Limit"))
			require.Equal(t, tt.retry, refused.Header.Get("Retry-After"))
			require.Equal(t, http.StatusOK, ask(h, key, http.MethodGet, "/api/v1/messages").StatusCode, "the others go on")
		}
	}
}

// The answers are those of the documentation, field by field.
func TestAnswers(t *testing.T) {
	t.Parallel()
	var clock queuetest.Clock
	h, err := newAPI(&clock)
	require.NoError(t, err)
	reset := strconv.FormatInt(clock.Now().Add(time.Minute).Unix(), 10)
	first := ask(h, "free", http.MethodGet, "/api/v1/messages")
	require.Equal(t, http.Header{
		"Content-Type":          {"application/json"},
		"Date":                  {clock.Now().Format(http.TimeFormat)},
		"X-Ratelimit-Limit":     {"10"},
		"X-Ratelimit-Remaining": {"9"},
		"X-Ratelimit-Reset":     {reset},
	}, first.Header)

	_, refused := until(t, h, "free", http.MethodGet, "/api/v1/messages")
	require.Equal(t, "application/json", refused.Header.Get("Content-Type"))
	require.Equal(t, "10", refused.Header.Get("X-RateLimit-Limit"))
	require.Equal(t, "0", refused.Header.Get("X-RateLimit-Remaining"))
	require.Equal(t, reset, refused.Header.Get("X-RateLimit-Reset"))
	require.Equal(t, "60", refused.Header.Get("Retry-After"))
	text, err := io.ReadAll(refused.Body)
	require.NoError(t, err)
	require.JSONEq(t, `{"success":false,"error":{"code":"rate_limit_exceeded",
		"message":"Rate limit exceeded. Please try again in 60 seconds."}}`, string(text))

	stranger := ask(h, "made-up", http.MethodGet, "/api/v1/messages")
	require.Equal(t, http.StatusUnauthorized, stranger.StatusCode)
	require.Empty(t, stranger.Header.Get("X-RateLimit-Limit"))
}

// Whoever hits the limit over and over is suspended.
func TestSuspension(t *testing.T) {
	t.Parallel()
	var clock queuetest.Clock
	h, err := newAPI(&clock)
	require.NoError(t, err)
	var last *http.Response
	for range 10 + 100 {
		last = ask(h, "free", http.MethodGet, "/api/v1/messages")
	}
	require.Equal(t, "900", last.Header.Get("Retry-After"))
	clock.Advance(15 * time.Minute)
	require.Equal(t, http.StatusOK, ask(h, "free", http.MethodGet, "/api/v1/messages").StatusCode)
}

func TestRunServesUntilItIsStopped(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	status := make(chan int, 1)
	go func() { status <- run(ctx, []string{"-addr", "127.0.0.1:0"}, in, io.Discard) }()
	url, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSpace(url)+"/api/v1/messages", nil)
	require.NoError(t, err)
	r.Header.Set("X-API-Key", "enterprise")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, "1000", answer.Header.Get("X-RateLimit-Limit"))
	http.DefaultClient.CloseIdleConnections()
	stop()
	require.Equal(t, exitStopped, <-status)
}

func TestRunRefusesBadArguments(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-nonsense"}, {"extra"}} {
		require.Equal(t, exitUsage, run(t.Context(), args, io.Discard, io.Discard))
	}
	require.Equal(t, exitStopped, run(t.Context(), []string{"-h"}, io.Discard, io.Discard))
	require.Equal(t, exitFailed, run(t.Context(), []string{"-addr", "nowhere:http-is-not"}, io.Discard, io.Discard))
}
