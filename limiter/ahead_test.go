package limiter_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// drawAnyPolicy has limits of all kinds, in all scopes, some of them shadows.
func drawAnyPolicy(t *rapid.T) policy.Policy {
	p := drawPolicy(t)
	for i := range p.Rules {
		r := &p.Rules[i]
		size := rapid.SampledFrom([]int64{0, 1, 2, 5}).Draw(t, "max")
		window := rapid.SampledFrom([]time.Duration{1, time.Second, time.Hour}).Draw(t, "window")
		switch rapid.IntRange(0, 8).Draw(t, "other kind") {
		case 0:
			r.Limit = policy.UniqueRecipients{Max: size, Window: window}
		case 1:
			r.Limit = policy.NewContacts{Max: size, Window: window}
		case 2:
			r.Limit = policy.ActiveHours{From: 9 * time.Hour, To: 17 * time.Hour}
		case 3:
			r.Limit = policy.SlidingWindow{Max: 1100 + size, Window: window}
		}
		r.Shadow = rapid.IntRange(0, 5).Draw(t, "shadow") == 0
		r.Scope = rapid.SampledFrom([]policy.Scope{"", "", policy.ScopeRecipient, policy.ScopePortfolio}).Draw(t, "scope")
		if (policy.Policy{Rules: []policy.Rule{*r}}).Validate() != nil {
			r.Scope = ""
		}
	}
	require.NoError(t, p.Validate())
	return p
}

func drawAnyRequest(t *rapid.T) limiter.Request {
	req := drawRequest(t)
	req.Account = fmt.Sprint("a", rapid.IntRange(0, 40).Draw(t, "any account")/10)
	req.Recipient = rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "recipient")
	req.Portfolio = rapid.SampledFrom([]string{"p", "q"}).Draw(t, "portfolio")
	req.NewContact = rapid.Bool().Draw(t, "new contact")
	req.Cost = rapid.SampledFrom([]int64{1, 1, 2, 600}).Draw(t, "any cost")
	return req
}

// A limiter that is asked about the future, over and over, decides as one that is
// not: questions settle no permit, forget nobody and move no clock.
func TestLookingAheadChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawAnyPolicy(t)
		ttl := rapid.SampledFrom([]time.Duration{-1, time.Second, 5 * time.Minute}).Draw(t, "ttl")
		asked, plain := withTTL(t, p, ttl), withTTL(t, p, ttl)
		now := drawStart(t)
		type pair struct{ asked, plain limiter.Permit }
		var open []pair
		var retry time.Duration
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(drawPass(t, retry))
			for range rapid.IntRange(0, 3).Draw(t, "questions") {
				ahead := now.Add(drawPass(t, retry))
				asked.Check(ahead, drawAnyRequest(t))
				asked.Gates(ahead, drawAnyRequest(t))
			}
			if len(open) > 0 && rapid.IntRange(0, 2).Draw(t, "settle") == 0 {
				i, o := rapid.IntRange(0, len(open)-1).Draw(t, "permit"), drawOutcome(t)
				open[i].asked.Settle(now, o)
				open[i].plain.Settle(now, o)
				open = append(open[:i:i], open[i+1:]...)
				continue
			}
			req := drawAnyRequest(t)
			foretold := asked.Check(now, req)
			a, d := asked.Take(now, req)
			b, e := plain.Take(now, req)
			require.Equal(t, e, d)
			require.Equal(t, foretold, d)
			retry = d.RetryAfter
			open = append(open, pair{a, b})
		}
	})
}
