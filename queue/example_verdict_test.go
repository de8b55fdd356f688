package queue_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

var errBusy = errors.New("131056: too many messages to this recipient")

// The sender says what its errors mean: here, that one recipient is to be left alone
// for a minute. Messages to others go on.
func ExampleHold() {
	clock := &queuetest.Clock{}
	calls := 0
	send := queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
		if calls++; calls == 1 {
			return queue.Receipt{}, queue.Hold(errBusy, limiter.Target{Recipient: m.To}, clock.Now().Add(time.Minute))
		}
		fmt.Println(clock.Now().Format(time.TimeOnly), m.Text)
		return queue.Receipt{}, nil
	})
	q, err := queue.New(policy.Unlimited(), send, &queue.Options{Clock: clock, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	for _, m := range []queue.Message{
		{Account: "447700900000", To: "447700900001", Text: "to Ann"},
		{Account: "447700900000", To: "447700900001", Text: "to Ann again"},
		{Account: "447700900000", To: "447700900002", Text: "to Ben"},
	} {
		if _, err := q.Enqueue(ctx, m); err != nil {
			fmt.Println(err)
		}
	}
	for {
		next, err := q.Step(ctx)
		if err != nil || next.IsZero() {
			return
		}
		clock.Set(next)
	}
	// Output:
	// 08:00:00 to Ben
	// 08:01:00 to Ann
	// 08:01:00 to Ann again
}
