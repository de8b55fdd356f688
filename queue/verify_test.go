package queue_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

const (
	brazil13 = "5511987654321"
	brazil12 = "551187654321"
)

// number is the n-th of many phone numbers.
func number(n int) string { return fmt.Sprint("4477", 10_000_000+n) }

// numbers are the recipients of calls.
func numbers(calls []queuetest.Call) (to []string) {
	for _, c := range calls {
		to = append(to, c.Recipient)
	}
	return to
}

// recipients are those of messages.
func recipients(messages []queue.Message) (to []string) {
	for _, m := range messages {
		to = append(to, m.To)
	}
	return to
}

func step(t *testing.T, h *queuetest.Harness) time.Time {
	t.Helper()
	next, err := h.Queue.Step(t.Context())
	require.NoError(t, err)
	return next
}

// checksOnly is a policy with one limit, on checks.
func checksOnly(l policy.Limit) policy.Policy {
	return policy.Policy{Rules: []policy.Rule{{Name: "checks", Actions: []policy.Action{policy.CheckNumber}, Limit: l}}}
}

func TestVerify_Registered(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, policy.Standard(), nil)
	v.Answer(bob, queuetest.Verification{Took: 2 * time.Second})
	first, second := h.Enqueue(alice, bob, "hi"), h.Enqueue(carol, bob, "hi")
	h.Drain(time.Minute)
	h.Audit()
	require.Len(t, v.Checks(), 1, "another account's answer is as good")
	require.Equal(t, queuetest.Call{
		Account: alice, Action: policy.CheckNumber, Recipient: bob,
		At: queuetest.Epoch(), Done: queuetest.Epoch().Add(2 * time.Second),
	}, v.Checks()[0])
	for _, id := range []string{first, second} {
		r := get(t, h.Queue, id)
		require.Equal(t, queue.Sent, r.Status)
		require.Empty(t, r.AskedTo)
	}
	r := get(t, h.Queue, first)
	require.Equal(t, queuetest.Epoch().Add(2*time.Second+r.Typing), r.At, "verified, then typed, then sent")
}

func TestVerify_NotFound(t *testing.T) {
	t.Parallel()
	l, err := limiter.New(policy.Standard(), nil)
	require.NoError(t, err)
	var d diary
	h, v := queuetest.NewVerifier(t, policy.Standard(), &queue.Options{Limiter: l, OnEvent: d.write})
	v.Answer(bob, queuetest.Verification{Unknown: true, To: carol})
	ids := []string{h.Enqueue(alice, bob, "hi"), h.Enqueue(alice, bob, "hi again")}
	h.Drain(0)
	for _, id := range ids {
		r := get(t, h.Queue, id)
		require.Equal(t, queue.Failed, r.Status)
		require.Equal(t, queue.RecipientNotFound, r.Code)
		require.NotEmpty(t, r.Err)
		require.Zero(t, r.At)
		require.Zero(t, r.Typing)
		require.Equal(t, bob, r.To)
		require.Equal(t, []queue.Status{queue.Queued, queue.Failed}, d.way(id))
	}
	require.Equal(t, queue.Code("RECIPIENT_NOT_FOUND"), queue.RecipientNotFound)
	require.Len(t, v.Checks(), 1)
	require.Empty(t, h.Sender.Sent())
	require.Empty(t, h.Sender.Typed())
	require.Zero(t, h.Queue.Lanes())
	gates := func(account string) []limiter.Gate {
		return l.Gates(h.Clock.Now(), limiter.Request{Account: account, Action: policy.SendMessage})
	}
	require.Equal(t, gates("somebody new"), gates(alice), "nothing is spent of what sends may take")
}

// Nobody knows: the message waits longer each time, and later ones pass it.
func TestVerify_Fails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer queuetest.Verification
		logged string
	}{
		{"error", queuetest.Verification{Err: errors.New("no answer for " + bob)}, "no answer for 4477******01"},
		{"error with an answer", queuetest.Verification{Unknown: true, Err: errors.New("timeout")}, "timeout"},
		{"panic", queuetest.Verification{Panic: "no answer for " + bob}, "it panicked: no answer for 4477******01"},
		{"an address that is none", queuetest.Verification{To: "bob"}, "the verifier's answer"},
		{"a group", queuetest.Verification{To: "120363020000000042@g.us"}, "the verifier's answer is a group"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var book logbook
			h, v := queuetest.NewVerifier(t, policy.Unlimited(), &queue.Options{Typing: quiet, Logger: book.logger()})
			v.Answer(bob, tt.answer)
			first, passes, second := h.Enqueue(alice, bob, "1"), h.Enqueue(alice, carol, "hi"), h.Enqueue(alice, bob, "2")
			var at []time.Time
			for range 9 {
				next := step(t, h)
				h.Clock.Set(next.Add(-1))
				require.Equal(t, next, step(t, h), "not a nanosecond sooner")
				h.Clock.Set(next)
			}
			for _, c := range v.Checks() {
				if c.Recipient == bob {
					at = append(at, c.At)
				}
			}
			require.Equal(t, "[0 5 15 35 75 155 315 615 915]", seconds(queuetest.Epoch(), at))
			require.Equal(t, queuetest.Epoch(), get(t, h.Queue, passes).At)
			require.Equal(t, []string{carol}, recipients(h.Sender.Sent()))
			require.Equal(t, queue.Queued, get(t, h.Queue, first).Status)
			require.Equal(t, queue.Queued, get(t, h.Queue, second).Status)
			require.Contains(t, book.String(), "the recipient could not be verified; the message waits")
			require.Contains(t, book.String(), tt.logged)
			require.NotContains(t, book.String(), bob)

			v.Answer(bob, queuetest.Verification{})
			h.Drain(time.Hour)
			require.Equal(t, first, h.Sender.Sent()[1].ID)
			require.Equal(t, second, h.Sender.Sent()[2].ID)
			require.Equal(t, queuetest.Epoch().Add(1215*time.Second), get(t, h.Queue, first).At)
		})
	}
}

// A verifier that ends its goroutine has not answered, and nothing hangs.
func TestVerify_Goexit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		q := newQueue(t, policy.Unlimited(), verifier{always, func(context.Context, string, string) (queue.Verification, error) {
			if calls++; calls == 1 {
				runtime.Goexit()
			}
			return queue.Verification{Registered: true}, nil
		}}, queue.Options{})
		start := time.Now()
		id := enqueue(t, q, hi(alice))
		stop := run(q)
		time.Sleep(time.Minute)
		require.NoError(t, stop())
		require.Equal(t, 5*time.Second, get(t, q, id).At.Sub(start))
	})
}

// A verifier is a sender that verifies as told.
type verifier struct {
	queue.SenderFunc
	verify func(ctx context.Context, account, to string) (queue.Verification, error)
}

func (s verifier) Verify(ctx context.Context, account, to string) (queue.Verification, error) {
	return s.verify(ctx, account, to)
}

// One person with two numbers has one budget, one answer and one address.
func TestVerify_CanonicalAddress(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{{
		Name: "pair", Actions: []policy.Action{policy.SendMessage}, Scope: policy.ScopeRecipient,
		Limit: policy.SlidingWindow{Max: 1, Window: time.Hour},
	}}}
	var d diary
	h, v := queuetest.NewVerifier(t, p, &queue.Options{OnEvent: d.write})
	v.Answer(brazil13, queuetest.Verification{To: "+" + brazil12 + "@s.whatsapp.net"})
	long, short := h.Enqueue(alice, brazil13, "hi"), h.Enqueue(alice, brazil12, "hi")
	require.Equal(t, brazil13, get(t, h.Queue, long).To)
	h.Drain(2 * time.Hour)
	require.Equal(t, []string{brazil13}, numbers(v.Checks()))
	require.Equal(t, []string{brazil12, brazil12}, recipients(h.Sender.Sent()))
	require.Equal(t, []string{brazil12, brazil12}, recipients(h.Sender.Typed()))
	a, b := get(t, h.Queue, long), get(t, h.Queue, short)
	require.Equal(t, brazil12, a.To)
	require.Equal(t, brazil13, a.AskedTo)
	require.Equal(t, brazil12, b.To)
	require.Empty(t, b.AskedTo)
	require.GreaterOrEqual(t, b.At.Sub(a.At), time.Hour, "they share the budget of a recipient")
	d.check(t)

	h.Enqueue(carol, brazil13, "hi")
	h.Drain(time.Hour)
	require.Equal(t, brazil12, h.Sender.Sent()[2].To, "and the cache knows")
	require.Len(t, v.Checks(), 1)
}

func TestVerify_HiddenUserAsAddress(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, policy.Unlimited(), nil)
	v.Answer(bob, queuetest.Verification{To: "98765@lid"})
	h.Enqueue(alice, bob, "hi")
	h.Drain(time.Minute)
	require.Equal(t, "98765@lid", h.Sender.Sent()[0].To)
}

func TestVerify_WhoIsNotVerified(t *testing.T) {
	t.Parallel()
	t.Run("no phone number", func(t *testing.T) {
		t.Parallel()
		h, v := queuetest.NewVerifier(t, policy.Unlimited(), nil)
		v.AnswerOthers(queuetest.Verification{Unknown: true})
		for _, to := range []string{"120363020000000042@g.us", "98765@lid", "447700900001@hosted"} {
			h.Enqueue(alice, to, "hi")
		}
		h.Drain(time.Minute)
		require.Len(t, h.Sender.Sent(), 3)
		require.Empty(t, v.Checks())
	})
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		h, v := queuetest.NewVerifier(t, policy.Unlimited(), &queue.Options{Verify: &queue.Verify{Off: true}})
		v.AnswerOthers(queuetest.Verification{Unknown: true})
		h.Enqueue(alice, bob, "hi")
		h.Drain(time.Minute)
		require.Len(t, h.Sender.Sent(), 1)
		require.Empty(t, v.Checks())
	})
}

// How long an answer is kept, to the nanosecond.
func TestVerify_Ages(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	tests := []struct {
		name    string
		verify  *queue.Verify
		unknown bool
		age     time.Duration
		checked bool
	}{
		{"yes by default", nil, false, 30*day - 1, false},
		{"yes by default, too old", nil, false, 30 * day, true},
		{"no by default", nil, true, day - 1, false},
		{"no by default, too old", nil, true, day, true},
		{"yes", &queue.Verify{Yes: time.Hour}, false, time.Hour - 1, false},
		{"yes, too old", &queue.Verify{Yes: time.Hour}, false, time.Hour, true},
		{"no", &queue.Verify{No: time.Hour}, true, time.Hour - 1, false},
		{"no, too old", &queue.Verify{No: time.Hour}, true, time.Hour, true},
		{"yes not kept", &queue.Verify{Yes: -1}, false, 0, true},
		{"no not kept", &queue.Verify{No: -1}, true, 0, true},
		{"no kept where yes is not", &queue.Verify{Yes: -1}, true, time.Hour, false},
		{"none kept", &queue.Verify{Most: -1}, false, 0, true},
		{"the clock set back a little", nil, false, -time.Second, false},
		{"the clock set back", nil, false, -time.Second - 1, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, v := queuetest.NewVerifier(t, policy.Unlimited(), &queue.Options{Verify: tt.verify, Typing: quiet})
			v.Answer(bob, queuetest.Verification{Unknown: tt.unknown, Took: time.Minute})
			h.Enqueue(alice, bob, "hi")
			h.Drain(time.Minute)
			require.Len(t, v.Checks(), 1)
			h.Clock.Advance(tt.age)
			id := h.Enqueue(alice, bob, "hi")
			h.Drain(time.Minute)
			require.Equal(t, tt.checked, len(v.Checks()) == 2, "asked again")
			require.Equal(t, tt.unknown, get(t, h.Queue, id).Status == queue.Failed)
		})
	}
}

func TestVerify_Most(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, policy.Unlimited(), &queue.Options{Verify: &queue.Verify{Most: 2}})
	for _, n := range []int{1, 2, 1, 3, 2, 1, 3, 2} {
		h.Enqueue(alice, number(n), "hi")
		h.Drain(time.Minute)
	}
	require.Equal(t, []string{number(1), number(2), number(3), number(1), number(2)}, numbers(v.Checks()),
		"what was asked for longest ago goes first")
}

func TestVerify_MasksInErrors(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, policy.Unlimited(), nil)
	v.Answer(bob, queuetest.Verification{Unknown: true})
	id := h.Enqueue(alice, bob, "hi")
	h.Drain(0)
	require.False(t, strings.Contains(get(t, h.Queue, id).Err, bob))
}

// The numbers of one person wait for one check.
func TestVerify_AliasWaits(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, checksOnly(policy.SlidingWindow{Max: 1, Window: time.Hour}), &queue.Options{Typing: quiet})
	v.Answer(brazil13, queuetest.Verification{To: brazil12})
	h.Enqueue(alice, bob, "hi")
	h.Enqueue(alice, brazil13, "1")
	h.Enqueue(alice, brazil12, "2")
	h.Drain(time.Hour)
	require.Equal(t, []string{bob, brazil13}, numbers(v.Checks()))
	require.Equal(t, []string{bob, brazil12, brazil12}, recipients(h.Sender.Sent()))
}
