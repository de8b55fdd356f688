package headers_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// byKey takes the account from a field, and the action from the method and path.
func byKey(r *http.Request) (limiter.Request, error) {
	key := r.Header.Get("X-API-Key")
	if key == "" {
		return limiter.Request{}, errors.New("no X-API-Key")
	}
	return limiter.Request{Account: key, Action: headers.Action(r)}, nil
}

func perMinute(n int64) policy.Policy {
	return policy.Policy{Rules: []policy.Rule{{Name: "minute", Limit: policy.SlidingWindow{Max: n, Window: time.Minute}}}}
}

// guarded is a handler behind a limiter under p.
func guarded(t testing.TB, p policy.Policy, h http.HandlerFunc, o *headers.Options) (http.Handler, *limiter.Limiter) {
	t.Helper()
	l, err := limiter.New(p, &limiter.Options{Seed: 1})
	require.NoError(t, err)
	wrap, err := headers.Middleware(l, byKey, o)
	require.NoError(t, err)
	return wrap(h), l
}

func ok(http.ResponseWriter, *http.Request) {}

// call sends a request to a handler without a network.
func call(h http.Handler, method, path, key string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("X-API-Key", key)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, answer *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return string(text)
}

func TestMiddlewareTellsHowTheLimitsStand(t *testing.T) {
	t.Parallel()
	var clock queuetest.Clock
	h, _ := guarded(t, perMinute(2), ok, &headers.Options{Clock: &clock})
	at := func(d time.Duration) string { return strconv.FormatInt(queuetest.Epoch().Add(d).Unix(), 10) }
	for _, step := range []struct {
		after                   time.Duration // since the step before
		key                     string
		status                  int
		remaining, reset, retry string
		draft                   string
	}{
		{0, "a", 200, "1", at(time.Minute), "", `"minute";r=1;t=60`},
		{500 * time.Millisecond, "a", 200, "0", at(time.Minute), "", `"minute";r=0;t=60`},
		{500 * time.Millisecond, "a", 429, "0", at(time.Minute), "59", `"minute";r=0;t=59`},
		{0, "b", 200, "1", at(61 * time.Second), "", `"minute";r=1;t=60`},
		{200 * time.Millisecond, "a", 429, "0", at(time.Minute), "59", `"minute";r=0;t=59`},
		{59 * time.Second, "a", 200, "0", at(60500 * time.Millisecond), "", `"minute";r=0;t=1`},
	} {
		clock.Advance(step.after)
		answer := call(h, http.MethodGet, "/", step.key)
		require.Equal(t, step.status, answer.StatusCode)
		require.Equal(t, "2", answer.Header.Get("X-RateLimit-Limit"))
		require.Equal(t, step.remaining, answer.Header.Get("X-RateLimit-Remaining"))
		require.Equal(t, step.retry, answer.Header.Get("Retry-After"))
		require.Equal(t, `"minute";q=2;w=60`, answer.Header.Get("RateLimit-Policy"))
		require.Equal(t, step.draft, answer.Header.Get("RateLimit"))
		require.Equal(t, clock.Now().Format(http.TimeFormat), answer.Header.Get("Date"))
		reset, err := strconv.ParseInt(answer.Header.Get("X-RateLimit-Reset"), 10, 64)
		require.NoError(t, err)
		want, err := strconv.ParseInt(step.reset, 10, 64)
		require.NoError(t, err)
		require.InDelta(t, want, reset, 1, "a second is the finest that an epoch tells")
	}
}

// Each dialect's refusal is what its provider's documentation shows, and Parse
// reads the wait and the code of each.
func TestMiddlewareBodies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		body       headers.Body
		kind, want string
		code       string
	}{
		{0, "application/problem+json", `{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded",
			"title":"Request cannot be satisfied as assigned quota has been exceeded","status":429,
			"detail":"Please try again in 60 seconds.","violated-policies":["minute"],"retry_after":60}`, "quota-exceeded"},
		{headers.PlanBody, "application/json", `{"success":false,"error":{"code":"rate_limit_exceeded",
			"message":"Rate limit exceeded. Please try again in 60 seconds."}}`, "rate_limit_exceeded"},
		{headers.WasenderBody, "application/json", `{"message":"Too many requests. Please try again in 60 seconds.","retry_after":60}`, ""},
		{headers.WhatsBizBody, "application/json", `{"status":"error","error":{"code":130429,"title":"Rate limit hit",
			"message":"Message throughput has been exceeded. Please try again in 60 seconds."}}`, "130429"},
		{headers.GatewayBody, "application/json", `{"success":false,"data":{},"error":"Too many requests. Please try again in 60 seconds.",
			"code":"RATE_LIMITED"}`, "RATE_LIMITED"},
	} {
		var clock queuetest.Clock
		h, _ := guarded(t, perMinute(1), ok, &headers.Options{Clock: &clock, Body: tt.body})
		require.Equal(t, http.StatusOK, call(h, http.MethodGet, "/", "a").StatusCode)
		answer := call(h, http.MethodGet, "/", "a")
		text := body(t, answer)
		require.Equal(t, http.StatusTooManyRequests, answer.StatusCode)
		require.Equal(t, tt.kind, answer.Header.Get("Content-Type"))
		require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
		require.JSONEq(t, tt.want, text)
		require.Equal(t, strconv.Itoa(len(text)), answer.Header.Get("Content-Length"))

		a := headers.Parse(answer, []byte(text), clock.Now(), nil)
		require.True(t, a.Limited, "body %d", tt.body)
		require.Equal(t, time.Minute, a.Wait)
		require.Equal(t, tt.code, a.Code)
	}
}

// A name that nothing prints is still told in a body, as JSON has it.
func TestMiddlewareBodyOfAnOddName(t *testing.T) {
	t.Parallel()
	const name = "\"nights\" \u00fcber\n<all>"
	p := policy.Policy{Rules: []policy.Rule{{Name: name, Limit: policy.ActiveHours{From: time.Hour, To: 2 * time.Hour}}}}
	h, _ := guarded(t, p, ok, &headers.Options{Clock: &queuetest.Clock{}})
	answer := call(h, http.MethodGet, "/", "a")
	var problem struct {
		Violated []string `json:"violated-policies"`
	}
	require.NoError(t, json.Unmarshal([]byte(body(t, answer)), &problem))
	require.Equal(t, []string{name}, problem.Violated)
}

func TestMiddlewareTellsADayFromTheRest(t *testing.T) {
	t.Parallel()
	for _, limit := range []policy.Limit{
		policy.CalendarWindow{Max: 1, Unit: policy.Day, Location: time.UTC},
		policy.SlidingWindow{Max: 1, Window: 24 * time.Hour},
	} {
		var clock queuetest.Clock
		p := policy.Policy{Rules: []policy.Rule{{Name: "day", Limit: limit}}}
		h, _ := guarded(t, p, ok, &headers.Options{Clock: &clock, Body: headers.GatewayBody})
		call(h, http.MethodGet, "/", "a")
		require.Contains(t, body(t, call(h, http.MethodGet, "/", "a")), `"code":"DAILY_LIMIT_REACHED"`)
	}
}

func TestMiddlewareStatuses(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "never", Actions: []policy.Action{"/never"}, Limit: policy.SlidingWindow{Max: 0, Window: time.Minute}},
		{Name: "pair", Actions: []policy.Action{"/pair"}, Scope: policy.ScopeRecipient, Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}},
		{Name: "minute", Limit: policy.SlidingWindow{Max: 100, Window: time.Minute}},
	}}
	l, err := limiter.New(p, &limiter.Options{Seed: 1, MaxAccounts: 1})
	require.NoError(t, err)
	wrap, err := headers.Middleware(l, byKey, &headers.Options{Clock: &queuetest.Clock{}})
	require.NoError(t, err)
	h := wrap(http.HandlerFunc(ok))
	require.Equal(t, http.StatusOK, call(h, http.MethodGet, "/", "a").StatusCode)
	for _, tt := range []struct {
		name, path, key string
		status          int
		retry           bool
		body            string
	}{
		{"no key", "/", "", 400, false, "no X-API-Key"},
		{"no waiting helps", "/never", "a", 403, false, `"detail":"No waiting helps."`},
		{"a request that cannot be", "/", strings.Repeat("k", limiter.MaxKey+1), 400, false, `"type":"about:blank"`},
		{"a request that lacks its recipient", "/pair", "a", 400, false, `"status":400`},
		{"no room", "/", "b", 503, true, "#temporary-reduced-capacity"},
	} {
		answer := call(h, http.MethodGet, tt.path, tt.key)
		require.Equal(t, tt.status, answer.StatusCode, tt.name)
		require.Equal(t, tt.retry, answer.Header.Get("Retry-After") != "", tt.name)
		require.Contains(t, body(t, answer), tt.body, tt.name)
		if tt.key != "a" {
			require.Empty(t, answer.Header.Get("X-RateLimit-Limit"), "%s: nothing of another's limits is told", tt.name)
		}
	}
}

func TestMiddlewareHead(t *testing.T) {
	t.Parallel()
	h, _ := guarded(t, perMinute(1), ok, &headers.Options{Clock: &queuetest.Clock{}})
	call(h, http.MethodHead, "/", "a") // counts as the GET that it stands for
	head, get := call(h, http.MethodHead, "/", "a"), call(h, http.MethodGet, "/", "a")
	require.Equal(t, http.StatusTooManyRequests, head.StatusCode)
	require.Equal(t, get.Header, head.Header)
	require.Empty(t, body(t, head))
	require.NotEmpty(t, body(t, get))
}

// A redirect that leaves nothing can still be followed.
func TestMiddlewareRedirects(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		draft  string
	}{
		{http.StatusFound, ""},
		{http.StatusNotModified, `"minute";r=0;t=60`},
		{http.StatusCreated, `"minute";r=0;t=60`},
	} {
		status := tt.status
		h, _ := guarded(t, perMinute(2), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/next")
			w.WriteHeader(status)
		}, &headers.Options{Clock: &queuetest.Clock{}})
		first := call(h, http.MethodGet, "/", "a")
		require.Equal(t, `"minute";r=1;t=60`, first.Header.Get("RateLimit"))
		last := call(h, http.MethodGet, "/", "a")
		require.Equal(t, status, last.StatusCode)
		require.Equal(t, tt.draft, last.Header.Get("RateLimit"), "%d", status)
		require.Equal(t, `"minute";q=2;w=60`, last.Header.Get("RateLimit-Policy"))
		require.Equal(t, "0", last.Header.Get("X-RateLimit-Remaining"))
		require.Empty(t, last.Header.Get("Retry-After"))
	}
}

func TestMiddlewaresNest(t *testing.T) {
	t.Parallel()
	var clock queuetest.Clock
	inner, _ := guarded(t, policy.Policy{Rules: []policy.Rule{
		{Name: "hour", Limit: policy.SlidingWindow{Max: 3, Window: time.Hour}},
		{Name: "minute", Limit: policy.SlidingWindow{Max: 9, Window: time.Minute}},
	}}, ok, &headers.Options{Clock: &clock})
	outer, _ := guarded(t, perMinute(5), inner.ServeHTTP, &headers.Options{Clock: &clock})

	answer := call(outer, http.MethodGet, "/", "a")
	require.Equal(t, []string{"3"}, answer.Header.Values("X-RateLimit-Limit"), "the scarcer")
	require.Equal(t, []string{"2"}, answer.Header.Values("X-RateLimit-Remaining"))
	require.Len(t, answer.Header.Values("X-RateLimit-Reset"), 1)
	limits := strings.Join(answer.Header.Values("RateLimit"), ", ")
	require.Equal(t, 1, strings.Count(limits, `"minute"`), limits)
	require.Equal(t, 1, strings.Count(limits, `"hour"`), limits)
	a := headers.Parse(answer, nil, clock.Now(), nil)
	require.Empty(t, a.Notes)

	for range 2 {
		call(outer, http.MethodGet, "/", "a")
	}
	answer = call(outer, http.MethodGet, "/", "a")
	require.Equal(t, http.StatusTooManyRequests, answer.StatusCode)
	require.Equal(t, []string{"3600"}, answer.Header.Values("Retry-After"))
	require.Equal(t, []string{"0"}, answer.Header.Values("X-RateLimit-Remaining"))
}

func TestMiddlewareLimitsEndpointsApart(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "sessions", Actions: []policy.Action{"POST /api/v1/sessions"}, Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}},
		{Name: "media", Actions: []policy.Action{"/api/v1/media/*"}, Limit: policy.SlidingWindow{Max: 2, Window: time.Minute}},
	}}
	h, _ := guarded(t, p, ok, &headers.Options{Clock: &queuetest.Clock{}})
	for _, step := range []struct {
		method, path, limit string
		status              int
	}{
		{"GET", "/api/v1/sessions", "", 200},
		{"POST", "/api/v1/sessions", "1", 200},
		{"POST", "/api/v1/sessions", "1", 429},
		{"POST", "/api/v1//sessions/", "1", 429}, // the same endpoint, spelt otherwise
		{"POST", "/api/v1/x/../sessions", "1", 429},
		{"POST", "/api/v1/%73essions", "1", 429},
		{"GET", "/api/v1/sessions", "", 200},
		{"GET", "/api/v1/media/1", "2", 200},
		{"PURGE", "/api/v1/media/2", "2", 200},
		{"HEAD", "/api/v1/media/1", "2", 429},
		{"GET", "/", "", 200},
	} {
		answer := call(h, step.method, step.path, "a")
		require.Equal(t, step.status, answer.StatusCode, "%s %s", step.method, step.path)
		require.Equal(t, step.limit, answer.Header.Get("X-RateLimit-Limit"), "%s %s", step.method, step.path)
	}
}

// Whatever comes when, what is let through keeps the policy, and who waits as long
// as Retry-After says is let through.
func TestMiddlewareKeepsThePolicy(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "minute", Limit: policy.SlidingWindow{Max: 3, Window: time.Minute}},
		{Name: "bucket", Limit: policy.TokenBucket{Max: 7, Per: time.Minute, Burst: 2}},
		{Name: "day", Limit: policy.CalendarWindow{Max: 20, Unit: policy.Hour, Location: time.UTC}},
		{Name: "media", Actions: []policy.Action{"/media/*"}, Limit: policy.Gap{Min: 3 * time.Second, Max: 5 * time.Second}},
	}}
	rapid.Check(t, func(t *rapid.T) {
		l, err := limiter.New(p, &limiter.Options{Seed: 1})
		require.NoError(t, err)
		var clock queuetest.Clock
		wrap, err := headers.Middleware(l, byKey, &headers.Options{Clock: &clock})
		require.NoError(t, err)
		h := wrap(http.HandlerFunc(ok))
		var calls []queuetest.Call
		paths := rapid.SampledFrom([]string{"/", "/media/1"})
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			clock.Advance(time.Duration(rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "later")))
			key, path := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key"), paths.Draw(t, "path")
			for try := 1; ; try++ {
				answer := call(h, http.MethodGet, path, key)
				now := clock.Now()
				if answer.StatusCode == http.StatusOK {
					calls = append(calls, queuetest.Call{Account: key, Action: policy.Action("GET " + path), At: now, Done: now})
					break
				}
				require.Equal(t, 1, try, "refused after the wait that it was told")
				seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
				require.NoError(t, err)
				require.Positive(t, seconds)
				clock.Advance(time.Duration(seconds) * time.Second)
			}
		}
		require.Empty(t, queuetest.Audit(p, calls))
	})
}

// All who come at once share one budget.
func TestMiddlewareAtOnce(t *testing.T) {
	t.Parallel()
	h, _ := guarded(t, perMinute(50), ok, &headers.Options{Clock: &queuetest.Clock{}})
	var (
		all    sync.WaitGroup
		mu     sync.Mutex
		counts = map[int]int{}
		left   = map[string]int{}
	)
	for range 8 {
		all.Go(func() {
			for range 25 {
				answer := call(h, http.MethodGet, "/", "a")
				mu.Lock()
				counts[answer.StatusCode]++
				if answer.StatusCode == http.StatusOK {
					left[answer.Header.Get("X-RateLimit-Remaining")]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	require.Equal(t, map[int]int{200: 50, 429: 150}, counts)
	for i := range 50 {
		require.Equal(t, 1, left[fmt.Sprint(i)], "each number is told once")
	}
}
