package interop_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A visit is one request as it was answered.
type visit struct {
	at     time.Time
	status int
	retry  string
}

// A log is an http.RoundTripper that keeps what was sent, in order, and how it was
// answered.
type log struct {
	mu     sync.Mutex
	visits []visit
}

func (l *log) RoundTrip(r *http.Request) (*http.Response, error) {
	at := time.Now()
	answer, err := http.DefaultTransport.RoundTrip(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.visits = append(l.visits, visit{at, answer.StatusCode, answer.Header.Get("Retry-After")})
	}
	return answer, err
}

func (l *log) statuses() (all []int) {
	for _, v := range l.visits {
		all = append(all, v.status)
	}
	return all
}

// pauses are the times from each request to the next.
func (l *log) pauses() (all []time.Duration) {
	for i := 1; i < len(l.visits); i++ {
		all = append(all, l.visits[i].at.Sub(l.visits[i-1].at))
	}
	return all
}

// serve starts a server.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func ok(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }

// ours is a server of this library: max requests per window, for everybody.
func ours(t *testing.T, max int64, window time.Duration) string {
	t.Helper()
	l, err := limiter.New(policy.Policy{Rules: []policy.Rule{{Name: "window", Limit: policy.SlidingWindow{Max: max, Window: window}}}}, nil)
	require.NoError(t, err)
	wrap, err := headers.Middleware(l, func(r *http.Request) (limiter.Request, error) {
		return limiter.Request{Account: "everybody", Action: headers.Action(r)}, nil
	}, nil)
	require.NoError(t, err)
	return serve(t, wrap(http.HandlerFunc(ok)))
}

// transport is ours, without jitter.
func transport(t *testing.T, base http.RoundTripper) *headers.Transport {
	t.Helper()
	tr, err := headers.NewTransport(base, &headers.TransportOptions{Jitter: -1})
	require.NoError(t, err)
	return tr
}

// get asks for a page and wants it in the end.
func get(t *testing.T, client *http.Client, url string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	answer, err := client.Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	return answer, text
}
