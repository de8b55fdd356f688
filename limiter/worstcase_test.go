package limiter_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// most is the largest number of sends in any window of the given length.
func most(sends []time.Duration, window time.Duration) (n int) {
	first := 0
	for i, at := range sends {
		for at-sends[first] >= window {
			first++
		}
		n = max(n, i-first+1)
	}
	return n
}

// What an adversary gets through in any one minute of a limit of 100 a minute, who
// sleeps as long as he likes, and then asks until he is refused, every 5 ms.
func TestWorstCaseInAnyMinute(t *testing.T) {
	t.Parallel()
	const (
		l    = 100
		per  = time.Minute
		step = 5 * time.Millisecond
	)
	for _, tt := range []struct {
		name  string
		limit policy.Limit
		want  int
	}{
		{"sliding window", policy.SlidingWindow{Max: l, Window: per}, l},
		{"token bucket, burst l", policy.TokenBucket{Max: l, Per: per, Burst: l}, 2*l - 1},
		{"token bucket, burst l/2", policy.TokenBucket{Max: l, Per: per, Burst: l / 2}, l + l/2 - 1},
		{"token bucket, burst 1", policy.TokenBucket{Max: l, Per: per}, l},
		{"calendar window", policy.CalendarWindow{Max: l, Unit: policy.Minute}, 2 * l},
		{"gap", policy.Gap{Min: per / l, Max: per / l}, l},
		{"gap, every 10th", policy.Gap{Min: 10 * per / l, Max: 10 * per / l, Every: 10}, l},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			worst := 0
			for _, sleep := range []time.Duration{0, per / 2, per - step} {
				lim := newLimiter(t, only(tt.limit))
				var sends []time.Duration
				for at := sleep; at < sleep+per+per/50; at += step {
					for lim.Allow(monday.Add(at), request(1)).Answer == limiter.Allowed {
						sends = append(sends, at)
					}
				}
				worst = max(worst, most(sends, per))
			}
			require.Equal(t, tt.want, worst)
		})
	}
}

// Whenever is asked, no stretch of time of any length holds more than the kind
// promises for it.
func TestNoStretchHoldsMoreThanPromised(t *testing.T) {
	t.Parallel()
	const most = 10
	for _, tt := range []struct {
		limit   policy.Limit
		promise func(stretch time.Duration) int64 // how much within a stretch, its ends included
	}{
		{policy.SlidingWindow{Max: most, Window: time.Second}, func(d time.Duration) int64 {
			return most * (int64(d/time.Second) + 1)
		}},
		{policy.TokenBucket{Max: most, Per: time.Second, Burst: 4}, func(d time.Duration) int64 {
			return 4 + int64(d)*most/int64(time.Second)
		}},
		{policy.CalendarWindow{Max: most, Unit: policy.Minute}, func(d time.Duration) int64 {
			return most * (int64(d/time.Minute) + 2)
		}},
		{policy.Gap{Min: time.Second, Max: 2 * time.Second, Every: 3}, func(d time.Duration) int64 {
			return 3 * (int64(d/time.Second) + 2)
		}},
	} {
		l := newLimiter(t, only(tt.limit))
		dice := rand.New(rand.NewPCG(3, 4))
		type send struct {
			at   time.Duration
			cost int64
		}
		var sends []send
		for at := time.Duration(0); len(sends) < 600; at += time.Duration(dice.Int64N(int64(time.Second) / 4)) {
			cost := int64(1)
			if _, is := tt.limit.(policy.Gap); !is {
				cost += dice.Int64N(3)
			}
			for l.Allow(monday.Add(at), request(cost)).Answer == limiter.Allowed {
				sends = append(sends, send{at, cost})
			}
		}
		for i := range sends {
			sum := int64(0)
			for _, s := range sends[i:] {
				sum += s.cost
				if stretch := s.at - sends[i].at; sum > tt.promise(stretch) {
					t.Fatalf("%+v: %d in %v, promised at most %d", tt.limit, sum, stretch, tt.promise(stretch))
				}
			}
		}
	}
}
