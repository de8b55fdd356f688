package headers_test

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/limiter/registry"
	"github.com/wapace/wapace/policy"
)

func ExamplePolicyAPI() {
	l, err := limiter.New(policy.Standard(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	r, err := registry.Open(context.Background(), now, l, policy.Presets(), new(registry.Memory))
	if err != nil {
		fmt.Println(err)
		return
	}
	auth := func(_ context.Context, token, instance string) (headers.Caller, error) {
		if instance != "instance-1" || subtle.ConstantTimeCompare([]byte(token), []byte("secret")) == 0 {
			return headers.Caller{}, headers.ErrUnauthorized
		}
		return headers.Caller{Account: "447700900001", By: "user 12"}, nil
	}
	api, err := headers.PolicyAPI(r, auth, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle(headers.PolicyPath, api)

	for _, slug := range []string{"strict", "unlimited", "gold"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodPatch, headers.PolicyPath+"?instance_id=instance-1&access_token=secret&policy_slug="+slug, nil))
		fmt.Println(slug, w.Code)
	}
	fmt.Println(l.PolicyOf("447700900001").Name)
	// Output:
	// strict 200
	// unlimited 403
	// gold 400
	// Strict
}
