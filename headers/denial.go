package headers

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
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

// bodies is the table of bodies, each at its number less 1: it writes JSON to the end
// of a text. A new one is a row and a function here.
func bodies() [5]func([]byte, *denial) []byte {
	return [...]func([]byte, *denial) []byte{problemBody, planBody, wasenderBody, whatsBizBody, gatewayBody}
}

// A denial is the answer to a request that was refused.
type denial struct {
	decision limiter.Decision
	gates    []limiter.Gate // where the body tells of them
	daily    bool           // whether a rule for a day refuses
	wait     int64          // seconds
	waits    bool           // whether waiting helps
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
	var room [512]byte
	text := bodies()[b-1](room[:0], f)
	kind := "application/json"
	if b == ProblemBody {
		kind = "application/problem+json"
	}
	h, values := w.Header(), []string{kind, strconv.Itoa(len(text)), "no-store"}
	h["Content-Type"] = values[0:1:1]
	h["Content-Length"] = values[1:2:2]
	h["Cache-Control"] = values[2:3:3] // RFC 6585, section 4
	w.WriteHeader(f.status())
	if r.Method != http.MethodHead {
		_, _ = w.Write(text)
	}
}

// advise writes when to try again.
func (f *denial) advise(text []byte) []byte {
	switch {
	case f.decision.Rule == "request":
		return append(text, "The request cannot be limited as it is."...)
	case !f.waits:
		return append(text, "No waiting helps."...)
	}
	text = strconv.AppendInt(append(text, "Please try again in "...), f.wait, 10)
	if f.wait == 1 {
		return append(text, " second."...)
	}
	return append(text, " seconds."...)
}

// retryAfter writes a member retry_after, where waiting helps.
func (f *denial) retryAfter(text []byte) []byte {
	if !f.waits {
		return text
	}
	return strconv.AppendInt(append(text, `,"retry_after":`...), f.wait, 10)
}

// violated writes a member violated-policies with the rules that refuse.
func (f *denial) violated(text []byte) []byte {
	sep := `,"violated-policies":[`
	for i := range f.gates {
		g := &f.gates[i]
		if g.Answer == limiter.Allowed || g.Shadow || g.Rule == "hold" || g.Rule == "request" || g.Rule == "capacity" {
			continue
		}
		text = appendString(append(text, sep...), g.Rule)
		sep = ","
	}
	if sep == "," {
		text = append(text, ']')
	}
	return text
}

// appendString appends s as a JSON string.
func appendString(text []byte, s string) []byte {
	if isPrintable(s) && !strings.ContainsAny(s, `"\`) {
		return append(append(append(text, '"'), s...), '"')
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		return append(text, `""`...) // a string always marshals
	}
	return append(text, quoted...)
}

func problemBody(text []byte, f *denial) []byte {
	const registry = "https://iana.org/assignments/http-problem-types#"
	kind, title := registry+"quota-exceeded", "Request cannot be satisfied as assigned quota has been exceeded"
	switch f.decision.Rule {
	case "request":
		kind, title = "about:blank", "Bad Request"
	case "capacity":
		kind, title = registry+"temporary-reduced-capacity", "Request cannot be satisfied due to temporary server capacity constraints"
	case "hold":
		kind, title = registry+"abnormal-usage-detected", "Request not satisfied due to detection of abnormal request pattern"
	}
	text = append(append(append(text, `{"type":"`...), kind...), `","title":"`...)
	text = append(append(text, title...), `","status":`...)
	text = append(strconv.AppendInt(text, int64(f.status()), 10), `,"detail":"`...)
	text = append(f.advise(text), '"')
	return append(f.retryAfter(f.violated(text)), '}')
}

func planBody(text []byte, f *denial) []byte {
	text = append(text, `{"success":false,"error":{"code":"rate_limit_exceeded","message":"Rate limit exceeded. `...)
	return append(f.advise(text), `"}}`...)
}

func wasenderBody(text []byte, f *denial) []byte {
	text = append(f.advise(append(text, `{"message":"Too many requests. `...)), '"')
	return append(f.retryAfter(text), '}')
}

func whatsBizBody(text []byte, f *denial) []byte {
	text = append(text, `{"status":"error","error":{"code":130429,"title":"Rate limit hit",`...)
	text = append(text, `"message":"Message throughput has been exceeded. `...)
	return append(f.advise(text), `"}}`...)
}

func gatewayBody(text []byte, f *denial) []byte {
	code := "RATE_LIMITED"
	if f.daily {
		code = "DAILY_LIMIT_REACHED"
	}
	text = f.advise(append(text, `{"success":false,"data":{},"error":"Too many requests. `...))
	return append(append(append(text, `","code":"`...), code...), `"}`...)
}

// isDaily reports whether a rule of a policy counts days.
func isDaily(p policy.Policy, rule string) bool {
	for _, r := range p.Rules {
		if r.Name != rule {
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
