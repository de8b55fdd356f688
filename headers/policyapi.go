package headers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/limiter/registry"
	"github.com/wapace/wapace/policy"
)

// PolicyPath is where Wawp has its [PolicyAPI].
const PolicyPath = "/v2/session/rate-limit"

// A Caller is who asks a [PolicyAPI].
type Caller struct {
	// Account is the account whose policy is shown and changed. Empty means the
	// instance that was asked for.
	Account string

	// By is who is said to have made a change, at most 256 bytes. Empty means the
	// account.
	By string
}

// An Authenticator says who has the access token and may change the instance. The
// error wraps [ErrUnauthorized] where the token or the instance is not known or the
// two do not belong together; any other error means that it cannot tell just now. It
// is called by many at once, with texts as the client sent them, of 1 to
// [limiter.MaxKey] bytes. Compare tokens with crypto/subtle.
type Authenticator func(ctx context.Context, token, instance string) (Caller, error)

// ErrUnauthorized is what an [Authenticator] turns a client away with.
var ErrUnauthorized = errors.New("headers: invalid access token or instance ID")

// PolicyOptions tunes a [PolicyAPI]. A nil *PolicyOptions means all defaults.
type PolicyOptions struct {
	// Clock tells when a change was made. Default the real clock.
	Clock limiter.Clock

	// Logger is told what went wrong on the server's side, numbers masked. Nil
	// means nobody is.
	Logger *slog.Logger
}

// PolicyAPI shows and changes the policy of a sending instance over HTTP, in the
// words of Wawp's GET and PATCH /v2/session/rate-limit
// (https://api.wawp.net/v2/session/rate-limit). It answers on any path.
//
// The parameters are instance_id and access_token, and for PATCH policy_slug. Each
// is taken from the query, and for PATCH also from the body, which is a JSON object
// or a form; the token also from an Authorization header, as a bearer's. The answer
// is a [policy.WawpAnswer]: after a PATCH that of the new policy, which is then in
// force and kept.
//
// An error is a JSON object with status "error", a code for programs and a message
// for people: 400 for a parameter that is missing or a policy that does not exist,
// 401 for a token or instance that is not known, 403 for a policy that needs a paid
// plan, 405 for another method, 413 for a body over 8 KiB, 500 where the change could
// not be kept. Answers are not to be cached. HEAD is answered as GET is.
func PolicyAPI(r *registry.Registry, auth Authenticator, o *PolicyOptions) (http.Handler, error) {
	switch {
	case r == nil:
		return nil, optionError("registry", nil, "open one with registry.Open")
	case auth == nil:
		return nil, optionError("auth", nil, "give the function that knows the access tokens")
	}
	api := &policyAPI{registry: r, auth: auth}
	if o != nil {
		api.options = *o
	}
	if api.options.Clock == nil {
		api.options.Clock = limiter.RealClock()
	}
	return api, nil
}

type policyAPI struct {
	registry *registry.Registry
	auth     Authenticator
	options  PolicyOptions
}

// ServeHTTP answers one request.
func (api *policyAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, fault := api.answer(w, r)
	if fault != nil {
		api.refuse(w, r, fault)
		return
	}
	write(w, http.StatusOK, answer)
}

// A fault is why a request is not answered as it asks.
type fault struct {
	status  int
	code    string
	message string
	hidden  error // what the client is not told
}

func badRequest(message string) *fault {
	return &fault{status: http.StatusBadRequest, code: "bad_request", message: message}
}

func (api *policyAPI) answer(w http.ResponseWriter, r *http.Request) (a policy.WawpAnswer, f *fault) {
	change := r.Method == http.MethodPatch
	if !change && r.Method != http.MethodGet && r.Method != http.MethodHead {
		return a, &fault{status: http.StatusMethodNotAllowed, code: "method_not_allowed", message: "use GET or PATCH"}
	}
	given, f := readPolicyRequest(w, r)
	if f != nil {
		return a, f
	}
	caller, err := api.auth(r.Context(), given.token, given.instance)
	switch {
	case errors.Is(err, ErrUnauthorized):
		return a, &fault{status: http.StatusUnauthorized, code: "unauthorized", message: "Invalid access token or instance ID."}
	case err != nil:
		return a, failed(err)
	}
	account := cmp.Or(caller.Account, given.instance)
	if change {
		if given.slug == "" {
			return a, badRequest("policy_slug is missing: name the policy to apply")
		}
		err := api.registry.Choose(r.Context(), api.options.Clock.Now(), account, given.slug, cmp.Or(caller.By, account))
		switch {
		case errors.Is(err, policy.ErrUnknownPolicy):
			return a, &fault{status: http.StatusBadRequest, code: "unknown_policy", message: err.Error()}
		case errors.Is(err, policy.ErrPaidPlan):
			return a, &fault{status: http.StatusForbidden, code: "paid_plan_required", message: err.Error()}
		case errors.Is(err, registry.ErrChange):
			return a, badRequest(err.Error())
		case err != nil:
			return a, failed(err)
		}
	}
	now := api.registry.Account(account)
	current := cmp.Or(now.Policy, api.registry.Default().Slug)
	return api.registry.Catalog().WawpAnswer(current, now.Paid), nil
}

func failed(err error) *fault {
	return &fault{status: http.StatusInternalServerError, code: "internal_error", message: "The request could not be carried out; try again later.", hidden: err}
}

func (api *policyAPI) refuse(w http.ResponseWriter, r *http.Request, f *fault) {
	switch f.status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", "GET, HEAD, PATCH")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if f.hidden != nil && api.options.Logger != nil {
		api.options.Logger.ErrorContext(r.Context(), "policy API failed", "method", r.Method, "error", mask.Text(f.hidden.Error()))
	}
	write(w, f.status, struct {
		Status  string `json:"status"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}{"error", f.code, mask.Text(f.message)})
}

// write sends a JSON body that has to be possible. That the client is gone is no
// error of the server.
func write(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"status":"error","code":"internal_error","message":"The answer cannot be written."}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
