package limiter_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func ExampleWait() {
	l, err := limiter.New(policy.Policy{Rules: []policy.Rule{
		{Name: "pace", Limit: policy.TokenBucket{Max: 1, Per: time.Minute}},
	}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for range 2 {
		permit, err := limiter.Wait(ctx, nil, l, limiter.Request{Account: "447700900001", Action: policy.SendMessage})
		var soon *limiter.DeadlineError
		switch {
		case errors.As(err, &soon):
			fmt.Printf("%s needs %v, too long to wait\n", soon.Rule, soon.RetryAfter.Round(time.Second))
			continue
		case err != nil:
			fmt.Println(err)
			continue
		}
		fmt.Println("sent") // your code sends it here
		permit.Settle(time.Now(), limiter.Sent)
	}
	// Output:
	// sent
	// pace needs 1m0s, too long to wait
}
