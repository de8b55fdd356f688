package headers_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

// An answer is one of a script.
type answer struct {
	status int
	fields string // "Name: value" a line
	body   string
	err    error
}

// A script answers requests in turn, the last answer for ever, and keeps what was
// sent and when.
type script struct {
	answers []answer
	start   time.Time
	sent    []time.Duration // since start
	bodies  []string        // of requests
	open    int             // bodies of answers that are not closed
}

func newScript(answers ...answer) *script { return &script{answers: answers, start: time.Now()} }

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.sent = append(s.sent, time.Since(s.start))
	if r.Body != nil {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		s.bodies = append(s.bodies, string(text))
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	a := s.answers[min(len(s.sent), len(s.answers))-1]
	if a.err != nil {
		return nil, a.err
	}
	h := http.Header{"Content-Type": {"application/json"}}
	for line := range strings.Lines(a.fields) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		h.Add(name, value)
	}
	s.open++
	return &http.Response{StatusCode: a.status, Header: h, Body: &counted{strings.NewReader(a.body), s}, Request: r}, nil
}

// counted is a body that is counted until it is closed.
type counted struct {
	io.Reader
	of *script
}

func (c *counted) Close() error {
	c.of.open--
	return nil
}

func request(t testing.TB, ctx context.Context, method, text string) *http.Request { //nolint:revive // t comes first in tests
	t.Helper()
	var body io.Reader
	if text != "" {
		body = strings.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, "https://api.example/v1/messages", body)
	require.NoError(t, err)
	return r
}

func newTransport(t testing.TB, base http.RoundTripper, o headers.TransportOptions) *headers.Transport {
	t.Helper()
	if o.Jitter == 0 {
		o.Jitter = -1
	}
	tr, err := headers.NewTransport(base, &o)
	require.NoError(t, err)
	return tr
}

const s = time.Second

func TestTransportRepeats(t *testing.T) {
	t.Parallel()
	done := answer{status: 200, body: `{}`}
	for _, tt := range []struct {
		name    string
		method  string
		body    string
		answers []answer
		options headers.TransportOptions
		sent    []time.Duration
		status  int
	}{
		{
			name: "what is not limited", answers: []answer{{status: 500}},
			sent: []time.Duration{0}, status: 500,
		},
		{
			name: "as long as Retry-After says", answers: []answer{{status: 429, fields: "Retry-After: 3"}, done},
			sent: []time.Duration{0, 3 * s}, status: 200,
		},
		{
			name: "whatever the method", method: "POST", body: "hello",
			answers: []answer{{status: 429, fields: "Retry-After: 3"}, {status: 429, fields: "Retry-After: 5"}, done},
			sent:    []time.Duration{0, 3 * s, 8 * s}, status: 200,
		},
		{
			name: "doubling where nothing is said, five times", answers: []answer{{status: 429}},
			sent: []time.Duration{0, 1 * s, 3 * s, 7 * s, 15 * s}, status: 429,
		},
		{
			name: "a minute at most", answers: []answer{{status: 429}},
			options: headers.TransportOptions{Tries: 9},
			sent:    []time.Duration{0, 1 * s, 3 * s, 7 * s, 15 * s, 31 * s, 63 * s, 123 * s, 183 * s}, status: 429,
		},
		{
			name: "as told to", answers: []answer{{status: 429}},
			options: headers.TransportOptions{Tries: 4, Backoff: 2 * s, MaxBackoff: 3 * s},
			sent:    []time.Duration{0, 2 * s, 5 * s, 8 * s}, status: 429,
		},
		{
			name: "once", answers: []answer{{status: 429, fields: "Retry-After: 1"}},
			options: headers.TransportOptions{Tries: 1},
			sent:    []time.Duration{0}, status: 429,
		},
		{
			name: "Retry-After: 0 is not at once", answers: []answer{{status: 429, fields: "Retry-After: 0"}, done},
			sent: []time.Duration{0, 1 * s}, status: 200,
		},
		{
			name: "until a date", answers: []answer{{status: 429, fields: "Date: Sat, 01 Jan 2000 00:00:00 GMT\nRetry-After: Sat, 01 Jan 2000 00:00:09 GMT"}, done},
			sent: []time.Duration{0, 9 * s}, status: 200,
		},
		{
			name: "until the reset", answers: []answer{{status: 429, fields: "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 7"}, done},
			sent: []time.Duration{0, 7 * s}, status: 200,
		},
		{
			name: "by the body alone", answers: []answer{{status: 429, body: `{"message":"slow down","retry_after":60}`}, done},
			sent: []time.Duration{0, 60 * s}, status: 200,
		},
		{
			name: "a limit with another status", method: "POST", body: "x",
			answers: []answer{{status: 400, body: `{"error":{"code":130429}}`}, done},
			sent:    []time.Duration{0, 1 * s}, status: 200,
		},
		{
			name: "what another has locked", answers: []answer{{status: 429, body: `{"error":{"code":"lock_timeout"}}`}, done},
			sent: []time.Duration{0, 1 * s}, status: 200,
		},
		{
			name: "what another has locked, as long as it says", answers: []answer{{status: 429, fields: "Retry-After: 4", body: `{"error":{"code":"lock_timeout"}}`}, done},
			sent: []time.Duration{0, 4 * s}, status: 200,
		},
		{
			name: "a cache's answer by its status alone", answers: []answer{{status: 429, fields: "Age: 5\nRetry-After: 900"}, done},
			sent: []time.Duration{0, 1 * s}, status: 200,
		},
		{
			name: "503, where the method is idempotent", answers: []answer{{status: 503, fields: "Retry-After: 2"}, {status: 503}, done},
			sent: []time.Duration{0, 2 * s, 4 * s}, status: 200,
		},
		{
			name: "503, not otherwise", method: "POST", body: "x", answers: []answer{{status: 503, fields: "Retry-After: 2"}},
			sent: []time.Duration{0}, status: 503,
		},
		{
			name: "no redirect", answers: []answer{{status: 302, fields: "Retry-After: 2\nRateLimit: \"a\";r=0;t=60"}},
			sent: []time.Duration{0}, status: 302,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				base := newScript(tt.answers...)
				r := request(t, t.Context(), tt.method, tt.body)
				before := r.Clone(t.Context())
				got, err := newTransport(t, base, tt.options).RoundTrip(r)
				require.NoError(t, err)
				require.Equal(t, tt.status, got.StatusCode)
				require.Equal(t, tt.sent, base.sent)
				last := tt.answers[min(len(tt.sent), len(tt.answers))-1]
				require.Equal(t, last.body, body(t, got), "the last answer is whole")
				require.Zero(t, base.open, "the others are closed")
				for _, sent := range base.bodies {
					require.Equal(t, tt.body, sent, "every try sends the whole body")
				}
				require.Equal(t, before.Header, r.Header, "the request stays as it is")
			})
		})
	}
}

func TestTransportRepeatsWhatHasAKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := newScript(answer{status: 503}, answer{status: 200})
		r := request(t, t.Context(), http.MethodPost, "x")
		r.Header.Set("Idempotency-Key", "1")
		got, err := newTransport(t, base, headers.TransportOptions{}).RoundTrip(r)
		require.NoError(t, err)
		require.Equal(t, 200, got.StatusCode)
		require.Equal(t, []string{"x", "x"}, base.bodies)
	})
}

// A body that cannot be had again is sent once, and the next request still waits.
func TestTransportNeverSendsAnEmptyBodyAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := newScript(answer{status: 429, fields: "Retry-After: 30"}, answer{status: 200})
		tr := newTransport(t, base, headers.TransportOptions{})
		r := request(t, t.Context(), http.MethodPost, "once")
		r.GetBody = nil
		got, err := tr.RoundTrip(r)
		require.NoError(t, err)
		require.Equal(t, 429, got.StatusCode)
		require.Equal(t, []string{"once"}, base.bodies)

		_, err = tr.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
		require.NoError(t, err)
		require.Equal(t, []time.Duration{0, 30 * s}, base.sent)
	})
}

func TestTransportBodyThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("the file is gone")
		base := newScript(answer{status: 429, fields: "Retry-After: 1"})
		tr := newTransport(t, base, headers.TransportOptions{})
		r := request(t, t.Context(), http.MethodPost, "x")
		r.GetBody = func() (io.ReadCloser, error) { return nil, gone }
		_, err := tr.RoundTrip(r)
		require.ErrorIs(t, err, gone)
		require.Len(t, base.sent, 1)
		require.Zero(t, base.open)
	})
}

// The base's own error is handed on, and nobody waits for the answer that never
// came.
func TestTransportBaseError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := newScript(
			answer{status: 429, fields: "Retry-After: 2"}, answer{err: io.ErrUnexpectedEOF},
			answer{status: 200, fields: "X-RateLimit-Remaining: 1\nX-RateLimit-Reset: 60"}, answer{err: io.ErrUnexpectedEOF}, answer{status: 200},
		)
		tr := newTransport(t, base, headers.TransportOptions{})
		get := func() error {
			got, err := tr.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
			if err == nil {
				_ = got.Body.Close()
			}
			return err
		}
		require.ErrorIs(t, get(), io.ErrUnexpectedEOF)
		require.NoError(t, get())
		require.ErrorIs(t, get(), io.ErrUnexpectedEOF)
		require.NoError(t, get())
		require.Equal(t, []time.Duration{0, 2 * s, 2 * s, 2 * s, 2 * s}, base.sent)
	})
}

func TestNewTransportErrors(t *testing.T) {
	t.Parallel()
	for field, o := range map[string]headers.TransportOptions{
		"maxkeys":    {MaxKeys: -1},
		"tries":      {Tries: -1},
		"backoff":    {Backoff: -1},
		"maxbackoff": {MaxBackoff: -1},
		"maxwait":    {MaxWait: -1},
		"budget":     {Budget: -1},
		"reset":      {Reset: 99},
	} {
		tr, err := headers.NewTransport(nil, &o)
		require.Nil(t, tr)
		var wrong *headers.OptionError
		require.ErrorAs(t, err, &wrong, field)
		require.Equal(t, field, wrong.Field)
	}
}

// Some bases, mostly those of tests, answer without a body, which http.Client allows
// them, or not at all.
func TestTransportAnswersWithoutBodies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		statuses := []int{429, 503, 200}
		tr := newTransport(t, roundTrip(func(*http.Request) (*http.Response, error) {
			status := statuses[0]
			statuses = statuses[1:]
			return &http.Response{StatusCode: status}, nil
		}), headers.TransportOptions{})
		got, err := tr.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
		require.NoError(t, err)
		require.Equal(t, 200, got.StatusCode)

		tr = newTransport(t, roundTrip(func(*http.Request) (*http.Response, error) { return nil, nil }), headers.TransportOptions{})
		got, err = tr.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
		require.NoError(t, err)
		require.Nil(t, got, "what to say of it is http.Client's to know")
	})
}
