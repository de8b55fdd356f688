package headers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/wapace/wapace/limiter"
)

// maxPolicyBody is the most bytes that the body of a PATCH may have.
const maxPolicyBody = 8 << 10

// A policyRequest is what a client of a policy API gives.
type policyRequest struct {
	instance, token, slug string
}

// readPolicyRequest reads them from wherever they may be. One that is given twice must
// be the same.
func readPolicyRequest(w http.ResponseWriter, r *http.Request) (p policyRequest, f *fault) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return p, badRequest("the query is not percent-encoded as it must be")
	}
	sources := []url.Values{query}
	if r.Method == http.MethodPatch && r.Body != nil {
		body, f := readBody(w, r)
		if f != nil {
			return p, f
		}
		sources = append(sources, body)
	}
	if token, ok := bearer(r.Header.Get("Authorization")); ok {
		sources = append(sources, url.Values{"access_token": {token}})
	}
	for _, wanted := range []struct {
		name string
		at   *string
		need bool
	}{
		{"instance_id", &p.instance, true},
		{"access_token", &p.token, true},
		{"policy_slug", &p.slug, false},
	} {
		for _, source := range sources {
			for _, value := range source[wanted.name] {
				switch {
				case len(value) > limiter.MaxKey:
					return p, badRequest(fmt.Sprintf("%s is too long: use at most %d bytes", wanted.name, limiter.MaxKey))
				case value != "" && *wanted.at != "" && value != *wanted.at:
					return p, badRequest(wanted.name + " is given twice, and not the same: give it once")
				case value != "":
					*wanted.at = value
				}
			}
		}
		if wanted.need && *wanted.at == "" {
			return p, badRequest(wanted.name + " is missing")
		}
	}
	return p, nil
}

// bearer is the token of an Authorization header.
func bearer(header string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(header, " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

// readBody reads a JSON object or a form. Which of the two it is says its first
// character, as curl calls everything a form that it is not told otherwise of.
func readBody(w http.ResponseWriter, r *http.Request) (url.Values, *fault) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPolicyBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, &fault{status: http.StatusRequestEntityTooLarge, code: "too_large", message: fmt.Sprintf("use at most %d bytes of body", maxPolicyBody)}
	}
	if err != nil {
		return nil, badRequest("the body could not be read to its end")
	}
	data = bytes.TrimSpace(data)
	if len(data) == 0 || data[0] != '{' {
		form, err := url.ParseQuery(string(data))
		if err != nil {
			return nil, badRequest(`the body is no form and no JSON: write an object such as {"policy_slug":"strict"}`)
		}
		return form, nil
	}
	if !json.Valid(data) {
		return nil, badRequest(`the body is not JSON: write an object such as {"policy_slug":"strict"}`)
	}
	return readObject(data)
}

// readObject reads the parameters of a JSON object, each as often as it is there.
func readObject(data []byte) (url.Values, *fault) {
	found := make(url.Values)
	reader := json.NewDecoder(bytes.NewReader(data))
	_, err := reader.Token() // the brace; nothing fails, as the data is valid
	for err == nil && reader.More() {
		var name json.Token
		var raw json.RawMessage
		if name, err = reader.Token(); err == nil {
			err = reader.Decode(&raw)
		}
		switch name {
		case "instance_id", "access_token", "policy_slug":
			var text string
			if json.Unmarshal(raw, &text) != nil || string(raw) == "null" {
				return nil, badRequest(fmt.Sprintf("%s is not a text: write it in quotes", name))
			}
			found.Add(fmt.Sprint(name), text)
		}
	}
	return found, nil
}
