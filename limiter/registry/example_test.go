package registry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/limiter/registry"
	"github.com/wapace/wapace/policy"
)

func ExampleRegistry_Choose() {
	ctx := context.Background()
	now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	l, err := limiter.New(policy.Standard(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	store := new(registry.Memory) // registry.OpenFile("accounts.json") outlives the process
	r, err := registry.Open(ctx, now, l, policy.Presets(), store)
	if err != nil {
		fmt.Println(err)
		return
	}

	err = r.Choose(ctx, now, "447700900001", "unlimited", "user 12")
	fmt.Println(errors.Is(err, policy.ErrPaidPlan))
	fmt.Println(r.Choose(ctx, now, "447700900001", "strict", "user 12"))

	for _, c := range r.Account("447700900001").Changes {
		fmt.Println(c.At.Format(time.RFC3339), c.By, c.Policy)
	}
	fmt.Println(l.PolicyOf("447700900001").Name)
	// Output:
	// true
	// <nil>
	// 2026-01-05T08:00:00Z user 12 strict
	// Strict
}
