package headers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/limiter/registry"
	"github.com/wapace/wapace/policy"
)

// The instance and the token of the seed's request.
const instance, token = "Your_Instance_ID", "YOUR_ACCESS_TOKEN"

// knows lets the one instance in, and says that everything else is wrong.
func knows(_ context.Context, given, of string) (headers.Caller, error) {
	switch {
	case of == "447700900009":
		return headers.Caller{}, fmt.Errorf("no database for %s", of)
	case given == token && of == instance:
		return headers.Caller{}, nil
	case given == "bearer" && of == "mapped":
		return headers.Caller{Account: "447700900001", By: "user 12"}, nil
	}
	return headers.Caller{}, fmt.Errorf("%w: %s", headers.ErrUnauthorized, of)
}

// api is a policy API over the presets, and what is behind it.
type api struct {
	handler  http.Handler
	registry *registry.Registry
	limiter  *limiter.Limiter
	clock    *clock.Mock
	log      *bytes.Buffer
}

func newAPI(t testing.TB, store registry.Store) api {
	t.Helper()
	l, err := limiter.New(policy.Standard(), &limiter.Options{Seed: 7})
	require.NoError(t, err)
	a := api{limiter: l, clock: clock.NewMock(), log: new(bytes.Buffer)}
	a.clock.Set(time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC))
	a.registry, err = registry.Open(t.Context(), a.clock.Now(), l, policy.Presets(), store)
	require.NoError(t, err)
	a.handler, err = headers.PolicyAPI(a.registry, knows, &headers.PolicyOptions{Clock: a.clock, Logger: slog.New(slog.NewTextHandler(a.log, nil))})
	require.NoError(t, err)
	return a
}

func (a api) do(method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w
}

// target is the seed's address, with its parameters.
func target(slug string) string {
	q := url.Values{"instance_id": {instance}, "access_token": {token}}
	if slug != "" {
		q.Set("policy_slug", slug)
	}
	return headers.PolicyPath + "?" + q.Encode()
}

func current(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	var a policy.WawpAnswer
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &a))
	require.Equal(t, "success", a.Status)
	return a.CurrentPolicy
}

func TestPolicyAPIAnswersAsWawpDoes(t *testing.T) {
	t.Parallel()
	a := newAPI(t, new(registry.Memory))
	w := a.do(http.MethodGet, target("strict"), "", "Content-Type", "application/json")
	require.Equal(t, "standard_policy", current(t, w), "GET changes nothing")
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	want, err := json.Marshal(policy.Presets().WawpAnswer("standard_policy", false))
	require.NoError(t, err)
	require.Equal(t, string(want)+"\n", w.Body.String())

	require.Equal(t, "strict", current(t, a.do(http.MethodPatch, target("strict"), "")))
	require.Equal(t, "strict", a.limiter.PolicyOf(instance).Slug)
	require.Equal(t, "strict", current(t, a.do(http.MethodGet, target(""), "")))
	require.Equal(t, []registry.Change{{At: a.clock.Now(), By: instance, Policy: "strict"}}, a.registry.Account(instance).Changes)
}

func TestPolicyAPITakesParametersFromAnywhere(t *testing.T) {
	t.Parallel()
	const path = headers.PolicyPath
	tests := []struct {
		name, target, body string
		header             []string
		account            string
	}{
		{"query", target("strict"), "", nil, instance},
		{"JSON", path, `{"instance_id":"Your_Instance_ID","access_token":"YOUR_ACCESS_TOKEN","policy_slug":"strict"}`, []string{"Content-Type", "application/json"}, instance},
		{"JSON that curl calls a form", target(""), " {\"policy_slug\":\"strict\",\"more\":1}\n", []string{"Content-Type", "application/x-www-form-urlencoded"}, instance},
		{"form", target(""), "policy_slug=strict", []string{"Content-Type", "application/x-www-form-urlencoded"}, instance},
		{"twice the same", target("strict"), `{"policy_slug":"strict"}`, nil, instance},
		{"empty and not", target("strict") + "&policy_slug=", "policy_slug=", nil, instance},
		{"bearer", path + "?instance_id=mapped&policy_slug=strict", "", []string{"Authorization", "bearer  bearer"}, "447700900001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, new(registry.Memory))
			require.Equal(t, "strict", current(t, a.do(http.MethodPatch, tt.target, tt.body, tt.header...)))
			require.Equal(t, "strict", a.registry.Account(tt.account).Policy)
		})
	}
}

func TestPolicyAPIRefuses(t *testing.T) {
	t.Parallel()
	const path = headers.PolicyPath
	tests := []struct {
		name, method, target, body string
		status                     int
		code, message              string
	}{
		{"no instance", "GET", path + "?access_token=x", "", 400, "bad_request", "instance_id is missing"},
		{"no token", "GET", path + "?instance_id=x", "", 400, "bad_request", "access_token is missing"},
		{"body of a GET", "GET", path, `{"instance_id":"Your_Instance_ID","access_token":"YOUR_ACCESS_TOKEN"}`, 400, "bad_request", "instance_id is missing"},
		{"wrong token", "GET", path + "?instance_id=447700900001&access_token=x", "", 401, "unauthorized", "Invalid access token or instance ID"},
		{"wrong instance", "PATCH", path + "?instance_id=x&access_token=" + token, "policy_slug=strict", 401, "unauthorized", "Invalid"},
		{"nobody may learn that the slug is wrong", "PATCH", path + "?instance_id=x&access_token=x&policy_slug=none", "", 401, "unauthorized", "Invalid"},
		{"no slug", "PATCH", target(""), "", 400, "bad_request", "policy_slug is missing"},
		{"unknown slug", "PATCH", target("gold"), "", 400, "unknown_policy", `"gold": choose strict, standard_policy or unlimited`},
		{"a number as slug", "PATCH", target("447700900001"), "", 400, "unknown_policy", "4477******01"},
		{"paid policy", "PATCH", target("unlimited"), "", 403, "paid_plan_required", `"unlimited": choose strict or standard_policy, or upgrade`},
		{"two slugs", "PATCH", target("strict"), "policy_slug=unlimited", 400, "bad_request", "policy_slug is given twice"},
		{"two slugs in the query", "PATCH", target("strict") + "&policy_slug=unlimited", "", 400, "bad_request", "given twice"},
		{"two slugs in JSON", "PATCH", target(""), `{"policy_slug":"strict","more":[{}],"policy_slug":"unlimited"}`, 400, "bad_request", "given twice"},
		{"long slug", "PATCH", target(strings.Repeat("s", 257)), "", 400, "bad_request", "at most 256 bytes"},
		{"long instance", "GET", path + "?access_token=x&instance_id=" + strings.Repeat("4", 257), "", 400, "bad_request", "instance_id is too long"},
		{"half JSON", "PATCH", target(""), `{"policy_slug":"str`, 400, "bad_request", "not JSON"},
		{"JSON and more", "PATCH", target(""), `{"policy_slug":"strict"}{}`, 400, "bad_request", "not JSON"},
		{"a list", "PATCH", target(""), `["strict"]`, 400, "bad_request", "policy_slug is missing"},
		{"a slug that is no text", "PATCH", target(""), `{"policy_slug":1}`, 400, "bad_request", "policy_slug is not a text"},
		{"a slug that is null", "PATCH", target(""), `{"policy_slug":null}`, 400, "bad_request", "policy_slug is not a text"},
		{"bad escape", "GET", path + "?instance_id=%zz", "", 400, "bad_request", "percent-encoded"},
		{"bad form", "PATCH", target(""), "policy_slug=%zz", 400, "bad_request", "no form and no JSON"},
		{"large body", "PATCH", target("strict"), strings.Repeat("x", 8<<10+1), 413, "too_large", "8192 bytes"},
		{"POST", "POST", target("strict"), "", 405, "method_not_allowed", "use GET or PATCH"},
		{"DELETE", "DELETE", path, "", 405, "method_not_allowed", "use GET or PATCH"},
		{"OPTIONS", "OPTIONS", path, "", 405, "method_not_allowed", "use GET or PATCH"},
		{"no database", "GET", path + "?instance_id=447700900009&access_token=x", "", 500, "internal_error", "try again later"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, new(registry.Memory))
			w := a.do(tt.method, tt.target, tt.body)
			require.Equal(t, tt.status, w.Code, w.Body)
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			var body map[string]string
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
			require.Equal(t, "error", body["status"])
			require.Equal(t, tt.code, body["code"])
			require.Contains(t, body["message"], tt.message)
			require.Len(t, body, 3)
			require.Empty(t, a.registry.Accounts(), "something was changed")
			for _, secret := range []string{token, "447700900001", "447700900009"} {
				require.NotContains(t, w.Body.String()+a.log.String(), secret)
			}
			require.Equal(t, tt.status == 405, w.Header().Get("Allow") == "GET, HEAD, PATCH")
			require.Equal(t, tt.status == 401, w.Header().Get("WWW-Authenticate") == "Bearer")
			require.Equal(t, tt.status == 500, strings.Contains(a.log.String(), "no database for 4477******09"))
		})
	}
}

// full is a store that keeps nothing.
type full struct{ registry.Memory }

func (*full) Save(context.Context, registry.Account) error {
	return errors.New("disk full, at 447700900001")
}

func TestPolicyAPIThatCannotKeep(t *testing.T) {
	t.Parallel()
	a := newAPI(t, new(full))
	require.Equal(t, http.StatusInternalServerError, a.do(http.MethodPatch, target("strict"), "").Code)
	require.Contains(t, a.log.String(), "disk full, at 4477******01")
	require.Equal(t, "standard_policy", current(t, a.do(http.MethodGet, target(""), "")))
}

func TestPolicyAPIShowsWhatAPaidPlanMay(t *testing.T) {
	t.Parallel()
	a := newAPI(t, new(registry.Memory))
	require.NoError(t, a.registry.SetPaid(t.Context(), a.clock.Now(), instance, true, "billing"))
	w := a.do(http.MethodPatch, target("unlimited"), "")
	require.Equal(t, "unlimited", current(t, w))
	require.Contains(t, w.Body.String(), `"has_active_plan":true`)
	require.NotContains(t, w.Body.String(), `"available":false`)
}

func TestPolicyAPIAnswersHead(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newAPI(t, new(registry.Memory)).handler)
	defer server.Close()
	response, err := server.Client().Head(server.URL + target(""))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}

func TestPolicyAPIOfNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t, new(registry.Memory))
	_, err := headers.PolicyAPI(nil, knows, nil)
	require.ErrorIs(t, err, headers.ErrOption)
	require.ErrorContains(t, err, "registry.Open")
	_, err = headers.PolicyAPI(a.registry, nil, nil)
	require.ErrorIs(t, err, headers.ErrOption)

	handler, err := headers.PolicyAPI(a.registry, knows, nil)
	require.NoError(t, err)
	a.handler = handler
	require.Equal(t, "strict", current(t, a.do(http.MethodPatch, target("strict"), "")), "on the real clock")
}

// FuzzPolicyAPI holds the API to its word for any request: no panic, a JSON answer
// with a status of its documentation, and a change only where it says so.
func FuzzPolicyAPI(f *testing.F) {
	f.Add("GET", "instance_id=Your_Instance_ID&access_token=YOUR_ACCESS_TOKEN", "", "")
	f.Add("PATCH", "instance_id=Your_Instance_ID&access_token=YOUR_ACCESS_TOKEN&policy_slug=strict", "", "")
	f.Add("PATCH", "instance_id=Your_Instance_ID", `{"policy_slug":"unlimited","access_token":"YOUR_ACCESS_TOKEN"}`, "")
	f.Add("PATCH", "instance_id=Your_Instance_ID&instance_id=x", "policy_slug=strict&policy_slug=", "Bearer YOUR_ACCESS_TOKEN")
	f.Add("PATCH", "a=%00&;&&=", "{\"policy_slug\":\"\\ud800\",\"policy_slug\":[]}", "Basic \xff")
	f.Add("", "", "{", "")
	f.Fuzz(func(t *testing.T, method, query, body, authorization string) {
		a := newAPI(t, new(registry.Memory))
		r := &http.Request{
			Method: method, URL: &url.URL{Path: headers.PolicyPath, RawQuery: query}, Header: http.Header{"Authorization": {authorization}},
		}
		if body != "" {
			r.Body = io.NopCloser(strings.NewReader(body))
		}
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		require.Contains(t, []int{200, 400, 401, 403, 405, 413, 500}, w.Code)
		require.True(t, json.Valid(w.Body.Bytes()), w.Body)
		switch {
		case w.Code != http.StatusOK:
			require.Empty(t, a.registry.Accounts())
		case method == http.MethodPatch:
			now := a.registry.Account(instance)
			if now.Policy != "" {
				require.Equal(t, now.Policy, current(t, w))
			}
		default:
			require.Empty(t, a.registry.Accounts())
		}
	})
}
