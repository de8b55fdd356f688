package limiter_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// everyKind has a rule of each kind and scope.
func everyKind() policy.Policy {
	send := []policy.Action{policy.SendMessage}
	return policy.Policy{Slug: "every", Rules: []policy.Rule{
		{Name: "bucket", Limit: policy.TokenBucket{Max: 7, Per: 10 * time.Second, Burst: 5}},
		{Name: "window", Actions: send, Limit: policy.SlidingWindow{Max: 20, Window: 45 * time.Second}},
		{Name: "large", Limit: policy.SlidingWindow{Max: 2000, Window: time.Hour}},
		{Name: "day", Limit: policy.CalendarWindow{Max: 300, Unit: policy.Day, Location: time.UTC}},
		{Name: "gap", Actions: send, Limit: policy.Gap{Min: 100 * time.Millisecond, Max: time.Second}},
		{Name: "pause", Actions: send, Limit: policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second, Every: 4}},
		{Name: "flights", Limit: policy.Concurrency{Max: 3}},
		{Name: "people", Limit: policy.UniqueRecipients{Max: 6, Window: time.Minute}},
		{Name: "strangers", Limit: policy.NewContacts{Max: 4, Window: time.Minute}},
		{Name: "pair", Scope: policy.ScopeRecipient, Limit: policy.TokenBucket{Max: 1, Per: 6 * time.Second, Burst: 3}},
		{Name: "pair gap", Scope: policy.ScopeRecipient, Actions: send, Limit: policy.Gap{Min: time.Second, Max: 2 * time.Second, Every: 2}},
		{Name: "hours", Limit: policy.ActiveHours{From: 7 * time.Hour, To: 23 * time.Hour, Location: time.UTC}},
	}}
}

func anyRequest(t *rapid.T) limiter.Request {
	return limiter.Request{
		Account:    alice,
		Action:     rapid.SampledFrom([]policy.Action{policy.SendMessage, policy.SendMessage, policy.CheckNumber}).Draw(t, "action"),
		Recipient:  fmt.Sprint(rapid.IntRange(1, 9).Draw(t, "recipient")),
		NewContact: rapid.Bool().Draw(t, "new"),
		Cost:       rapid.Int64Range(0, 3).Draw(t, "cost"),
	}
}

// What a snapshot restores answers as the original does, whatever comes, and its
// own snapshot is the same to the byte.
func TestRestoreOfASnapshotIsTheIdentity(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLimiter(t, everyKind())
		now := monday
		type held struct{ permit limiter.Permit }
		var permits []held
		act := func(l *limiter.Limiter) {
			for range rapid.IntRange(0, 40).Draw(t, "steps") {
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "pass")))
				if len(permits) > 0 && rapid.Bool().Draw(t, "settle") {
					permits[0].permit.Settle(now, rapid.SampledFrom([]limiter.Outcome{limiter.Sent, limiter.Refused, limiter.Unsent}).Draw(t, "outcome"))
					permits = permits[1:]
					continue
				}
				if p, d := l.Take(now, anyRequest(t)); d.Answer == limiter.Allowed {
					permits = append(permits, held{p})
				}
			}
		}
		act(l)
		if rapid.Bool().Draw(t, "hold") {
			require.NoError(t, l.Hold(now, limiter.Target{Account: alice, Recipient: "3"}, now.Add(20*time.Second), "for a test"))
		}
		if rapid.Bool().Draw(t, "policy") {
			require.NoError(t, l.SetPolicy(now, alice, policy.Standard()))
			require.NoError(t, l.SetPolicy(now, alice, everyKind()))
		}
		b, err := l.Snapshot(now, alice)
		require.NoError(t, err)
		again, err := limiter.New(everyKind(), &limiter.Options{Seed: 99, PermitTTL: -1})
		require.NoError(t, err)
		if b == nil {
			return
		}
		require.NoError(t, again.Restore(now, b))
		b2, err := again.Snapshot(now, alice)
		require.NoError(t, err)
		require.True(t, bytes.Equal(b, b2), "%q\n%q", b, b2)
		// The permits of before cannot be settled in the copy: let them stay.
		for range 40 {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(5*time.Second)).Draw(t, "pass")))
			req := anyRequest(t)
			require.Equal(t, l.Check(now, req).Rule, again.Check(now, req).Rule)
			p1, d1 := l.Take(now, req)
			p2, d2 := again.Take(now, req)
			require.Equal(t, d1.RetryAfter, d2.RetryAfter)
			require.Equal(t, d1.Answer, d2.Answer)
			require.Equal(t, d1.Remaining, d2.Remaining)
			end := now.Add(time.Second / 4)
			p1.Settle(end, limiter.Sent)
			p2.Settle(end, limiter.Sent)
			now = end
		}
	})
}

// A chunked window's totals wrap around; a snapshot of them is one like any other.
func TestSnapshotOfTotalsThatWrappedAround(t *testing.T) {
	t.Parallel()
	p := only(policy.SlidingWindow{Max: math.MaxInt64, Window: time.Minute})
	l := newLimiter(t, p)
	for i := range 5 {
		now := monday.Add(time.Duration(i) * time.Minute)
		req := limiter.Request{Account: alice, Action: policy.SendMessage, Cost: math.MaxInt64 - int64(i)}
		require.Equal(t, limiter.Allowed, l.Allow(now, req).Answer)
		later := newLimiter(t, p)
		require.NoError(t, later.Restore(now, snapshot(t, l, now)))
		require.Equal(t, answers(l, now, request(1)), answers(later, now, request(1)))
		require.Equal(t, snapshot(t, l, now), snapshot(t, later, now))
	}
}
