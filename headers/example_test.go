package headers_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func ExamplePrinter() {
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "minute", Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}},
	}}
	l, err := limiter.New(p, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	printer, err := headers.NewPrinter(headers.Quotas(p), nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	now := time.Date(2026, time.August, 15, 12, 0, 0, 0, time.UTC)
	req := limiter.Request{Account: "447700900001", Action: policy.SendMessage}
	l.Allow(now, req)
	refused := l.Allow(now.Add(90*time.Millisecond), req)

	h := http.Header{}
	printer.Print(h, now, headers.State{Decision: refused})
	for _, field := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
		"RateLimit-Policy", "RateLimit", "Retry-After"} {
		fmt.Printf("%s: %s\n", field, h.Get(field))
	}
	// Output:
	// X-RateLimit-Limit: 1
	// X-RateLimit-Remaining: 0
	// X-RateLimit-Reset: 1786795260
	// RateLimit-Policy: "minute";q=1;w=60
	// RateLimit: "minute";r=0;t=60
	// Retry-After: 60
}

func ExampleParse() {
	answer := &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}}
	answer.Header.Set("X-RateLimit-Limit", "100")
	answer.Header.Set("X-RateLimit-Remaining", "0")
	answer.Header.Set("X-RateLimit-Reset", "1786795260")

	now := time.Date(2026, time.August, 15, 12, 0, 0, 0, time.UTC)
	advice := headers.Parse(answer, nil, now, nil)
	fmt.Println(advice.Limited, advice.Limit, advice.Remaining, advice.Wait)
	// Output: true 100 0 1m0s
}

func ExampleParse_drafts() {
	answer := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}}
	answer.Header.Set("RateLimit-Policy", `"burst";q=100;w=60, "daily";q=1000;w=86400`)
	answer.Header.Set("RateLimit", `"burst";r=50;t=30, "daily";r=0;t=43200`)

	now := time.Date(2026, time.August, 15, 12, 0, 0, 0, time.UTC)
	advice := headers.Parse(answer, nil, now, nil)
	fmt.Println(advice.Name, advice.Remaining, "of", advice.Limit, "wait", advice.Wait)
	// Output: daily 0 of 1000 wait 12h0m0s
}

func ExampleParse_body() {
	answer := &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}}
	answer.Header.Set("X-Business-Use-Case-Usage",
		`{"1":[{"type":"messages","call_count":100,"estimated_time_to_regain_access":5}]}`)
	body := []byte(`{"error":{"message":"(#130429) Rate limit hit","type":"OAuthException","code":130429}}`)

	now := time.Date(2026, time.August, 15, 12, 0, 0, 0, time.UTC)
	advice := headers.Parse(answer, body, now, nil)
	fmt.Println(advice.Limited, advice.Code, advice.Usage.Percent, advice.Wait)
	// Output: true 130429 100 5m0s
}
