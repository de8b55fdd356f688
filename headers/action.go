package headers

import (
	"net/http"
	"path"

	"github.com/wapace/wapace/policy"
)

// Action is the action of a request by its method and path, such as
// "POST /api/v1/sessions". The path is cleaned, so that //, /./ and a slash at the
// end make no other action of it, and HEAD is GET. A rule covers it with that
// text; with "POST /api/v1/*", which is all that begins so; or with
// "/api/v1/media/*", which is that whatever the method.
func Action(r *http.Request) policy.Action {
	method := r.Method
	switch method {
	case "", http.MethodHead:
		method = http.MethodGet
	}
	at := "/"
	if r.URL != nil {
		at = path.Clean("/" + r.URL.Path)
	}
	return policy.Action(method + " " + at)
}
