package queue_test

import (
	"context"
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// When the last message of a campaign goes. Its pauses are those that will be drawn;
// what is left to chance is how long the sends take.
func ExampleQueue_ETA() {
	clock := &queuetest.Clock{}
	sender := &queuetest.Sender{Clock: clock}
	sender.Otherwise(queuetest.Answer{Took: time.Second})
	q, err := queue.New(policy.Standard(), sender, &queue.Options{Clock: clock, Seed: 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	var last string
	for i := range 600 {
		if last, err = q.Enqueue(ctx, queue.Message{
			Account: "447700900000", To: fmt.Sprintf("4477009%05d", i+1), Text: "We are open on Sunday", Campaign: "sunday",
		}); err != nil {
			fmt.Println(err)
			return
		}
	}
	e, err := q.ETA(ctx, last)
	if err != nil || e.Never() {
		fmt.Println(e, err)
		return
	}
	fmt.Println("it goes at", e.At.Format(time.DateTime))
	fmt.Println("between   ", e.Low.Format(time.DateTime), "and", e.High.Format(time.DateTime))

	for next := clock.Now(); !next.IsZero(); {
		clock.Set(next)
		if next, err = q.Step(ctx); err != nil {
			fmt.Println(err)
			return
		}
	}
	r, err := q.Get(ctx, last)
	fmt.Println("it went at", r.At.Format(time.DateTime), err)
	// Output:
	// it goes at 2026-01-06 00:19:22
	// between    2026-01-06 00:18:00 and 2026-01-06 00:22:16
	// it went at 2026-01-06 00:19:27 <nil>
}

// Why a message waits: what frees last comes first.
func ExampleQueue_Gates() {
	clock := &queuetest.Clock{}
	q, err := queue.New(policy.Standard(), &queuetest.Sender{Clock: clock}, &queue.Options{Clock: clock, Seed: 7, Typing: &queue.Typing{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	var last string
	for range 3 {
		if last, err = q.Enqueue(ctx, queue.Message{Account: "447700900000", To: "447700900001", Text: "hello"}); err != nil {
			fmt.Println(err)
			return
		}
	}
	if _, err := q.Step(ctx); err != nil { // sends the first
		fmt.Println(err)
		return
	}
	until := clock.Now().Add(time.Hour)
	if err := q.Hold(ctx, limiter.Target{Account: "447700900000"}, until, "the owner has asked for a break"); err != nil {
		fmt.Println(err)
		return
	}
	gates, err := q.Gates(ctx, last)
	for _, g := range gates {
		fmt.Println(g.Text)
	}
	fmt.Println(err)
	// Output:
	// 1 message of its account goes first
	// 4477******00: held until 2026-01-05 09:00:00 UTC (the owner has asked for a break)
	// rule "gap" (0 of 1 left) opens at 2026-01-05 08:00:08 UTC
	// <nil>
}
