package headers_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

func TestMiddlewareErrors(t *testing.T) {
	t.Parallel()
	l, err := limiter.New(perMinute(1), nil)
	require.NoError(t, err)
	odd, err := limiter.New(policy.Policy{Rules: []policy.Rule{{Name: "größe", Limit: policy.Concurrency{Max: 1}}}}, nil)
	require.NoError(t, err)
	crlf := policy.Policy{Rules: []policy.Rule{{Name: "a\r\nSet-Cookie: b", Limit: policy.Concurrency{Max: 1}}}}
	for _, tt := range []struct {
		name string
		l    *limiter.Limiter
		who  func(*http.Request) (limiter.Request, error)
		o    *headers.Options
	}{
		{"limiter", nil, byKey, nil},
		{"who", l, nil, nil},
		{"name", odd, byKey, nil},
		{"name", l, byKey, &headers.Options{Policies: []policy.Policy{crlf}}},
		{"body", l, byKey, &headers.Options{Body: 99}},
		{"dialect", l, byKey, &headers.Options{Print: &headers.PrintOptions{Dialects: []headers.Dialect{99}}}},
		{"suspend.after", l, byKey, &headers.Options{Suspend: headers.Suspend{Within: 1, For: 1}}},
		{"suspend.within", l, byKey, &headers.Options{Suspend: headers.Suspend{After: 1, For: 1}}},
		{"suspend.for", l, byKey, &headers.Options{Suspend: headers.Suspend{After: 1, Within: 1, For: -1}}},
	} {
		wrap, err := headers.Middleware(tt.l, tt.who, tt.o)
		require.Nil(t, wrap)
		require.ErrorIs(t, err, headers.ErrOption)
		var wrong *headers.OptionError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, tt.name, wrong.Field)
		require.NotContains(t, err.Error(), "\n")
	}
}

// A permit is held while the handler runs, and given back however it ends.
func TestMiddlewareSettlesPermits(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{{Name: "one", Limit: policy.Concurrency{Max: 1}}}}
	var inside http.HandlerFunc
	h, _ := guarded(t, p, func(w http.ResponseWriter, r *http.Request) { inside(w, r) }, &headers.Options{Clock: &queuetest.Clock{}})

	inside = func(w http.ResponseWriter, r *http.Request) {
		busy := call(h, http.MethodGet, "/", "a")
		require.Equal(t, http.StatusTooManyRequests, busy.StatusCode)
		require.Equal(t, "1", busy.Header.Get("Retry-After"), "a lower bound, and never 0")
		require.Contains(t, body(t, busy), `"violated-policies":["one"]`)
	}
	for range 3 {
		require.Equal(t, http.StatusOK, call(h, http.MethodGet, "/", "a").StatusCode)
	}

	inside = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { call(h, http.MethodGet, "/", "a") })
	inside = ok
	require.Equal(t, http.StatusOK, call(h, http.MethodGet, "/", "a").StatusCode)
}

// The handler can do with the connection what it could without a middleware.
func TestMiddlewareLeavesTheConnectionAlone(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "two", Limit: policy.SlidingWindow{Max: 2, Window: time.Hour}}, // the second leaves nothing
		{Name: "both", Limit: policy.Concurrency{Max: 2}},                     // the first may still be in its handler when the client has its answer
	}}
	h, _ := guarded(t, p, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/flush":
			_, _ = io.WriteString(w, "first ")
			if _, is := w.(http.Flusher); !is {
				t.Error("the writer is no http.Flusher")
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil {
				t.Error(err)
			}
			if n, err := io.Copy(w, strings.NewReader("second")); n != 6 || err != nil {
				t.Error(n, err)
			}
		case "/hijack":
			hijacker, is := w.(http.Hijacker)
			if !is {
				t.Error("the writer is no http.Hijacker")
				return
			}
			conn, buffered, err := hijacker.Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(buffered, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhijacked")
			_ = buffered.Flush()
			_ = conn.Close()
		}
	}, nil)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	for path, want := range map[string]string{"/flush": "first second", "/hijack": "hijacked"} {
		for range 2 {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
			require.NoError(t, err)
			r.Header.Set("X-API-Key", path)
			answer, err := server.Client().Do(r)
			require.NoError(t, err)
			require.Equal(t, want, body(t, answer))
		}
	}
	server.Client().CloseIdleConnections()
}

// Where the writer beneath cannot flush, a handler is told so.
func TestMiddlewareTellsThatNothingIsFlushed(t *testing.T) {
	t.Parallel()
	var flushed error
	h, _ := guarded(t, perMinute(1), func(w http.ResponseWriter, _ *http.Request) {
		flushed = http.NewResponseController(w).Flush()
	}, &headers.Options{Clock: &queuetest.Clock{}})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-API-Key", "a")
	h.ServeHTTP(struct{ http.ResponseWriter }{httptest.NewRecorder()}, r)
	require.ErrorIs(t, flushed, http.ErrNotSupported)
}
