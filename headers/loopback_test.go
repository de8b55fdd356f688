package headers_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// A leaping clock moves on by what it is asked to wait, at once: whoever waits finds
// the wait over, and nobody who waits makes another wait for real.
type leaping struct{ queuetest.Clock }

func (c *leaping) After(d time.Duration) <-chan time.Time {
	c.Advance(max(d, 0))
	return c.Clock.After(0)
}

// A watched clock keeps the first time that it told since it was last asked to: that
// for which the limiter decided. It is for one request at a time.
type watched struct {
	limiter.Clock
	first time.Time
}

func (c *watched) Now() time.Time {
	now := c.Clock.Now()
	if c.first.IsZero() {
		c.first = now
	}
	return now
}

// A visit is one request as the server saw it.
type visit struct {
	id     string
	at     time.Time
	status int
	retry  time.Duration
}

// A house is a real server behind a limiter, and what it saw.
type house struct {
	*httptest.Server
	mu     sync.Mutex
	visits []visit
}

// open starts a house that lets p through, one request at a time, so that what it
// sees is in the order of the clock.
func open(t *testing.T, p policy.Policy, clock limiter.Clock) *house {
	t.Helper()
	s := &house{}
	watch := &watched{Clock: clock}
	guarded, _ := guarded(t, p, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		&headers.Options{Clock: watch})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		watch.first = time.Time{}
		guarded.ServeHTTP(w, r)
		v := visit{id: r.Header.Get("X-Request-ID"), at: watch.first, status: http.StatusNoContent}
		if retry := w.Header().Get("Retry-After"); retry != "" {
			seconds, _ := strconv.Atoi(retry)
			v.status, v.retry = http.StatusTooManyRequests, time.Duration(seconds)*time.Second
		}
		s.visits = append(s.visits, v)
	}))
	t.Cleanup(s.Close)
	return s
}

// send sends one request and wants it through in the end.
func (s *house) send(t *testing.T, client *http.Client, id string) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, nil)
	if err != nil {
		t.Error(err)
		return
	}
	r.Header.Set("X-API-Key", "a")
	r.Header.Set("X-Request-ID", id)
	answer, err := client.Do(r)
	if err != nil {
		t.Error(err)
		return
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Error(answer.Status)
	}
}

// seen is what it saw so far.
func (s *house) seen() []visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visits
}

// calls are the visits that were let in.
func (s *house) calls() (calls []queuetest.Call) {
	for _, v := range s.seen() {
		if v.status == http.StatusNoContent {
			calls = append(calls, queuetest.Call{Account: "a", Action: "POST /", At: v.at, Done: v.at})
		}
	}
	return calls
}

// requests is how many are sent.
const requests = 10_000 / slower

func hundred() policy.Policy { return perMinute(100) }

// 10,000 requests of a client that asks and does not care, ten times as many as it
// may: each that is let in keeps the policy, and each that is not would break it.
func TestServerAdmitsWhatTheAuditAllows(t *testing.T) {
	t.Parallel()
	var clock queuetest.Clock
	server := open(t, hundred(), &clock)
	for i := range requests {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, nil)
		require.NoError(t, err)
		r.Header.Set("X-API-Key", "a")
		answer, err := server.Client().Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		clock.Advance(time.Duration(i%3*60) * time.Millisecond) // 1,000 a minute
	}
	require.Len(t, server.seen(), requests)
	require.Empty(t, queuetest.Audit(hundred(), server.calls()))

	var recent []queuetest.Call
	for _, v := range server.seen() {
		for len(recent) > 0 && v.at.Sub(recent[0].At) >= time.Minute {
			recent = recent[1:]
		}
		call := queuetest.Call{Account: "a", Action: "POST /", At: v.at, Done: v.at}
		if v.status == http.StatusNoContent {
			recent = append(recent, call)
			continue
		}
		require.NotEmpty(t, queuetest.Audit(hundred(), append(recent[:len(recent):len(recent)], call)), "refused for nothing")
	}
}

// One client that sends one request at a time, 10,000 of them, reads what is left
// and is never refused; one that is told of refusals alone is refused once a
// window, and never twice in a row.
func TestClientMeetsNoSecondRefusal(t *testing.T) {
	t.Parallel()
	for _, deaf := range []bool{false, true} {
		clock := &leaping{}
		server := open(t, hundred(), clock)
		base := server.Client().Transport
		if deaf {
			base = roundTrip(func(r *http.Request) (*http.Response, error) {
				answer, err := server.Client().Transport.RoundTrip(r)
				if err == nil && answer.StatusCode == http.StatusNoContent {
					answer.Header = http.Header{}
				}
				return answer, err
			})
		}
		client := &http.Client{Transport: newTransport(t, base, headers.TransportOptions{Clock: clock, Jitter: time.Second, Seed: 1})}
		for i := range requests {
			server.send(t, client, strconv.Itoa(i))
		}
		require.Len(t, server.calls(), requests)
		require.Empty(t, queuetest.Audit(hundred(), server.calls()))
		refused := server.honoured(t)
		if deaf {
			require.LessOrEqual(t, refused, requests/100-1)
		} else {
			require.Zero(t, refused)
		}
		took := clock.Now().Sub(queuetest.Epoch())
		require.GreaterOrEqual(t, took, (requests/100-1)*time.Minute)
		require.Less(t, took, (requests/100-1)*(time.Minute+3*time.Second), "no longer than it has to: a second of rounding, one of the date, one of jitter")
	}
}

// Clients that share a budget and know nothing of each other are refused, and each
// waits as long as it is told.
func TestClientsHonourEveryRefusal(t *testing.T) {
	t.Parallel()
	const clients, each = 4, requests / 20
	clock := &leaping{}
	server := open(t, hundred(), clock)
	var all sync.WaitGroup
	for c := range clients {
		client := &http.Client{Transport: newTransport(t, server.Client().Transport, headers.TransportOptions{
			Clock: clock, Tries: 1000, Jitter: time.Second, Seed: uint64(c) + 1, Budget: 1000 * time.Hour,
		})}
		all.Go(func() {
			for i := range each {
				server.send(t, client, strconv.Itoa(c)+"/"+strconv.Itoa(i))
			}
		})
	}
	all.Wait()
	require.Len(t, server.calls(), clients*each)
	require.Empty(t, queuetest.Audit(hundred(), server.calls()))
	server.honoured(t)
}

// honoured counts the refusals, and fails for one that was not waited out.
func (s *house) honoured(t *testing.T) (refused int) {
	t.Helper()
	since := map[string]visit{}
	for _, v := range s.seen() {
		if before, again := since[v.id]; again {
			require.GreaterOrEqual(t, v.at.Sub(before.at), before.retry, "request %s came back too soon", v.id)
		}
		delete(since, v.id)
		if v.status == http.StatusTooManyRequests {
			refused++
			since[v.id] = v
		}
	}
	require.Empty(t, since)
	return refused
}
