package linearizable_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

const (
	inWindow = 3
	window   = 20 * time.Millisecond
	perToken = 5 * time.Millisecond
	burst    = 4
	atOnce   = 2
)

func rules() policy.Policy {
	return policy.Policy{Rules: []policy.Rule{
		{Name: "window", Limit: policy.SlidingWindow{Max: inWindow, Window: window}},
		{Name: "bucket", Limit: policy.TokenBucket{Max: 1, Per: perToken, Burst: burst}},
		{Name: "flights", Limit: policy.Concurrency{Max: atOnce}},
	}}
}

// A call is what a goroutine asked. Its time is its own clock's, so it may come
// after a call that names a later one.
type call struct {
	account string
	verb    string // take, check or settle
	at      time.Duration
	cost    int64
	permit  int // that take makes and settle settles
	outcome limiter.Outcome
}

// An answer is what it saw. Settling answers nothing.
type answer struct {
	answer limiter.Answer
	retry  time.Duration
}

// A state is one account as a single caller knows it.
type state struct {
	last    time.Duration
	charges []charge // in the window, or left of it
	full    time.Duration
	newest  int // the permit that was charged last to the bucket, 0 once given back
	flying  []charge
}

type charge struct {
	permit int
	at     time.Duration
	cost   int64
}

func (s state) step(c call) (answer, state) {
	now := max(c.at, s.last)
	if c.verb == "settle" {
		return answer{}, s.settle(c, now)
	}
	live := slices.Clone(s.charges)
	live = slices.DeleteFunc(live, func(c charge) bool { return now-c.at >= window })
	used, free := int64(0), time.Duration(0)
	for _, c := range live {
		used += c.cost
	}
	for left, i := inWindow-used, 0; left < c.cost; i++ {
		left += live[i].cost
		free = live[i].at + window
	}
	price := time.Duration(c.cost) * perToken
	if full := max(s.full, now) + price; full-now > burst*perToken {
		free = max(free, full-burst*perToken)
	}
	wait := max(0, free-c.at)
	switch {
	case len(s.flying) >= atOnce:
		return answer{limiter.Busy, wait}, s
	case free > now:
		return answer{limiter.Later, wait}, s
	case c.verb == "check":
		return answer{limiter.Allowed, 0}, s
	}
	made := charge{c.permit, now, c.cost}
	return answer{limiter.Allowed, 0}, state{
		last: now, charges: append(live, made), full: max(s.full, now) + price, newest: c.permit,
		flying: append(slices.Clone(s.flying), made),
	}
}

func (s state) settle(c call, now time.Duration) state {
	i := slices.IndexFunc(s.flying, func(f charge) bool { return f.permit == c.permit })
	if i < 0 {
		return s
	}
	cost := s.flying[i].cost
	s.last, s.flying = now, slices.Delete(slices.Clone(s.flying), i, i+1)
	if c.outcome != limiter.Unsent {
		return s
	}
	s.charges = slices.DeleteFunc(slices.Clone(s.charges), func(f charge) bool { return f.permit == c.permit })
	if s.newest == c.permit {
		s.newest, s.full = 0, s.full-time.Duration(cost)*perToken
	}
	return s
}

// model is one caller for each account: accounts share nothing.
func model() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			accounts := map[string][]porcupine.Operation{}
			for _, op := range history {
				account := op.Input.(call).account
				accounts[account] = append(accounts[account], op)
			}
			return [][]porcupine.Operation{accounts["a"], accounts["b"]}
		},
		Init: func() any { return state{} },
		Step: func(before, input, output any) (bool, any) {
			c := input.(call)
			want, after := before.(state).step(c)
			return c.verb == "settle" || want == output.(answer), after
		},
		Equal: func(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) },
	}
}

// record is what goroutines see who use a limiter at once.
func record(t *testing.T, seed uint64, goroutines, calls int) []porcupine.Operation {
	t.Helper()
	l, err := limiter.New(rules(), &limiter.Options{PermitTTL: -1})
	require.NoError(t, err)
	epoch := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	var ticks, permits, order atomic.Int64
	histories := make([][]porcupine.Operation, goroutines)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for g := range goroutines {
		rng := rand.New(rand.NewPCG(seed, uint64(g)))
		wg.Go(func() {
			<-start
			type held struct {
				permit limiter.Permit
				call   call
			}
			var open []held
			for range calls {
				c := call{account: []string{"a", "b"}[rng.IntN(2)], verb: "take", cost: 1 + rng.Int64N(2)}
				var mine held
				switch n := rng.IntN(8); {
				case n == 0:
					c.verb = "check"
				case n < 4 && len(open) > 0:
					mine, open = open[0], open[1:]
					c = mine.call
					c.verb, c.outcome = "settle", limiter.Outcome(1+rng.IntN(3))
				default:
					c.permit = int(permits.Add(1))
				}
				op := porcupine.Operation{ClientId: g, Call: order.Add(1)}
				c.at = time.Duration(ticks.Add(1)) * time.Millisecond
				now := epoch.Add(c.at)
				req := limiter.Request{Account: c.account, Action: policy.SendMessage, Cost: c.cost}
				var d limiter.Decision
				switch c.verb {
				case "take":
					mine.permit, d = l.Take(now, req)
				case "check":
					d = l.Check(now, req)
				case "settle":
					mine.permit.Settle(now, c.outcome)
				}
				op.Return = order.Add(1)
				op.Input, op.Output = c, answer{d.Answer, d.RetryAfter}
				if c.verb == "take" && d.Answer == limiter.Allowed {
					open = append(open, held{mine.permit, c})
				}
				histories[g] = append(histories[g], op)
			}
		})
	}
	close(start)
	wg.Wait()
	return slices.Concat(histories...)
}

// Whatever goroutines see, one caller could have seen.
func TestHistoriesAreLinearizable(t *testing.T) {
	t.Parallel()
	seen := map[limiter.Answer]int{}
	for seed := range uint64(400) {
		history := record(t, seed, 4, 25)
		for _, op := range history {
			seen[op.Output.(answer).answer]++
		}
		got := porcupine.CheckOperationsTimeout(model(), history, 30*time.Second)
		require.Equal(t, porcupine.Ok, got, "seed %d: %+v", seed, history)
	}
	for _, a := range []limiter.Answer{limiter.Allowed, limiter.Later, limiter.Busy} {
		require.Positive(t, seen[a], "nobody was told %v", a)
	}
}

// The check finds an answer that no order of the calls explains.
func TestFalseHistoriesAreFound(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		history := record(t, seed, 1, 40)
		require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(model(), history, 30*time.Second))
		last := -1
		for i, op := range history {
			if op.Input.(call).verb != "settle" {
				last = i
			}
		}
		require.GreaterOrEqual(t, last, 0)
		said := history[last].Output.(answer)
		said.answer = 1 + said.answer%3
		history[last].Output = said
		require.Equal(t, porcupine.Illegal, porcupine.CheckOperationsTimeout(model(), history, 30*time.Second))
	}
}
