package main

import (
	"context"

	"github.com/sethvargo/go-limiter/memorystore"
)

// sethvargo is go-limiter's memory store, which reads the clock. Its sweep is off,
// so that it neither forgets nor leaves a goroutine.
func sethvargo(q quota) builder {
	return func() (contender, error) {
		store, err := memorystore.New(&memorystore.Config{Tokens: uint64(q.max), Interval: q.per, DisablePurge: true})
		if err != nil {
			return contender{}, err
		}
		ctx := context.Background()
		return contender{run: func(n int) (allowed int) {
			for range n {
				if _, _, _, ok, err := store.Take(ctx, oneAccount); ok && err == nil {
					allowed++
				}
			}
			return allowed
		}}, nil
	}
}
