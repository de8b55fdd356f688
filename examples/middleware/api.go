package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// plans are the plan that each key is on.
func plans() map[string]string {
	return map[string]string{
		"free":       "free_plan",
		"basic":      "basic_plan",
		"premium":    "premium_plan",
		"enterprise": "enterprise_plan",
	}
}

// newAPI is the API behind its limits.
func newAPI(clock limiter.Clock) (http.Handler, error) {
	free, err := policy.For("free_plan")
	if err != nil {
		return nil, err
	}
	l, err := limiter.New(free, nil)
	if err != nil {
		return nil, err
	}
	var all []policy.Policy
	for key, slug := range plans() {
		p, err := policy.For(slug)
		if err != nil {
			return nil, err
		}
		if err := l.SetPolicy(clock.Now(), key, p); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	limit, err := headers.Middleware(l, who, &headers.Options{
		Print:    &headers.PrintOptions{Dialects: []headers.Dialect{headers.XRateLimit}},
		Policies: all,
		Body:     headers.PlanBody,
		Suspend:  headers.Suspend{After: 100, Within: 10 * time.Minute, For: 15 * time.Minute},
		Reject:   reject,
		Clock:    clock,
	})
	if err != nil {
		return nil, err
	}
	return limit(endpoints()), nil
}

var errKey = errors.New("a valid X-API-Key is missing")

// who says whose request it is and what it does. Its endpoint is the action, which
// the plans' rules name.
func who(r *http.Request) (limiter.Request, error) {
	key := r.Header.Get("X-API-Key")
	if plans()[key] == "" {
		return limiter.Request{}, errKey // a key that was made up gets no budget
	}
	return limiter.Request{Account: key, Action: headers.Action(r)}, nil
}

func reject(w http.ResponseWriter, _ *http.Request, err error) {
	w.Header().Set("WWW-Authenticate", `ApiKey realm="api"`)
	answer(w, http.StatusUnauthorized, `{"success":false,"error":{"code":"unauthorized","message":"`+err.Error()+`"}}`)
}

// endpoints are those of the API. All do nothing, with success.
func endpoints() http.Handler {
	mux := http.NewServeMux()
	for _, pattern := range []string{
		"GET /api/v1/messages", "POST /api/v1/messages", "POST /api/v1/messages/bulk",
		"POST /api/v1/sessions", "/api/v1/media/", "POST /api/v1/webhooks/test",
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, `{"success":true}`) })
	}
	return mux
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body + "\n"))
}
