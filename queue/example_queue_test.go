package queue_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A clock of one's own and Step: ten minutes of sending without waiting for them.
func ExampleQueue_Step() {
	clock := &queuetest.Clock{}
	sender := queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
		fmt.Println(clock.Now().Format(time.TimeOnly), m.To, m.Text)
		return queue.Receipt{}, nil
	})
	q, err := queue.New(policy.Strict(), sender, &queue.Options{Clock: clock})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"one", "two", "three"} {
		if _, err := q.Enqueue(context.Background(), queue.Message{Account: "447700900000", To: "+44 7700 900001", Text: text}); err != nil {
			fmt.Println(err)
			return
		}
	}
	for {
		next, err := q.Step(context.Background())
		if err != nil || next.IsZero() {
			break
		}
		clock.Set(next)
	}
	// Output:
	// 08:00:00 447700900001 one
	// 08:01:00 447700900001 two
	// 08:02:00 447700900001 three
}

// Run drives the queue, and Send waits until a message is done with.
func ExampleQueue_Send() {
	sender := queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
		if m.To == "447700900002" {
			return queue.Receipt{}, errors.New("not on WhatsApp")
		}
		return queue.Receipt{ID: "3EB0"}, nil
	})
	q, err := queue.New(policy.Unlimited(), sender, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- q.Run(ctx) }()

	for _, to := range []string{"447700900001", "447700900002", "nobody"} {
		r, err := q.Send(ctx, queue.Message{Account: "447700900000", To: to, Text: "hello"})
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s %s %q %q\n", r.To, r.Status, r.Receipt.ID, r.Err)
	}
	stop()
	fmt.Println(<-ran)
	// Output:
	// 447700900001 sent "3EB0" ""
	// 447700900002 failed "" "not on WhatsApp"
	// queue: to "nobody": has the letter 'n'; write a phone number as digits, with its country code
	// <nil>
}

// OnEvent follows a message on its way.
func ExampleOptions_onEvent() {
	clock := &queuetest.Clock{}
	q, err := queue.New(policy.Unlimited(), &queuetest.Sender{Clock: clock}, &queue.Options{
		Clock:  clock,
		Typing: &queue.Typing{Start: 2 * time.Second, Max: 7 * time.Second},
		OnEvent: func(e queue.Event) {
			fmt.Printf("%s %q -> %q\n", e.At.Format(time.TimeOnly), e.From, e.Record.Status)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := q.Enqueue(context.Background(), queue.Message{Account: "447700900000", To: "447700900001", Text: "hello"}); err != nil {
		fmt.Println(err)
		return
	}
	for next := clock.Now(); !next.IsZero(); {
		clock.Set(next)
		if next, err = q.Step(context.Background()); err != nil {
			fmt.Println(err)
			return
		}
	}
	// Output:
	// 08:00:00 "" -> "queued"
	// 08:00:02 "queued" -> "sending"
	// 08:00:02 "sending" -> "sent"
}
