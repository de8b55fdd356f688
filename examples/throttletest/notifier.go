package throttletest

import (
	"context"
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// Pace is what the service allows itself: 10 s between messages, and no more than
// 3 in any minute.
func Pace() policy.Policy {
	return policy.Policy{Slug: "shop", Rules: []policy.Rule{
		{Name: "gap", Limit: policy.Gap{Min: 10 * time.Second, Max: 10 * time.Second}},
		{Name: "minute", Limit: policy.SlidingWindow{Max: 3, Window: time.Minute}},
	}}
}

// A Notifier tells customers about their orders. All may use it at once.
type Notifier struct {
	// Queue sends the messages; it should be under [Pace].
	Queue *queue.Queue

	// Account is the number that the messages come from.
	Account string
}

// Shipped tells the customer with the number to that an order is on its way. The
// message goes out when its turn comes. The error is that of [queue.Queue.Enqueue].
func (n *Notifier) Shipped(ctx context.Context, to, order string) error {
	_, err := n.Queue.Enqueue(ctx, queue.Message{
		Account: n.Account,
		To:      to,
		Text:    "Your order " + order + " is on its way.",
	})
	return err
}
