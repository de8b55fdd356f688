package main

import (
	"net/http"

	"github.com/go-chi/httprate"
	"github.com/sethvargo/go-limiter/httplimit"
	"github.com/sethvargo/go-limiter/memorystore"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// keyField is the field by which the middlewares tell clients apart.
const keyField = "X-Api-Key"

// served asks a middleware over and over, in front of a handler that does nothing.
// What it costs to make a request and an answer is not counted.
func served(wrap func(http.Handler) http.Handler) (contender, error) {
	r, err := http.NewRequest(http.MethodGet, "/api/v1/messages", http.NoBody)
	if err != nil {
		return contender{}, err
	}
	r.Header.Set(keyField, oneAccount)
	allowed, w := 0, headerOnly{}
	h := wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { allowed++ }))
	return contender{run: func(n int) int {
		allowed = 0
		for range n {
			clear(w)
			h.ServeHTTP(w, r)
		}
		return allowed
	}}, nil
}

// wapaceServed is our middleware under p, printing the fields that the others do or,
// without dialects, all that it prints by default.
func wapaceServed(p policy.Policy, dialects ...headers.Dialect) builder {
	return func() (contender, error) {
		l, err := newLimiter(p)
		if err != nil {
			return contender{}, err
		}
		who := func(r *http.Request) (limiter.Request, error) {
			return limiter.Request{Account: r.Header.Get(keyField), Action: policy.SendMessage}, nil
		}
		wrap, err := headers.Middleware(l, who, &headers.Options{Print: &headers.PrintOptions{Dialects: dialects}})
		if err != nil {
			return contender{}, err
		}
		return served(wrap)
	}
}

// chiServed is httprate's middleware.
func chiServed(q quota) builder {
	return func() (contender, error) {
		key := func(r *http.Request) (string, error) { return r.Header.Get(keyField), nil }
		return served(httprate.Limit(q.max, q.per, httprate.WithKeyFuncs(key)))
	}
}

// sethvargoServed is go-limiter's middleware over its memory store.
func sethvargoServed(q quota) builder {
	return func() (contender, error) {
		store, err := memorystore.New(&memorystore.Config{Tokens: uint64(q.max), Interval: q.per, DisablePurge: true})
		if err != nil {
			return contender{}, err
		}
		m, err := httplimit.NewMiddleware(store, func(r *http.Request) (string, error) { return r.Header.Get(keyField), nil })
		if err != nil {
			return contender{}, err
		}
		return served(m.Handle)
	}
}
