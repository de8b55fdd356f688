package queuetest_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// busiest is the log of one who asks again and again, as soon as may be, for calls
// of two accounts in one portfolio, and settles each within a second.
func busiest(t *testing.T, p policy.Policy, rng *rand.Rand, calls int) []queuetest.Call {
	t.Helper()
	_, people := p.Rules[0].Limit.(policy.UniqueRecipients)
	l, err := limiter.New(p, &limiter.Options{Seed: 3, PermitTTL: -1})
	require.NoError(t, err)
	var log []queuetest.Call
	now := queuetest.Epoch().Add(-30 * time.Minute)
	for range 40 * calls {
		if len(log) == calls {
			break
		}
		req := limiter.Request{
			Account: []string{"447700900001", "447700900002"}[rng.IntN(2)], Action: policy.SendMessage,
			Recipient: string(rune('a' + rng.IntN(6))), Portfolio: "p", NewContact: rng.IntN(3) == 0,
			Cost: rng.Int64N(3),
		}
		permit, d := l.Take(now, req)
		switch d.Answer {
		case limiter.Allowed:
			outcome := []limiter.Outcome{limiter.Sent, limiter.Sent, limiter.Refused, limiter.Unsent}[rng.IntN(4)]
			if people { // a limiter holds back for one who was renewed in vain
				outcome = limiter.Sent
			}
			c := queuetest.Call{
				Account: req.Account, Action: req.Action, Recipient: req.Recipient, Portfolio: req.Portfolio,
				NewContact: req.NewContact, Cost: req.Cost, At: now,
				Unsent: outcome == limiter.Unsent, Refused: outcome == limiter.Refused,
			}
			now = now.Add(time.Duration(rng.Int64N(int64(time.Second))))
			permit.Settle(now, outcome)
			c.Done = now
			log = append(log, c)
		case limiter.Later:
			if rng.IntN(2) == 0 { // or somebody else, first
				now = now.Add(min(d.RetryAfter, 20*time.Second))
			}
		default:
			t.Fatalf("%+v", d)
		}
	}
	require.NotEmpty(t, log)
	return log
}

// What a limiter lets through breaks no rule; one call more than it does, next to one
// that it refused, breaks the rule that refused it.
func TestAudit_AgreesWithALimiter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		limit policy.Limit
	}{
		{"token bucket", policy.TokenBucket{Max: 3, Per: 20 * time.Second, Burst: 4}},
		{"sliding window", policy.SlidingWindow{Max: 5, Window: time.Minute}},
		{"calendar window", policy.CalendarWindow{Max: 5, Unit: policy.Minute}},
		{"gap", policy.Gap{Min: 3 * time.Second, Max: 3 * time.Second, Every: 2}},
		{"concurrency", policy.Concurrency{Max: 1}},
		{"unique recipients", policy.UniqueRecipients{Max: 3, Window: time.Minute}},
		{"new contacts", policy.NewContacts{Max: 2, Window: time.Minute}},
		{"active hours", policy.ActiveHours{From: 7*time.Hour + 40*time.Minute, To: 7*time.Hour + 41*time.Minute}},
	} {
		for _, scope := range []policy.Scope{policy.ScopeAccount, policy.ScopeRecipient, policy.ScopePortfolio} {
			rule := policy.Rule{Name: "only", Scope: scope, Limit: tt.limit}
			p := policy.Policy{Rules: []policy.Rule{rule}}
			if p.Validate() != nil {
				continue // the kind does not have the scope
			}
			t.Run(tt.name+" "+string(scope), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(4, 5))
				log := busiest(t, p, rng, 200)
				require.Empty(t, queuetest.Audit(p, log))
				caught := 0
				for range 100 {
					i := rng.IntN(len(log))
					if mutant, ok := oneMore(p, log[:i+1], rng); ok {
						found := queuetest.Audit(p, mutant)
						require.NotEmpty(t, found, "%+v was let through", mutant[len(mutant)-1])
						require.Equal(t, "only", found[0].Rule)
						require.True(t, found[0].At.Equal(mutant[len(mutant)-1].At))
						caught++
					}
				}
				require.Positive(t, caught)
			})
		}
	}
}

// oneMore is the log up to a call, and another call like it soon after, where the
// limiter, having been told the log again, refuses that one.
func oneMore(p policy.Policy, log []queuetest.Call, rng *rand.Rand) ([]queuetest.Call, bool) {
	l, err := limiter.New(p, &limiter.Options{Seed: 3, PermitTTL: -1})
	if err != nil {
		return nil, false
	}
	more := log[len(log)-1]
	more.Unsent, more.Refused, more.Cost = false, false, max(1, more.Cost)
	more.Recipient = string(rune('a' + rng.IntN(6)))
	if rng.IntN(2) == 0 {
		more.At = more.Done.Add(time.Duration(rng.Int64N(int64(10 * time.Second))))
	}
	more.Done = more.At
	request := func(c queuetest.Call) limiter.Request {
		return limiter.Request{
			Account: c.Account, Action: c.Action, Recipient: c.Recipient, Portfolio: c.Portfolio,
			NewContact: c.NewContact, Cost: c.Cost,
		}
	}
	for _, c := range log {
		permit, d := l.Take(c.At, request(c))
		if d.Answer != limiter.Allowed {
			return nil, false
		}
		if c.Done.After(more.At) {
			continue // it is in flight
		}
		outcome := limiter.Sent
		switch {
		case c.Unsent:
			outcome = limiter.Unsent
		case c.Refused:
			outcome = limiter.Refused
		}
		permit.Settle(c.Done, outcome)
	}
	if last := log[len(log)-1]; last.Done.After(more.At) && (last.Unsent || last.Refused) {
		return nil, false // the limiter holds back for what will have been nothing
	}
	if l.Check(more.At, request(more)).Answer == limiter.Allowed {
		return nil, false
	}
	return append(slices.Clone(log), more), true
}
