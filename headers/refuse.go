package headers

import (
	"encoding/json"
	"fmt"

	"github.com/wapace/wapace/limiter"
)

// A Body is a form of the body of a refusal.
type Body uint8

// The bodies. Clients that were written for one provider understand its body alone.
const (
	// ProblemBody is a problem of RFC 9457 with a type of draft 11, the quotas that
	// are violated, and retry_after in seconds.
	ProblemBody Body = iota + 1

	// WasenderBody is WasenderAPI's: a message and retry_after in seconds
	// ("Rate Limits").
	WasenderBody

	// NestedBody has the code rate_limit_exceeded inside an error, as the plan ladder
	// of the WhatsApp API service ("Rate Limiting").
	NestedBody

	// WhatsBizBody is WhatsBizAPI's, with Meta's code 130429 ("Rate Limits & Best
	// Practices").
	WhatsBizBody

	// GatewayBody is the anti-ban gateway's, with the code RATE_LIMITED or, where the
	// quota is one of 24 hours, DAILY_LIMIT_REACHED ("Errors & Rate Limits").
	GatewayBody
)

// A body is one row of the table of bodies.
type body struct {
	name        string
	contentType string
	form        func(*refused) any // what is written as JSON
}

// bodies is the table of bodies, each at its number less 1. A new body is one file and
// one row here.
func bodies() []body {
	const plain = "application/json"
	return []body{
		{"problem", "application/problem+json", problemForm},
		{"wasender", plain, wasenderForm},
		{"nested", plain, nestedForm},
		{"whatsbiz", plain, whatsBizForm},
		{"gateway", plain, gatewayForm},
	}
}

// row is the body's row. A number that is no body's reads as [ProblemBody].
func (b Body) row() body {
	all := bodies()
	if b == 0 || int(b) > len(all) {
		return all[0]
	}
	return all[b-1]
}

// String is the body's name in lower case.
func (b Body) String() string { return b.row().name }

// ContentType is the body's media type.
func (b Body) ContentType() string { return b.row().contentType }

// A refused is what a body tells.
type refused struct {
	status   int
	wait     int64 // seconds; 0 where no waiting helps
	daily    bool
	violated []string
}

// message says when to try again.
func (r *refused) message(what string) string {
	switch r.wait {
	case 0:
		return what + " No waiting helps."
	case 1:
		return what + " Please try again in 1 second."
	}
	return fmt.Sprintf("%s Please try again in %d seconds.", what, r.wait)
}

// Body is the body b of an answer with a status that refuses a request: 429, or 503
// where it is not the client's fault. It names no quota that the printer does not
// have, and nothing that the client sent.
func (p *Printer) Body(b Body, status int, s State) []byte {
	r := &refused{status: status, violated: []string{}}
	r.wait, _ = RetryAfter(s.Decision)
	pg := page{printer: p, state: s}
	pg.gates(func(g *limiter.Gate, quota *row) bool {
		if g.Answer != limiter.Allowed {
			r.violated = append(r.violated, g.Rule)
			r.daily = r.daily || quota.daily && g.Rule == s.Decision.Rule
		}
		return true
	})
	text, err := json.Marshal(b.row().form(r))
	if err != nil {
		return []byte("{}") // nothing above can fail to be written
	}
	return text
}
