package queue_test

import (
	"context"
	"fmt"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

func Example() {
	send := queue.SenderFunc(func(ctx context.Context, m queue.Message) (queue.Receipt, error) {
		fmt.Println("to", m.To+":", m.Text) // your client sends it here
		return queue.Receipt{}, nil
	})
	q, err := queue.New(policy.Standard(), send, nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- q.Run(ctx) }()

	r, err := q.Send(ctx, queue.Message{Account: "447700900000", To: "+44 7700 900001", Text: "Hello"})
	fmt.Println(r.Status, err)

	stop()
	fmt.Println("stopped:", <-stopped)
	// Output:
	// to 447700900001: Hello
	// sent <nil>
	// stopped: <nil>
}
