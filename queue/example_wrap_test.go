package queue_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

func ExampleWrap() {
	l, err := limiter.New(policy.Strict(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	send := queue.Wrap(queue.SenderFunc(func(ctx context.Context, m queue.Message) (queue.Receipt, error) {
		fmt.Println("to", m.To+":", m.Text) // your client sends it here
		return queue.Receipt{}, nil
	}), l, nil)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, text := range []string{"Hello", "Hello again"} {
		_, err := send.Send(ctx, queue.Message{Account: "447700900000", To: "+44 7700 900001", Text: text})
		if errors.Is(err, limiter.ErrDeadline) {
			fmt.Println(text, "is too soon")
			continue
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// to 447700900001: Hello
	// Hello again is too soon
}
