package main

import (
	"context"
	"net/http"

	"github.com/go-chi/httprate"
)

// chi is go-chi/httprate, which reads the clock. OnLimit is the only call that
// both asks and counts, and it writes headers; they go to one that is used again.
func chi(q quota) builder {
	return func() (contender, error) {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "/", http.NoBody)
		if err != nil {
			return contender{}, err
		}
		l, w := httprate.NewRateLimiter(q.max, q.per), headerOnly{}
		return contender{run: func(n int) (allowed int) {
			for range n {
				if !l.OnLimit(w, r, oneAccount) {
					allowed++
				}
			}
			return allowed
		}}, nil
	}
}

// headerOnly is an http.ResponseWriter that keeps nothing but the header.
type headerOnly http.Header

func (h headerOnly) Header() http.Header       { return http.Header(h) }
func (headerOnly) Write(b []byte) (int, error) { return len(b), nil }
func (headerOnly) WriteHeader(int)             {}
