package headers_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// An endpoint of an API has a limit of its own, and keys have budgets of theirs.
func ExampleMiddleware() {
	l, err := limiter.New(policy.Policy{Rules: []policy.Rule{
		{Name: "minute", Limit: policy.SlidingWindow{Max: 100, Window: time.Minute}},
		{Name: "bulk", Actions: []policy.Action{"POST /messages/bulk"}, Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}},
	}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	who := func(r *http.Request) (limiter.Request, error) {
		key := r.Header.Get("X-API-Key") // look up whether it is valid
		if key == "" {
			return limiter.Request{}, errors.New("send an X-API-Key")
		}
		return limiter.Request{Account: key, Action: headers.Action(r)}, nil
	}
	limit, err := headers.Middleware(l, who, &headers.Options{Body: headers.PlanBody})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(limit(http.NotFoundHandler()))
	defer server.Close()

	for range 2 {
		r, err := http.NewRequest(http.MethodPost, server.URL+"/messages/bulk", nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		r.Header.Set("X-API-Key", "secret")
		answer, err := server.Client().Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		fmt.Printf("%d, RateLimit: %s, Retry-After: %q\n", answer.StatusCode, answer.Header.Get("RateLimit"), answer.Header.Get("Retry-After"))
		fmt.Printf("%s\n", text)
	}
	server.Client().CloseIdleConnections()
	// Output:
	// 404, RateLimit: "bulk";r=0;t=60, "minute";r=99;t=60, Retry-After: ""
	// 404 page not found
	//
	// 429, RateLimit: "bulk";r=0;t=60, "minute";r=98;t=60, Retry-After: "60"
	// {"success":false,"error":{"code":"rate_limit_exceeded","message":"Rate limit exceeded. Please try again in 60 seconds."}}
}

// A client sends at most one request in 100 ms, waits where the server asks it to,
// and gives up at once where it would have to wait longer than it can.
func ExampleNewTransport() {
	transport, err := headers.NewTransport(nil, &headers.TransportOptions{
		Pace: policy.TokenBucket{Max: 10, Per: time.Second},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	_, err = client.Get(server.URL)
	var long *headers.WaitTooLongError
	if errors.As(err, &long) {
		fmt.Println("try again in", long.Wait)
	}
	// Output: try again in 1m0s
}
