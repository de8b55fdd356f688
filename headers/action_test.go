package headers_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/policy"
)

func TestAction(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method, path string
		want         policy.Action
	}{
		{"GET", "/", "GET /"},
		{"", "", "GET /"},
		{"HEAD", "/a", "GET /a"},
		{"POST", "/api/v1/sessions", "POST /api/v1/sessions"},
		{"POST", "//api/./v1/x/../sessions/", "POST /api/v1/sessions"},
		{"POST", "/../../a", "POST /a"},
		{"GET", "/api/v1/media/%2e%2e/photo", "GET /api/v1/media/../photo"}, // which a mux takes for a medium
		{"GET", "/api/v1/media/%2e%2e", "GET /api/v1/media/.."},
		{"GET", "/api/%2e/v1%2F%2fsessions%2F", "GET /api/v1/sessions"},
		{"GET", "/a%252e", "GET /a%2e"},
		{"OPTIONS", "*", "OPTIONS /*"},
		{"post", "/a", "post /a"}, // methods tell capitals apart
	} {
		r := &http.Request{Method: tt.method, URL: &url.URL{}}
		r.URL.Path, _ = url.PathUnescape(tt.path)
		if r.URL.Path != tt.path { // as url.Parse does
			r.URL.RawPath = tt.path
		}
		require.Equal(t, tt.want, headers.Action(r), "%s %s", tt.method, tt.path)
	}
	require.Equal(t, policy.Action("GET /"), headers.Action(&http.Request{}))
}

// Whatever the path is spelt like, what http.ServeMux takes for an endpoint is covered
// by the endpoint's rule: dots that are percent-encoded do not lead out of it.
func TestActionGoesWhereTheRequestGoes(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/media/{name...}", ok)
	mux.HandleFunc("/api/v1/sessions", ok)
	segments := rapid.SliceOfN(rapid.SampledFrom([]string{
		"api", "v1", "media", "sessions", "photo", "..", ".", "", "%2e%2e", "%2E.", "%2e", "%2F", "%2f..%2f", "medi%61", "%25", "%2e%2e%2fmedia",
	}), 0, 4)
	prefixes := rapid.SampledFrom([]string{"/", "/api/v1/", "/api/v1/media/"})
	rapid.Check(t, func(t *rapid.T) {
		target := prefixes.Draw(t, "prefix") + strings.Join(segments.Draw(t, "segments"), "/")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.example"+target, nil)
		require.NoError(t, err)
		handler, pattern := mux.Handler(r)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK { // the client is sent to the clean path, and comes again
			return
		}
		a := headers.Action(r)
		switch pattern {
		case "/api/v1/media/{name...}":
			require.True(t, policy.Action("/api/v1/media*").Matches(a), "%s is %q", target, a)
		case "/api/v1/sessions":
			require.Equal(t, policy.Action("GET /api/v1/sessions"), a, target)
		}
	})
}

func FuzzAction(f *testing.F) {
	f.Add("GET", "/a/../b")
	f.Add("", "//")
	f.Add("HEAD", "a\x00*")
	f.Add(" ", "0")
	f.Fuzz(func(t *testing.T, method, path string) {
		if strings.Contains(method, " ") {
			return // no server takes it for a method
		}
		a := headers.Action(&http.Request{Method: method, URL: &url.URL{Path: path}})
		again := headers.Action(&http.Request{Method: method, URL: &url.URL{Path: path + "/"}})
		if a != again {
			t.Fatalf("%q and with a slash at the end: %q and %q", path, a, again)
		}
		if !policy.Action("/*").Matches(a) && policy.Action(method+" /*").Matches(a) {
			t.Fatalf("%q is no path for /*", a)
		}
	})
}
