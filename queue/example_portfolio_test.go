package queue_test

import (
	"context"
	"fmt"
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// Meta counts recipients for a business portfolio, which all its numbers share. Here it
// has room for two in 24 hours.
func ExampleOptions_portfolio() {
	p := policy.Policy{Rules: []policy.Rule{{
		Name: "recipients a day", Scope: policy.ScopePortfolio,
		Limit: policy.UniqueRecipients{Max: 2, Window: 24 * time.Hour},
	}}}
	owners := map[string]string{"447700900000": "bakery", "447700900099": "bakery"}
	clock := &queuetest.Clock{}
	q, err := queue.New(p, &queuetest.Sender{Clock: clock}, &queue.Options{
		Clock: clock, Typing: &queue.Typing{},
		Portfolio: func(account string) string { return owners[account] },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	var last string
	for i, account := range []string{"447700900000", "447700900099", "447700900099"} {
		last, err = q.Enqueue(ctx, queue.Message{Account: account, To: fmt.Sprint("44770090020", i), Text: "Your bread is ready."})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	if _, err := q.Step(ctx); err != nil {
		fmt.Println(err)
		return
	}
	gates, err := q.Gates(ctx, last)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("sent:", q.Counters().Sent)
	for _, g := range gates {
		fmt.Println("then:", g.Text)
	}
	_, err = q.Enqueue(ctx, queue.Message{Account: "447700900555", To: "447700900201", Text: "Hello."})
	fmt.Println(err)
	// Output:
	// sent: 2
	// then: rule "recipients a day" (0 of 2 left) opens at 2026-01-06 08:00:00 UTC
	// queue: of Options.Portfolio: limiter: portfolio "": rule "recipients a day" counts by it; name it
}
