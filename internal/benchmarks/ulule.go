package main

import (
	"context"

	"github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/store/memory"
)

// ulule is ulule/limiter with its memory store, which reads the clock. Its cleaner
// is off, so that it leaves no goroutine.
func ulule(q quota) builder {
	return func() (contender, error) {
		store := memory.NewStoreWithOptions(limiter.StoreOptions{Prefix: limiter.DefaultPrefix})
		l := limiter.New(store, limiter.Rate{Limit: int64(q.max), Period: q.per})
		ctx := context.Background()
		return contender{run: func(n int) (allowed int) {
			for range n {
				if state, err := l.Get(ctx, oneAccount); err == nil && !state.Reached {
					allowed++
				}
			}
			return allowed
		}}, nil
	}
}
