package headers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// What one answer says holds for the requests after it, and for no others.
func TestTransportRemembers(t *testing.T) {
	t.Parallel()
	const api = "https://api.example/v1"
	for _, tt := range []struct {
		name   string
		first  answer
		second func(*http.Request)
		wait   time.Duration
	}{
		{"a refusal", answer{status: 429, fields: "Retry-After: 7"}, nil, 7 * s},
		{"that nothing is left", answer{status: 200, fields: "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 9"}, nil, 9 * s},
		{"that one of two limits is spent", answer{status: 200, fields: `RateLimit: "a";r=5;t=90, "b";r=0;t=4`}, nil, 4 * s},
		{"that both are", answer{status: 200, fields: `RateLimit: "a";r=0;t=3, "b";r=0;t=11`}, nil, 11 * s},
		{"nothing that lasts for ever", answer{status: 200, fields: "Retry-After: 0\nRateLimit: \"a\";r=0;t=999999999999999"}, nil, 48 * time.Hour},
		{"Retry-After before the rest", answer{status: 429, fields: "Retry-After: 2\nRateLimit: \"a\";r=0;t=90"}, nil, 2 * s},
		{"a server that is down", answer{status: 503, fields: "Retry-After: 8"}, nil, 8 * s},
		{"Meta's usage", answer{status: 200, fields: `X-Business-Use-Case-Usage: {"1":[{"type":"messaging","call_count":100,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":2}]}`}, nil, 2 * time.Minute},
		{"one that is left", answer{status: 200, fields: "X-RateLimit-Remaining: 1\nX-RateLimit-Reset: 9"}, nil, 0},
		{"nothing", answer{status: 200}, nil, 0},
		{"nothing of a cache's", answer{status: 200, fields: "Age: 1\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 9"}, nil, 0},
		{"nothing of a redirect's", answer{status: 307, fields: "Retry-After: 9\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 9"}, nil, 0},
		{"nothing of a lock", answer{status: 429, fields: "Retry-After: 9", body: `{"error":{"code":"lock_timeout"}}`}, nil, 0},
		{"another path", answer{status: 429, fields: "Retry-After: 7"}, to(api + "/other"), 7 * s},
		{"the same port", answer{status: 429, fields: "Retry-After: 7"}, to("HTTPS://API.example:443/v1"), 7 * s},
		{"another port", answer{status: 429, fields: "Retry-After: 7"}, to("https://api.example:444/v1"), 0},
		{"another scheme", answer{status: 429, fields: "Retry-After: 7"}, to("http://api.example/v1"), 0},
		{"another host", answer{status: 429, fields: "Retry-After: 7"}, to("https://example/v1"), 0},
		{"another credential", answer{status: 429, fields: "Retry-After: 7"}, with("Authorization", "Bearer b"), 0},
		{"another key", answer{status: 429, fields: "Retry-After: 7"}, with("X-API-Key", "b"), 0},
		{"another cookie", answer{status: 429, fields: "Retry-After: 7"}, with("Cookie", "b"), 7 * s},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				base := newScript(tt.first, answer{status: 200})
				tr := newTransport(t, base, headers.TransportOptions{Tries: 1, MaxWait: 48 * time.Hour})
				_, err := tr.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
				require.NoError(t, err)
				r := request(t, t.Context(), http.MethodGet, "")
				if tt.second != nil {
					tt.second(r)
				}
				_, err = tr.RoundTrip(r)
				require.NoError(t, err)
				require.Equal(t, []time.Duration{0, tt.wait}, base.sent)
			})
		})
	}
}

func to(url string) func(*http.Request) {
	return func(r *http.Request) {
		u, err := r.URL.Parse(url)
		if err == nil {
			r.URL = u
		}
	}
}

func with(field, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(field, value) }
}

func TestTransportKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := newScript(answer{status: 200, fields: "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 9"})
		tr := newTransport(t, base, headers.TransportOptions{Key: func(r *http.Request) string { return r.URL.Path }})
		for _, path := range []string{"/a", "/b", "/a"} {
			r := request(t, t.Context(), http.MethodGet, "")
			r.URL.Path = path
			_, err := tr.RoundTrip(r)
			require.NoError(t, err)
		}
		require.Equal(t, []time.Duration{0, 0, 9 * s}, base.sent)
	})
}

// Above MaxKeys strangers share one state; who has to wait is not forgotten for them.
func TestTransportMaxKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		at := map[string][]time.Duration{}
		base := roundTrip(func(r *http.Request) (*http.Response, error) {
			host := r.URL.Host
			at[host] = append(at[host], time.Since(start))
			h := http.Header{}
			if !strings.HasPrefix(host, "free") {
				h = http.Header{"Retry-After": {"100"}}
			}
			return &http.Response{StatusCode: http.StatusOK, Header: h, Body: http.NoBody}, nil
		})
		tr := newTransport(t, base, headers.TransportOptions{MaxKeys: 2})
		get := func(host string) error {
			r := request(t, t.Context(), http.MethodGet, "")
			r.URL.Host = host
			ctx, cancel := context.WithTimeout(t.Context(), s)
			defer cancel()
			_, err := tr.RoundTrip(r.WithContext(ctx))
			return err
		}
		require.NoError(t, get("slow"))
		for i := range 1000 { // each takes the place of the one before
			require.NoError(t, get(fmt.Sprint("free", i)))
		}
		require.NoError(t, get("slower"))
		require.ErrorIs(t, get("slow"), headers.ErrWaitTooLong)
		require.ErrorIs(t, get("slower"), headers.ErrWaitTooLong)
		require.NoError(t, get("third")) // of the rest, which now waits
		require.ErrorIs(t, get("free"), headers.ErrWaitTooLong)
		time.Sleep(100 * s)
		require.NoError(t, get("free"))
		require.NoError(t, get("third"))
		require.NoError(t, get("slow"))
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The local pace holds whatever the server allows, and what the server says can only
// slow it.
func TestTransportPace(t *testing.T) {
	t.Parallel()
	pace := policy.TokenBucket{Max: 1, Per: 2 * s, Burst: 2}
	for _, tt := range []struct {
		name    string
		answers []answer
		want    []time.Duration
	}{
		{"nothing is said", []answer{{status: 200}}, []time.Duration{0, 0, 2 * s, 4 * s, 6 * s}},
		{"more is allowed", []answer{{status: 200, fields: "X-RateLimit-Remaining: 1000000\nX-RateLimit-Reset: 1"}}, []time.Duration{0, 0, 2 * s, 4 * s, 6 * s}},
		{"less is allowed", []answer{
			{status: 200, fields: "X-RateLimit-Remaining: 3\nX-RateLimit-Reset: 30"}, // one in 10 s
			{status: 200, fields: "X-RateLimit-Remaining: 2\nX-RateLimit-Reset: 30"}, // one in 15 s
			{status: 200, fields: "X-RateLimit-Remaining: 1\nX-RateLimit-Reset: 15"}, // one in 15 s
			{status: 200, fields: "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 9"},
			{status: 200},
		}, []time.Duration{0, 0, 15 * s, 30 * s, 39 * s}},
		{"less is allowed for a day", []answer{
			{status: 200, fields: "X-RateLimit-Remaining: 20\nX-RateLimit-Reset: 86400"}, // a minute is looked ahead: one in 3 s
		}, []time.Duration{0, 0, 3 * s, 6 * s, 9 * s}},
		{"less is allowed for a while", []answer{
			{status: 200}, {status: 200, fields: "X-RateLimit-Remaining: 1\nX-RateLimit-Reset: 5"}, {status: 200},
		}, []time.Duration{0, 0, 5 * s, 7 * s, 9 * s}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				base := newScript(tt.answers...)
				tr := newTransport(t, base, headers.TransportOptions{Pace: pace})
				for range tt.want {
					_, err := tr.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
					require.NoError(t, err)
				}
				require.Equal(t, tt.want, base.sent)
			})
		})
	}
}

// No answer slows the pace for longer than the longest wait.
func TestTransportPaceIsNotSlowedForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := newScript(answer{status: 200, fields: "X-RateLimit-Remaining: 1\nX-RateLimit-Reset: 999999999"}, answer{status: 200})
		tr := newTransport(t, base, headers.TransportOptions{Pace: policy.TokenBucket{Max: 1, Per: 2 * s}})
		for i := range 4 {
			_, err := tr.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
			require.NoError(t, err)
			if i == 0 {
				time.Sleep(24 * time.Hour)
			}
		}
		const day = 24 * time.Hour
		require.Equal(t, []time.Duration{0, day, day + 2*s, day + 4*s}, base.sent)
	})
}

// A turn of the pace that is not waited for is given back.
func TestTransportPaceGivesTurnsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := newScript(answer{status: 200})
		tr := newTransport(t, base, headers.TransportOptions{Pace: policy.TokenBucket{Max: 1, Per: 10 * s}})
		get := func(within time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			_, err := tr.RoundTrip(request(t, ctx, http.MethodGet, ""))
			return err
		}
		require.NoError(t, get(time.Minute))
		for range 5 {
			require.ErrorIs(t, get(9*s), headers.ErrWaitTooLong)
		}
		require.NoError(t, get(time.Minute))
		require.Equal(t, []time.Duration{0, 10 * s}, base.sent)

		nobody, err := headers.NewTransport(base, &headers.TransportOptions{Pace: policy.TokenBucket{Per: s}})
		require.NoError(t, err)
		_, err = nobody.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
		require.ErrorIs(t, err, headers.ErrWaitTooLong, "a pace of nothing")
	})
}

// Many at once learn together: after a first burst that nobody could foresee, none
// is refused, and none is kept back longer than it has to be.
func TestTransportManyAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const allowed, clients = 10, 50
		l, err := limiter.New(policy.Policy{Rules: []policy.Rule{{
			Name: "minute", Limit: policy.CalendarWindow{Max: allowed, Unit: policy.Minute, Location: time.UTC},
		}}}, nil)
		require.NoError(t, err)
		wrap, err := headers.Middleware(l, byKey, nil)
		require.NoError(t, err)
		var (
			mu      sync.Mutex
			refused int
			last    time.Time
		)
		h := wrap(http.HandlerFunc(ok))
		base := roundTrip(func(r *http.Request) (*http.Response, error) {
			time.Sleep(20 * time.Millisecond)
			answer := call(h, http.MethodGet, "/", "a")
			time.Sleep(20 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			last = time.Now()
			if answer.StatusCode != http.StatusOK {
				refused++
			}
			return answer, nil
		})
		start := time.Now()
		// The bubble's clock begins before times since 1970 have ten digits.
		tr := newTransport(t, base, headers.TransportOptions{Reset: headers.ResetEpoch})
		var all sync.WaitGroup
		for range clients {
			all.Go(func() {
				answer, err := tr.RoundTrip(request(t, t.Context(), http.MethodGet, ""))
				if err != nil || answer.StatusCode != http.StatusOK {
					t.Error(answer, err)
				}
			})
		}
		all.Wait()
		require.LessOrEqual(t, refused, clients-allowed, "only the first burst was refused")
		require.Less(t, last.Sub(start), (clients/allowed)*time.Minute)
	})
}

// Whatever a server answers in whatever order, nobody is sent to it before the time
// that an earlier answer has named, nobody waits for ever, and all come through.
func TestTransportNeverComesTooSoon(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200 / slower) {
		synctest.Test(t, func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 1))
			var (
				mu   sync.Mutex
				shut []struct{ at, until time.Time }
			)
			base := roundTrip(func(r *http.Request) (*http.Response, error) {
				mu.Lock()
				now := time.Now()
				for _, s := range shut {
					if now.After(s.at) && now.Before(s.until) {
						t.Errorf("seed %d: sent %v too soon", seed, s.until.Sub(now))
					}
				}
				kind, number := dice.IntN(8), dice.IntN(20)
				latency := time.Duration(dice.IntN(3000)) * time.Millisecond
				mu.Unlock()
				time.Sleep(latency)

				a := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}
				var wait time.Duration
				switch kind {
				case 0:
					a.StatusCode = http.StatusTooManyRequests
					a.Header.Set("Retry-After", fmt.Sprint(number))
					wait = max(time.Duration(number)*s, s) // the back-off's first
				case 1:
					a.Header.Set("RateLimit", fmt.Sprintf(`"a";r=0;t=%d`, number))
					wait = time.Duration(number) * s
				case 2:
					a.Header.Set("RateLimit", fmt.Sprintf(`"a";r=%d;t=%d`, 1+number/4, number))
				case 3:
					return nil, io.ErrUnexpectedEOF
				case 4:
					a.Header.Set("Age", "1")
					a.Header.Set("Retry-After", "1000")
				}
				mu.Lock()
				defer mu.Unlock()
				shut = append(shut, struct{ at, until time.Time }{time.Now(), time.Now().Add(wait)})
				return a, nil
			})
			tr := newTransport(t, base, headers.TransportOptions{Tries: 100, Jitter: s, Seed: seed + 1, Budget: 1000 * time.Hour})
			var all sync.WaitGroup
			for range 12 {
				mu.Lock()
				pause := time.Duration(dice.IntN(40)) * s
				mu.Unlock()
				all.Go(func() {
					time.Sleep(pause)
					answer, err := tr.RoundTrip(request(t, t.Context(), http.MethodPost, "x"))
					if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || err == nil && answer.StatusCode != http.StatusOK {
						t.Errorf("seed %d: %v %v", seed, answer, err)
					}
				})
			}
			all.Wait()
		})
	}
}
