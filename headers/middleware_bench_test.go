package headers_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/policy"
)

// dropping is an http.ResponseWriter that keeps nothing but the header.
type dropping http.Header

func (d dropping) Header() http.Header       { return http.Header(d) }
func (dropping) Write(b []byte) (int, error) { return len(b), nil }
func (dropping) WriteHeader(int)             {}

func BenchmarkMiddleware(b *testing.B) {
	plenty := policy.TokenBucket{Max: 1e9, Per: time.Second, Burst: 1e9}
	for _, bb := range []struct {
		name  string
		rule  policy.Limit
		print []headers.Dialect
	}{
		{"x-ratelimit", plenty, []headers.Dialect{headers.XRateLimit}},
		{"x-ratelimit and draft 11", plenty, nil},
		{"refused", policy.SlidingWindow{Max: 0, Window: time.Hour}, []headers.Dialect{headers.XRateLimit}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			h, _ := guarded(b, policy.Policy{Rules: []policy.Rule{{Name: "rule", Limit: bb.rule}}}, ok,
				&headers.Options{Print: &headers.PrintOptions{Dialects: bb.print}})
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "/", http.NoBody)
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("X-API-Key", "a")
			w := dropping{}
			b.ReportAllocs()
			for b.Loop() {
				clear(w)
				h.ServeHTTP(w, r)
			}
		})
	}
}
