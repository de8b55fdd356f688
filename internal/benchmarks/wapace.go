package main

import (
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// bucket is a policy of one rule, the one that every other limiter has.
func bucket(q quota) policy.Policy {
	return policy.Policy{Rules: []policy.Rule{{
		Name:  "bucket",
		Limit: policy.TokenBucket{Max: int64(q.max), Per: q.per, Burst: int64(q.max)},
	}}}
}

// fiveRules is a policy of five rules that all allow a request every fiveStep. The
// minute holds six charges then, and the counts are well in use.
func fiveRules() policy.Policy {
	return policy.Policy{Rules: []policy.Rule{
		{Name: "minute", Limit: policy.SlidingWindow{Max: 8, Window: time.Minute}},
		{Name: "hour", Limit: policy.CalendarWindow{Max: 400, Unit: policy.Hour, Location: time.UTC}},
		{Name: "day", Limit: policy.CalendarWindow{Max: 10_000, Unit: policy.Day, Location: time.UTC}},
		{Name: "gap", Limit: policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}},
		{Name: "one_at_a_time", Limit: policy.Concurrency{Max: 1}},
	}}
}

const fiveStep = 10 * time.Second

// standardStep is how far apart policy.Standard allows requests all day long: 480
// of 500.
const standardStep = 3 * time.Minute

// wapace asks for one account under p, on a clock that moves by step.
func wapace(p policy.Policy, step time.Duration) builder {
	return func() (contender, error) {
		l, err := newLimiter(p)
		if err != nil {
			return contender{}, err
		}
		c := newClock(step)
		req := limiter.Request{Account: oneAccount, Action: policy.SendMessage}
		return contender{run: func(n int) (allowed int) {
			for range n {
				if l.Allow(c.tick(), req).Answer == limiter.Allowed {
					allowed++
				}
			}
			return allowed
		}}, nil
	}
}

// wapaceNow is wapace asked at the time that the real clock shows.
func wapaceNow(p policy.Policy) builder {
	return func() (contender, error) {
		l, err := newLimiter(p)
		if err != nil {
			return contender{}, err
		}
		clock := limiter.RealClock()
		req := limiter.Request{Account: oneAccount, Action: policy.SendMessage}
		return contender{run: func(n int) (allowed int) {
			for range n {
				if l.Allow(clock.Now(), req).Answer == limiter.Allowed {
					allowed++
				}
			}
			return allowed
		}}, nil
	}
}

// wapaceCrowd asks under policy.Standard for one account of the crowd after
// another.
func wapaceCrowd(people *crowd, workers int) builder {
	return func() (contender, error) {
		l, err := newLimiter(policy.Standard())
		if err != nil {
			return contender{}, err
		}
		return people.visited(workers, func(key string, now time.Time) bool {
			return l.Allow(now, limiter.Request{Account: key, Action: policy.SendMessage}).Answer == limiter.Allowed
		})
	}
}

// oneAccount is the key where there is only one.
const oneAccount = "447700900001"

func newLimiter(p policy.Policy) (*limiter.Limiter, error) {
	return limiter.New(p, &limiter.Options{Seed: 1})
}
