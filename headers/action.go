package headers

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/wapace/wapace/policy"
)

// Action is the action of a request by its method and path, such as
// "POST /api/v1/sessions". The path is cleaned, so that //, /./, /../ and a slash at
// the end make no other action of it, and HEAD is GET. A rule covers it with that
// text; with "POST /api/v1/*", which is all that begins so; or with
// "/api/v1/media/*", which is that whatever the method. The latter two do not cover
// the folder itself, "/api/v1/media/", whose slash is gone.
//
// Two dots that are percent-encoded stay, as [http.ServeMux] gives the request to
// the folder that they stand in: "/api/v1/media/%2e%2e/x" is one more of
// "/api/v1/media/*".
func Action(r *http.Request) policy.Action {
	method := r.Method
	switch method {
	case "", http.MethodHead:
		method = http.MethodGet
	}
	at := "/"
	if r.URL != nil {
		at = cleanPath(r.URL)
	}
	return policy.Action(method + " " + at)
}

func cleanPath(u *url.URL) string {
	encoded := path.Clean("/" + u.EscapedPath())
	decoded, err := url.PathUnescape(encoded)
	if err != nil || decoded == encoded { // it is never an error: EscapedPath is sound
		return encoded
	}
	if slices.Contains(strings.Split(decoded, "/"), "..") {
		return decoded
	}
	return path.Clean(decoded) // a slash may have been encoded too
}
