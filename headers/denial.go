package headers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A Body is how the body of a refusal is written.
type Body uint8

// The bodies. All are JSON.
const (
	// ProblemBody is application/problem+json (RFC 9457) with the problem types of
	// draft-ietf-httpapi-ratelimit-headers-11: violated-policies are the rules that
	// refuse. retry_after is an extension.
	ProblemBody Body = iota + 1

	// PlanBody is that of the API with the ladder of plans: success, and error with
	// the code rate_limit_exceeded.
	PlanBody

	// WasenderBody is that of wasenderapi.com: message and retry_after.
	WasenderBody

	// WhatsBizBody is that of WhatsBizAPI, with Meta's code 130429 in error.
	WhatsBizBody

	// GatewayBody is that of the anti-ban gateway, with the code RATE_LIMITED, or
	// DAILY_LIMIT_REACHED where a rule for a day refuses.
	GatewayBody
)

// bodies is the table of bodies, each at its number less 1.
func bodies() []func(*denial) any {
	return []func(*denial) any{problemBody, planBody, wasenderBody, whatsBizBody, gatewayBody}
}

// A denial is the answer to a request that was refused.
type denial struct {
	decision limiter.Decision
	gates    []limiter.Gate
	policy   policy.Policy // the account's
	wait     int64         // seconds
	waits    bool          // whether waiting helps
}

// status is what fits best; [Middleware] lists them.
func (f *denial) status() int {
	switch {
	case f.decision.Rule == "request":
		return http.StatusBadRequest
	case f.decision.Rule == "capacity":
		return http.StatusServiceUnavailable
	case f.decision.Answer == limiter.Never:
		return http.StatusForbidden
	}
	return http.StatusTooManyRequests
}

// write answers the request. A HEAD gets the header that a GET would.
func (f *denial) write(w http.ResponseWriter, r *http.Request, b Body) {
	f.wait, f.waits = RetryAfter(f.decision)
	text, err := json.Marshal(bodies()[b-1](f))
	if err != nil {
		text = []byte("{}")
	}
	h := w.Header()
	kind := "application/json"
	if b == ProblemBody {
		kind = "application/problem+json"
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("Cache-Control", "no-store") // RFC 6585, section 4
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(f.status())
	if r.Method != http.MethodHead {
		_, _ = w.Write(text)
	}
}

// advice says when to try again.
func (f *denial) advice() string {
	switch {
	case f.decision.Rule == "request":
		return "The request cannot be limited as it is."
	case !f.waits:
		return "No waiting helps."
	case f.wait == 1:
		return "Please try again in 1 second."
	}
	return fmt.Sprintf("Please try again in %d seconds.", f.wait)
}

// violated are the names of the rules that refuse.
func (f *denial) violated() []string {
	names := []string{}
	for _, g := range f.gates {
		if g.Answer != limiter.Allowed && !g.Shadow && g.Rule != "hold" && g.Rule != "request" && g.Rule != "capacity" {
			names = append(names, g.Rule)
		}
	}
	return names
}

// daily reports whether what binds is a count of a day.
func (f *denial) daily() bool {
	for _, r := range f.policy.Rules {
		if r.Name != f.decision.Rule {
			continue
		}
		switch l := r.Limit.(type) {
		case policy.CalendarWindow:
			return l.Unit == policy.Day
		case policy.SlidingWindow:
			return l.Window == 24*time.Hour
		}
	}
	return false
}

func problemBody(f *denial) any {
	const registry = "https://iana.org/assignments/http-problem-types#"
	problem := struct {
		Type       string   `json:"type"`
		Title      string   `json:"title"`
		Status     int      `json:"status"`
		Detail     string   `json:"detail"`
		Violated   []string `json:"violated-policies,omitempty"`
		RetryAfter int64    `json:"retry_after,omitempty"`
	}{
		Type:       registry + "quota-exceeded",
		Title:      "Request cannot be satisfied as assigned quota has been exceeded",
		Status:     f.status(),
		Detail:     f.advice(),
		Violated:   f.violated(),
		RetryAfter: f.wait,
	}
	switch f.decision.Rule {
	case "request":
		problem.Type, problem.Title = "about:blank", http.StatusText(f.status())
	case "capacity":
		problem.Type = registry + "temporary-reduced-capacity"
		problem.Title = "Request cannot be satisfied due to temporary server capacity constraints"
	case "hold":
		problem.Type = registry + "abnormal-usage-detected"
		problem.Title = "Request not satisfied due to detection of abnormal request pattern"
	}
	return problem
}

func planBody(f *denial) any {
	type fault struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	return struct {
		Success bool  `json:"success"`
		Error   fault `json:"error"`
	}{false, fault{"rate_limit_exceeded", "Rate limit exceeded. " + f.advice()}}
}

func wasenderBody(f *denial) any {
	return struct {
		Message    string `json:"message"`
		RetryAfter int64  `json:"retry_after,omitempty"`
	}{"Too many requests. " + f.advice(), f.wait}
}

func whatsBizBody(f *denial) any {
	type fault struct {
		Code    int    `json:"code"`
		Title   string `json:"title"`
		Message string `json:"message"`
	}
	return struct {
		Status string `json:"status"`
		Error  fault  `json:"error"`
	}{"error", fault{130429, "Rate limit hit", "Message throughput has been exceeded. " + f.advice()}}
}

func gatewayBody(f *denial) any {
	code := "RATE_LIMITED"
	if f.daily() {
		code = "DAILY_LIMIT_REACHED"
	}
	return struct {
		Success bool     `json:"success"`
		Data    struct{} `json:"data"`
		Error   string   `json:"error"`
		Code    string   `json:"code"`
	}{Error: "Too many requests. " + f.advice(), Code: code}
}
