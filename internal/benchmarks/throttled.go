package main

import (
	"context"
	"time"

	"github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/memstore"
)

// throttledGCRA is throttled's limiter with its memory store, which has no bound
// here and so forgets nobody.
func throttledGCRA(q quota, step time.Duration) builder {
	return func() (contender, error) {
		store, err := memstore.New(0)
		if err != nil {
			return contender{}, err
		}
		store.SetTimeNow(newClock(step).tick)
		l, err := throttled.NewGCRARateLimiterCtx(throttled.WrapStoreWithContext(store),
			throttled.RateQuota{MaxRate: throttled.PerDuration(q.max, q.per), MaxBurst: q.max - 1})
		if err != nil {
			return contender{}, err
		}
		ctx := context.Background()
		return contender{run: func(n int) (allowed int) {
			for range n {
				if limited, _, err := l.RateLimitCtx(ctx, oneAccount, 1); !limited && err == nil {
					allowed++
				}
			}
			return allowed
		}}, nil
	}
}
