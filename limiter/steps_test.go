package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

var monday = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)

const (
	alice = "447700900001"
	bob   = "447700900002"
)

// story is one table: a policy, and what it answers step by step.
type story struct {
	name   string
	limit  policy.Limit  // the only rule, named "only"
	rules  []policy.Rule // instead of limit
	start  time.Time     // monday where zero
	before int           // Allows at the start that must all be allowed
	steps  []step
}

// step is one call at the story's start + after, and the gate that it must give.
type step struct {
	after time.Duration
	call  call
	want  limiter.Gate
}

// call is one call of the limiter. A take's permit is kept under its name, and a
// call with an outcome settles it.
type call struct {
	verb      string
	cost      int64
	account   string
	action    policy.Action
	recipient string
	portfolio string
	contact   bool
	keep      int64
	permit    string
	outcome   limiter.Outcome
}

func allow(cost int64) call { return call{verb: "allow", cost: cost} }
func check(cost int64) call { return call{verb: "check", cost: cost} }

func take(permit string, cost int64) call {
	return call{verb: "take", cost: cost, permit: permit}
}

func settle(permit string, o limiter.Outcome) call {
	return call{verb: "settle", permit: permit, outcome: o}
}

func (c call) doing(a policy.Action) call { c.action = a; return c }
func (c call) of(account string) call     { c.account = account; return c }
func (c call) to(recipient string) call   { c.recipient = recipient; return c }
func (c call) in(portfolio string) call   { c.portfolio = portfolio; return c }
func (c call) first() call                { c.contact = true; return c }
func (c call) keeping(keep int64) call    { c.keep = keep; return c }

func (c call) request() limiter.Request {
	req := request(c.cost)
	if c.account != "" {
		req.Account = c.account
	}
	if c.action != "" {
		req.Action = c.action
	}
	req.Recipient, req.Portfolio, req.NewContact, req.Keep = c.recipient, c.portfolio, c.contact, c.keep
	return req
}

// The gates that a step can want. limit is filled in by those that name it.
func yes(limit, left int64, reset time.Duration) limiter.Gate {
	return limiter.Gate{Rule: "only", Answer: limiter.Allowed, Limit: limit, Remaining: left, Reset: reset}
}

func wait(retry time.Duration, limit, left int64, reset time.Duration) limiter.Gate {
	return limiter.Gate{Rule: "only", Answer: limiter.Later, RetryAfter: retry, Limit: limit, Remaining: left, Reset: reset}
}

func busy(limit int64) limiter.Gate {
	return limiter.Gate{Rule: "only", Answer: limiter.Busy, Limit: limit}
}

func no(limit, left int64) limiter.Gate {
	return limiter.Gate{Rule: "only", Answer: limiter.Never, Limit: limit, Remaining: left}
}

func by(rule string, g limiter.Gate) limiter.Gate { g.Rule = rule; return g }

func retry(after time.Duration, g limiter.Gate) limiter.Gate { g.RetryAfter = after; return g }

// free is what a request gets that no rule covers.
var free = limiter.Gate{Answer: limiter.Allowed, Limit: 1<<63 - 1, Remaining: 1<<63 - 1}

func tell(t *testing.T, stories []story) {
	t.Helper()
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.tell(t)
		})
	}
}

func (s story) tell(t *testing.T) {
	p := policy.Policy{Rules: s.rules}
	if s.limit != nil {
		p = only(s.limit)
	}
	start := s.start
	if start.IsZero() {
		start = monday
	}
	l := newLimiter(t, p)
	for range s.before {
		require.Equal(t, limiter.Allowed, l.Allow(start, request(1)).Answer)
	}
	permits := map[string]limiter.Permit{}
	for i, step := range s.steps {
		now := start.Add(step.after)
		if step.call.verb == "settle" {
			permits[step.call.permit].Settle(now, step.call.outcome)
			continue
		}
		req := step.call.request()
		foretold := l.Check(now, req)
		got := foretold
		switch step.call.verb {
		case "allow":
			got = l.Allow(now, req)
		case "take":
			permits[step.call.permit], got = l.Take(now, req)
		}
		require.Equal(t, foretold, got, "step %d: %s is not what Check foretold", i, step.call.verb)
		step.want.Narrow = got.Narrow // it is tested apart
		require.Equal(t, step.want, got.Gate, "step %d, after %v: %+v", i, step.after, step.call)
		if got.Answer == limiter.Later {
			require.Positive(t, got.RetryAfter, "step %d", i)
			require.Equal(t, limiter.Allowed, l.Check(now.Add(got.RetryAfter), req).Answer, "step %d: refused after RetryAfter", i)
			require.NotEqual(t, limiter.Allowed, l.Check(now.Add(got.RetryAfter-1), req).Answer, "step %d: allowed before RetryAfter", i)
		}
	}
}

func only(limit policy.Limit) policy.Policy {
	return policy.Policy{Rules: []policy.Rule{{Name: "only", Limit: limit}}}
}

func newLimiter(t require.TestingT, p policy.Policy) *limiter.Limiter {
	l, err := limiter.New(p, &limiter.Options{Seed: 7, PermitTTL: -1})
	require.NoError(t, err)
	return l
}

func request(cost int64) limiter.Request {
	return limiter.Request{Account: alice, Action: policy.SendMessage, Cost: cost}
}
