package headers_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

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
		{"OPTIONS", "*", "OPTIONS /*"},
		{"post", "/a", "post /a"}, // methods tell capitals apart
	} {
		r := &http.Request{Method: tt.method, URL: &url.URL{Path: tt.path}}
		require.Equal(t, tt.want, headers.Action(r), "%s %s", tt.method, tt.path)
	}
	require.Equal(t, policy.Action("GET /"), headers.Action(&http.Request{}))
}

func FuzzAction(f *testing.F) {
	f.Add("GET", "/a/../b")
	f.Add("", "//")
	f.Add("HEAD", "a\x00*")
	f.Fuzz(func(t *testing.T, method, path string) {
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
