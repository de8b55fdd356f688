package headers

import (
	"io"
	"net/http"
)

// repeats reports whether a request may be sent again after an answer.
func repeats(r *http.Request, status int, limited bool) bool {
	if !replayable(r) {
		return false
	}
	switch {
	case limited, status == http.StatusTooManyRequests:
		return true
	case status == http.StatusServiceUnavailable:
		return idempotent(r)
	}
	return false
}

// idempotent reports whether a request may reach the server twice.
func idempotent(r *http.Request) bool {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return r.Header.Get("Idempotency-Key") != ""
}

// replayable reports whether a request's body can be had a second time.
func replayable(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// replay is a request for one more try.
func replay(r *http.Request) (*http.Request, error) {
	again := r.WithContext(r.Context()) // a copy
	if r.GetBody == nil {
		return again, nil
	}
	body, err := r.GetBody()
	again.Body = body
	return again, err
}

// discard reads a body to its end, where that is near, so that the connection can
// be used again.
func discard(body io.ReadCloser) {
	if body == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, body, MaxBody)
	_ = body.Close()
}
