package main

import (
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// fullWindows are accounts whose exact window of fullWindow is full. Their keys
// are charges.
func fullWindows(people *crowd) builder {
	return func() (contender, error) {
		l, err := newLimiter(policy.Policy{Rules: []policy.Rule{{
			Name: "window", Limit: policy.SlidingWindow{Max: fullWindow, Window: time.Hour},
		}}})
		if err != nil {
			return contender{}, err
		}
		accounts := people.keys[:max(1, len(people.keys)/fullWindow)]
		c := newClock(time.Second)
		for range fullWindow {
			now := c.tick()
			for _, key := range accounts {
				if err := l.Allow(now, limiter.Request{Account: key, Action: policy.SendMessage}).Err(); err != nil {
					return contender{}, fmt.Errorf("benchmarks: filling a window: %w", err)
				}
			}
		}
		return contender{keys: fullWindow * len(accounts), holds: l}, nil
	}
}

const fullWindow = 1000
