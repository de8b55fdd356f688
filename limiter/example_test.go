package limiter_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func ExampleLimiter_Take() {
	l, err := limiter.New(policy.Standard(), &limiter.Options{Seed: 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	req := limiter.Request{Account: "447700900001", Action: policy.SendMessage}

	permit, d := l.Take(now, req)
	fmt.Println(d.Answer)

	_, d = l.Take(now, req) // the first send is still in flight
	fmt.Println(d.Answer, d.Err())

	now = now.Add(200 * time.Millisecond) // it has ended
	permit.Settle(now, limiter.Sent)
	_, d = l.Take(now, req)
	fmt.Println(d.Answer, d.Rule, d.RetryAfter)

	_, d = l.Take(now.Add(d.RetryAfter), req)
	fmt.Println(d.Answer)
	// Output:
	// allowed
	// busy limiter: refused by rule "gap" (limit 1, remaining 0): try again when a request in flight has ended
	// later gap 5.986271187s
	// allowed
}

func ExampleLimiter_Allow() {
	l, err := limiter.New(policy.Policy{Rules: []policy.Rule{
		{Name: "second", Limit: policy.TokenBucket{Max: 10, Per: time.Second, Burst: 10}},
		{Name: "minute", Limit: policy.SlidingWindow{Max: 25, Window: time.Minute}},
	}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	for range 4 {
		d := l.Allow(now, limiter.Request{Account: "447700900001", Action: "POST /api/v1/messages", Cost: 10})
		fmt.Println(d.Answer, d.Rule, d.Remaining, d.RetryAfter)
		now = now.Add(time.Second)
	}
	// Output:
	// allowed second 0 0s
	// allowed second 0 0s
	// later minute 5 58s
	// later minute 5 57s
}

func ExampleLimiter_Gates() {
	l, err := limiter.New(policy.Standard(), &limiter.Options{Seed: 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	req := limiter.Request{Account: "447700900001", Action: policy.SendMessage}
	l.Allow(now, req)
	for _, g := range l.Gates(now, req) {
		fmt.Printf("%-13s %-7v retry %-12v %d of %d left\n", g.Rule, g.Answer, g.RetryAfter, g.Remaining, g.Limit)
	}
	// Output:
	// gap           later   retry 5.986271187s 0 of 1 left
	// one_at_a_time allowed retry 0s           0 of 1 left
	// pause         allowed retry 0s           18 of 20 left
	// day           allowed retry 0s           498 of 500 left
}

func ExampleDecision_Err() {
	l, err := limiter.New(policy.Standard(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	d := l.Allow(now, limiter.Request{Account: "447700900001\x00", Action: policy.SendMessage})
	fmt.Println(d.Err())
	fmt.Println(errors.Is(d.Err(), limiter.ErrRefused))
	// Output:
	// limiter: account "4477******01�": leave NUL bytes out
	// true
}
