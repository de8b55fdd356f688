package headers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A refusal is the body of an answer that is no success, in the shapes that are in
// use. What has another type than expected is left out.
type refusal struct {
	Error      object   `json:"error"`
	Errors     objects  `json:"errors"`
	Code       code     `json:"code"`
	Type       text     `json:"type"`
	RetryAfter quantity `json:"retry_after"`
	Parameters object   `json:"parameters"` // Telegram's
	Violated   texts    `json:"violated-policies"`
}

// An object is a member of a refusal that may be an object.
type object struct {
	Code       code     `json:"code"`
	Type       text     `json:"type"`
	RetryAfter quantity `json:"retry_after"`
}

// UnmarshalJSON leaves out what is no object, such as an error that is a text.
func (o *object) UnmarshalJSON(data []byte) error {
	type plain object
	var p plain
	if data[0] == '{' && json.Unmarshal(data, &p) == nil {
		*o = object(p)
	}
	return nil
}

type objects []object

// UnmarshalJSON leaves out what is no list.
func (o *objects) UnmarshalJSON(data []byte) error {
	var list []object
	if json.Unmarshal(data, &list) == nil {
		*o = list
	}
	return nil
}

// A text is a string and nothing else.
type text string

// UnmarshalJSON leaves out what is no string.
func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		*t = text(s)
	}
	return nil
}

type texts []string

// UnmarshalJSON leaves out what is no string of a list.
func (t *texts) UnmarshalJSON(data []byte) error {
	var list []text
	if json.Unmarshal(data, &list) == nil {
		for _, s := range list {
			if s != "" {
				*t = append(*t, string(s))
			}
		}
	}
	return nil
}

// A code is a string, or a number in its own spelling.
type code string

// UnmarshalJSON leaves out what is neither.
func (c *code) UnmarshalJSON(data []byte) error {
	var s text
	switch data[0] {
	case '"':
		_ = s.UnmarshalJSON(data)
		*c = code(s)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		*c = code(data)
	}
	return nil
}

// body reads the body of an answer into the advice, and says how long it asks to
// wait. A status of 429 refuses because of a limit whatever the body is, but for a
// lock; with any other status the body has to say so.
func (r *reader) body(a *Advice, status int, body []byte) (wait delay) {
	a.Limited = status == http.StatusTooManyRequests
	var m refusal
	switch {
	case len(body) > MaxBody:
		r.void("body", "more than %d bytes are not read", MaxBody)
		return delay{}
	case len(bytes.TrimSpace(body)) == 0:
		return delay{}
	case json.Unmarshal(body, &m) != nil:
		if status >= 400 {
			r.void("body", "is not a JSON object")
		}
		return delay{}
	}
	a.Code, a.Violated = m.code(), m.Violated
	a.Locked = status >= 400 && locks(a.Code)
	a.Limited = !a.Locked && (a.Limited || m.limits(status))
	if len(a.Violated) > MaxItems {
		r.remark("body", fmt.Sprintf("%d violated quotas are cut to %d", len(a.Violated), MaxItems))
		a.Violated = a.Violated[:MaxItems]
	}
	for _, q := range [...]quantity{m.RetryAfter, m.Error.RetryAfter, m.Parameters.RetryAfter} {
		if q.known {
			wait = wait.or(r.numeric(q.number, ResetGuess))
		}
	}
	return wait
}

// code is the refusal's code, from wherever it is.
func (m *refusal) code() string {
	first := object{}
	if len(m.Errors) > 0 {
		first = m.Errors[0]
	}
	for _, c := range [...]string{string(m.Error.Code), string(m.Error.Type), string(first.Code), string(m.Code)} {
		if c != "" {
			return c
		}
	}
	return problem(string(m.Type))
}

// locks reports whether a code says that something is in use. Stripe answers 429
// with it (stripe-php, pull request 718).
func locks(code string) bool { return code == "lock_timeout" }

// limits reports whether the body of an answer that is not a 429 says that a limit
// was hit. Each provider has its say.
func (m *refusal) limits(status int) bool {
	code := m.code()
	return metaLimits(m, status) || namesLimit(code) || problemLimits(code)
}

// namesLimit reports whether a code is the name of a limit in the documentation of
// one of the providers.
func namesLimit(code string) bool {
	switch strings.ToLower(code) {
	case "rate_limit_exceeded", "rate_limited", "daily_limit_reached":
		return true
	}
	return false
}

// documented is how long a refusal lasts by the provider's documentation. The
// anti-ban gateway's daily limit "resets midnight UTC".
func (r *reader) documented(a *Advice) delay {
	if a.Code != "DAILY_LIMIT_REACHED" || !a.Limited {
		return delay{}
	}
	midnight := r.clock.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	return r.until(midnight, Documented)
}
