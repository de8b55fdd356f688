package queue_test

import (
	"context"
	"fmt"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// gateway is a client of a wire that knows who is on WhatsApp.
type gateway map[string]string

func (g gateway) Send(_ context.Context, m queue.Message) (queue.Receipt, error) {
	fmt.Println("to", m.To)
	return queue.Receipt{}, nil
}

func (g gateway) Verify(_ context.Context, _, to string) (queue.Verification, error) {
	canonical, ok := g[to]
	return queue.Verification{Registered: ok, To: canonical}, nil
}

// A sender that can verify is asked before a number is written to for the first
// time. Numbers of Brazil may be known without their ninth digit.
func ExampleVerifier() {
	g := gateway{"5511987654321": "551187654321"}
	q, err := queue.New(policy.Unlimited(), g, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	var ids []string
	for _, to := range []string{"+55 11 98765-4321", "+44 7700 900001"} {
		id, err := q.Enqueue(ctx, queue.Message{Account: "447700900000", To: to, Text: "Hello."})
		if err != nil {
			fmt.Println(err)
			return
		}
		ids = append(ids, id)
	}
	if _, err := q.Step(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range ids {
		r, err := q.Get(ctx, id)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s %s %q\n", r.To, r.Status, r.Code)
	}
	// Output:
	// to 551187654321
	// 551187654321 sent ""
	// 447700900001 failed "RECIPIENT_NOT_FOUND"
}
