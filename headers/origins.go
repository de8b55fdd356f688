package headers

import (
	"hash/maphash"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// origins are the origins of a [Transport]: at most so many, and one more for all
// that there is no room for. One is forgotten once a new one would be as good, so
// a crowd of new ones cannot make the transport forget that it has to wait.
type origins struct {
	mu    sync.Mutex
	most  int
	known map[originKey]*origin
	rest  *origin // nil until it is needed
	pace  func() *rate.Limiter
	seeds [2]maphash.Seed
}

// An originKey is a server and whose budget there is spent, which is hashed: a
// credential is not kept.
type originKey struct {
	scheme, host string
	whose        [2]uint64
}

func newOrigins(most int, pace func() *rate.Limiter) *origins {
	return &origins{
		most:  most,
		known: make(map[originKey]*origin),
		pace:  pace,
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
	}
}

// key is the origin of a request, whose budget there is called whose.
func (t *origins) key(r *http.Request, whose string) originKey {
	k := originKey{scheme: strings.ToLower(r.URL.Scheme), host: strings.ToLower(r.URL.Host)}
	switch k.scheme {
	case "http":
		k.host = strings.TrimSuffix(k.host, ":80")
	case "https":
		k.host = strings.TrimSuffix(k.host, ":443")
	}
	for i, seed := range t.seeds {
		k.whose[i] = maphash.String(seed, whose)
	}
	return k
}

// use finds or makes an origin, to be given to done afterwards.
func (t *origins) use(k originKey, now time.Time) *origin {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.known[k]
	switch {
	case o != nil:
	case len(t.known) < t.most || t.forget(now):
		o = newOrigin(t.pace())
		t.known[k] = o
	default:
		if t.rest == nil {
			t.rest = newOrigin(t.pace())
		}
		o = t.rest
	}
	o.users++
	return o
}

func (t *origins) done(o *origin) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o.users--
}

// looks is how many origins are looked at to make room for a new one. A map is
// walked from anywhere, so others are looked at next time.
const looks = 32

// forget makes room for one. It requires t.mu.
func (t *origins) forget(now time.Time) (done bool) {
	left := looks
	for k, o := range t.known {
		if o.users == 0 && o.idle(now) {
			delete(t.known, k)
			done = true
		}
		if left--; left == 0 {
			break
		}
	}
	return done
}

// credential is whose budget a request spends, where the options do not say: what
// it proves itself with.
func credential(r *http.Request) string {
	authorization, key := r.Header.Get("Authorization"), r.Header.Get("X-Api-Key")
	if key == "" {
		return authorization
	}
	return authorization + "\n" + key // a field's value holds no line break
}
