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

// Where nothing is kept, an answer is still good for the messages that wait for it.
func TestVerify_AnswersAllThatWait(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, checksOnly(policy.SlidingWindow{Max: 1, Window: time.Hour}),
		&queue.Options{Typing: quiet, Verify: &queue.Verify{Most: -1}})
	h.Enqueue(alice, carol, "hi")
	for range 3 {
		h.Enqueue(alice, bob, "hi")
	}
	h.Drain(time.Hour)
	require.Len(t, v.Checks(), 2)
	require.Len(t, h.Sender.Sent(), 4)
}

// 21 checks within a minute: the 21st waits for as long as the limiter says, and
// whoever is known passes it.
func TestVerify_Budget(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{{
		Name: "checks", Actions: []policy.Action{policy.CheckNumber}, Limit: policy.SlidingWindow{Max: 20, Window: time.Minute},
	}, {
		Name: "pace", Actions: []policy.Action{policy.SendMessage}, Limit: policy.Gap{Min: time.Second, Max: time.Second},
	}}}
	for _, r := range policy.Standard().Rules {
		if r.Covers(policy.CheckNumber) && r.Name == "check_minute" {
			require.Equal(t, p.Rules[0].Limit, r.Limit, "Standard's own rule")
		}
	}
	h, v := queuetest.NewVerifier(t, p, &queue.Options{Typing: quiet})
	for n := range 20 {
		h.Enqueue(alice, number(n), "hi")
	}
	waits := h.Enqueue(alice, number(20), "first")
	follows := h.Enqueue(alice, number(20), "second")
	later := h.Enqueue(alice, number(21), "hi")
	group := h.Enqueue(alice, "120363020000000042@g.us", "hi")
	known := h.Enqueue(alice, number(3), "hi")
	h.Drain(time.Hour)
	h.Audit()

	at := func(id string) time.Duration { return get(t, h.Queue, id).At.Sub(queuetest.Epoch()) }
	require.Equal(t, 20*time.Second, at(group))
	require.Equal(t, 21*time.Second, at(known))
	require.Equal(t, 60*time.Second, at(waits))
	require.Equal(t, 61*time.Second, at(follows))
	require.Equal(t, 62*time.Second, at(later))
	require.Len(t, v.Checks(), 22)
	require.Equal(t, queuetest.Epoch().Add(time.Minute), v.Checks()[20].At)
	require.Equal(t, queuetest.Epoch().Add(62*time.Second), v.Checks()[21].At,
		"a check waits until its message could go")
}

// Standard, a day: as many checks as sends, and both budgets are kept.
func TestVerify_Standard(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, policy.Standard(), nil)
	for n := range 600 {
		h.Enqueue(alice, number(n), "hi")
	}
	h.Drain(48 * time.Hour)
	h.Audit()
	require.Len(t, h.Sender.Sent(), 600)
	require.Len(t, v.Checks(), 600)
	for i, m := range h.Sender.Sent() {
		require.Equal(t, number(i), m.To)
	}
}

// A check that surely asked nobody gives its budget back, one that failed does not.
func TestVerify_Unsent(t *testing.T) {
	t.Parallel()
	for _, err := range []error{fmt.Errorf("not connected: %w", queue.ErrUnsent), errors.New("no answer")} {
		h, v := queuetest.NewVerifier(t, checksOnly(policy.SlidingWindow{Max: 1, Window: time.Hour}), &queue.Options{Typing: quiet})
		v.Answer(bob, queuetest.Verification{Err: err})
		id := h.Enqueue(alice, bob, "hi")
		h.Clock.Set(step(t, h))
		v.Answer(bob, queuetest.Verification{})
		want := time.Hour
		if errors.Is(err, queue.ErrUnsent) {
			want = 5 * time.Second
		}
		h.Drain(time.Hour)
		require.Equal(t, queuetest.Epoch().Add(want), get(t, h.Queue, id).At)
	}
}

func TestVerify_NeverAllowed(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, checksOnly(policy.SlidingWindow{Max: 0, Window: time.Hour}), nil)
	ids := []string{h.Enqueue(alice, bob, "hi"), h.Enqueue(alice, bob, "hi")}
	group := h.Enqueue(alice, "120363020000000042@g.us", "hi")
	h.Drain(time.Minute)
	for _, id := range ids {
		r := get(t, h.Queue, id)
		require.Equal(t, queue.Failed, r.Status)
		require.Equal(t, queue.NeverAllowed, r.Code)
		require.Contains(t, r.Err, "checks")
	}
	require.Equal(t, queue.Sent, get(t, h.Queue, group).Status)
	require.Empty(t, v.Checks())

	h, v = queuetest.NewVerifier(t, rules(policy.SlidingWindow{Max: 0, Window: time.Hour}), nil)
	id := h.Enqueue(alice, bob, "hi")
	h.Drain(0)
	require.Equal(t, queue.NeverAllowed, get(t, h.Queue, id).Code)
	require.Empty(t, v.Checks(), "who may not send has no need to ask")
}

// Rules that name no action are one budget for checks and sends.
func TestVerify_SharedBudget(t *testing.T) {
	t.Parallel()
	p := rules(policy.Concurrency{Max: 1}, policy.Gap{Min: 10 * time.Second, Max: 10 * time.Second})
	h, v := queuetest.NewVerifier(t, p, &queue.Options{Typing: quiet})
	v.AnswerOthers(queuetest.Verification{Took: time.Second})
	for n := range 3 {
		h.Enqueue(alice, number(n), "hi")
	}
	h.Drain(time.Hour)
	h.Audit()
	var at []time.Time
	for _, c := range h.Sender.Log() {
		at = append(at, c.At)
	}
	require.Equal(t, "[0 11 21 32 42 53]", seconds(queuetest.Epoch(), at))
}

// Another account learns the answer while this one waits for its budget.
func TestVerify_LearnsFromAnother(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, checksOnly(policy.SlidingWindow{Max: 1, Window: time.Hour}), &queue.Options{Typing: quiet})
	h.Enqueue(alice, carol, "hi")
	first := h.Enqueue(alice, bob, "1")
	step(t, h)
	require.Equal(t, queue.Queued, get(t, h.Queue, first).Status)
	h.Clock.Advance(time.Minute)
	h.Enqueue(carol, bob, "hi")
	second := h.Enqueue(alice, bob, "2")
	step(t, h)
	h.Drain(time.Hour)
	require.Len(t, v.Checks(), 2)
	require.Equal(t, []string{carol, bob, bob, bob}, recipients(h.Sender.Sent()))
	a, b := get(t, h.Queue, first), get(t, h.Queue, second)
	require.Less(t, a.ID, b.ID)
	require.False(t, b.At.Before(a.At))
}

func TestVerify_ClockSetBack(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, policy.Unlimited(), &queue.Options{Typing: quiet})
	v.Answer(bob, queuetest.Verification{Err: errors.New("no answer")})
	id := h.Enqueue(alice, bob, "hi")
	step(t, h)
	h.Clock.Advance(-24 * time.Hour)
	v.Answer(bob, queuetest.Verification{})
	h.Drain(0)
	require.Equal(t, queue.Sent, get(t, h.Queue, id).Status)
}

// A message that waits for the check of another one is not forgotten where the clock
// was set back to before its time.
func TestVerify_ClockSetBackBeforeNotBefore(t *testing.T) {
	t.Parallel()
	for _, registered := range []bool{false, true} {
		h, v := queuetest.NewVerifier(t, policy.Unlimited(), nil)
		v.Answer(bob, queuetest.Verification{Err: errNo})
		var ids []string
		for _, campaign := range []string{"a", "b", "c"} {
			ids = append(ids, enqueue(t, h.Queue, queue.Message{
				Account: alice, To: bob, Text: "hi", Campaign: campaign, NotBefore: h.Clock.Now().Add(time.Hour),
			}))
		}
		h.Clock.Advance(time.Hour)
		step(t, h)
		require.Len(t, v.Checks(), 1)
		h.Clock.Advance(-30 * time.Minute)
		v.Answer(bob, queuetest.Verification{Unknown: !registered})
		h.Drain(2 * time.Hour)
		for i, id := range ids {
			want := queue.Failed
			if registered {
				want = queue.Sent
			}
			require.Equal(t, want, get(t, h.Queue, id).Status, "message %d, registered %v", i, registered)
		}
		require.Zero(t, h.Queue.Lanes())
	}
}

func TestVerify_Run(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		v := &queuetest.Verifier{Sender: &queuetest.Sender{}}
		v.AnswerOthers(queuetest.Verification{Took: time.Second})
		v.Answer(number(3), queuetest.Verification{Unknown: true})
		v.Answer(number(4), queuetest.Verification{Err: errors.New("no answer")})
		p := policy.Standard()
		q := newQueue(t, p, v, queue.Options{Typing: quiet})
		var ids []string
		for n := range 40 {
			m := hi(alice)
			m.To = number(n / 2)
			ids = append(ids, enqueue(t, q, m))
		}
		stop := run(q)
		time.Sleep(time.Hour)
		v.Answer(number(4), queuetest.Verification{})
		time.Sleep(time.Hour)
		require.NoError(t, stop())
		require.Empty(t, queuetest.Audit(p, v.Log()))
		require.Zero(t, q.Lanes())
		for i, id := range ids {
			r := get(t, q, id)
			switch i / 2 {
			case 3:
				require.Equal(t, queue.RecipientNotFound, r.Code)
			case 4:
				require.Greater(t, r.At.Sub(start), time.Hour)
				require.Equal(t, queue.Sent, r.Status)
			default:
				require.Less(t, r.At.Sub(start), time.Hour)
				require.Equal(t, queue.Sent, r.Status)
			}
		}
		to := recipients(v.Sent())
		require.Len(t, to, 38)
		require.Equal(t, []string{number(4), number(4)}, to[36:])
	})
}

// A stop ends the checks on their way, and their messages stay queued.
func TestVerify_Stop(t *testing.T) {
	t.Parallel()
	for _, stubborn := range []bool{false, true} {
		t.Run(fmt.Sprint("stubborn ", stubborn), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var book logbook
				s := verifier{always, func(ctx context.Context, _, _ string) (queue.Verification, error) {
					<-ctx.Done()
					if stubborn {
						time.Sleep(time.Hour)
					}
					return queue.Verification{}, ctx.Err()
				}}
				q := newQueue(t, policy.Standard(), s, queue.Options{Logger: book.logger()})
				first, second := enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))
				stop := run(q)
				time.Sleep(time.Minute)
				start := time.Now()
				err := stop()
				if stubborn {
					require.ErrorIs(t, err, queue.ErrLeftOnWire)
					require.Equal(t, 31*time.Second, time.Since(start))
				} else {
					require.NoError(t, err)
					require.Zero(t, time.Since(start))
				}
				time.Sleep(2 * time.Hour)
				for _, id := range []string{first, second} {
					require.Equal(t, queue.Queued, get(t, q, id).Status)
				}
				require.Empty(t, book.String(), "it did not fail")
			})
		})
	}
}

// A wide lane carries out as many checks at once as it may send messages.
func TestVerify_WideLane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &queuetest.Verifier{Sender: &queuetest.Sender{}}
		v.AnswerOthers(queuetest.Verification{Took: 10 * time.Second})
		p := rules(policy.Concurrency{Max: 3})
		q := newQueue(t, p, v, queue.Options{Typing: quiet})
		for n := range 12 {
			m := hi(alice)
			m.To, m.Text = number(n/2), fmt.Sprint(n)
			enqueue(t, q, m)
		}
		start := time.Now()
		stop := run(q)
		time.Sleep(25 * time.Second)
		require.NoError(t, stop())
		var at []time.Time
		for _, c := range v.Checks() {
			at = append(at, c.At)
		}
		require.Equal(t, "[0 0 0 10 10 10]", seconds(start, at))
		require.Empty(t, queuetest.Audit(p, v.Log()))
		last := map[string]string{}
		for _, m := range v.Sent() {
			require.Less(t, last[m.To], m.ID, "messages to one recipient stay in order")
			last[m.To] = m.ID
		}
		require.Len(t, v.Sent(), 12)
	})
}

// Messages to those who are known, behind one that waits for its check, cost what
// they cost without it.
func TestVerify_ManyPassOne(t *testing.T) {
	t.Parallel()
	n := 5_000
	h, v := queuetest.NewVerifier(t, checksOnly(policy.SlidingWindow{Max: 1, Window: time.Hour}), &queue.Options{Typing: quiet, History: 1 << 20})
	h.Enqueue(alice, bob, "hi")
	h.Drain(0)
	waits := h.Enqueue(alice, carol, "hi")
	for range n {
		h.Enqueue(alice, bob, "hi")
	}
	start := h.Clock.Now()
	require.Equal(t, start.Add(time.Hour), step(t, h))
	require.Len(t, h.Sender.Sent(), n+1)
	h.Drain(time.Hour)
	require.Equal(t, start.Add(time.Hour), get(t, h.Queue, waits).At)
	require.Len(t, v.Checks(), 2)
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

// An answer that another account learns sooner does not let a message pass the one
// whose check is still under way.
func TestVerify_AnotherIsSooner(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := verifier{always, func(_ context.Context, account, _ string) (queue.Verification, error) {
				if account == alice {
					time.Sleep(time.Minute)
					if fails {
						return queue.Verification{}, errors.New("no answer")
					}
				}
				return queue.Verification{Registered: true}, nil
			}}
			q := newQueue(t, policy.Unlimited(), s, queue.Options{Width: 3, Typing: quiet})
			start := time.Now()
			stop := run(q)
			first := enqueue(t, q, hi(alice))
			time.Sleep(time.Second)
			enqueue(t, q, hi(carol))
			time.Sleep(time.Second)
			second := enqueue(t, q, hi(alice))
			time.Sleep(time.Hour)
			require.NoError(t, stop())
			want := time.Minute
			if fails {
				want += 5 * time.Second
			}
			for _, id := range []string{first, second} {
				r := get(t, q, id)
				require.Equal(t, queue.Sent, r.Status)
				require.Equal(t, want, r.At.Sub(start))
			}
		})
	}
}

// A Step whose context ends within a check has not failed it.
func TestVerify_StepIsCutShort(t *testing.T) {
	t.Parallel()
	var book logbook
	ctx, cancel := context.WithCancel(t.Context())
	s := verifier{always, func(calling context.Context, _, _ string) (queue.Verification, error) {
		cancel() // of no account to the second Step
		return queue.Verification{Registered: true}, calling.Err()
	}}
	q := newQueue(t, policy.Unlimited(), s, queue.Options{Clock: &queuetest.Clock{}, Logger: book.logger()})
	id := enqueue(t, q, hi(alice))
	_, err := q.Step(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, queue.Queued, get(t, q, id).Status)
	next, err := q.Step(t.Context())
	require.NoError(t, err)
	require.Zero(t, next)
	require.Equal(t, queue.Sent, get(t, q, id).Status)
	require.Empty(t, book.String())
}

// What a check held, the next one takes at once.
func TestVerify_OneAfterTheOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &queuetest.Verifier{Sender: &queuetest.Sender{}}
		v.AnswerOthers(queuetest.Verification{Took: time.Second / 4})
		q := newQueue(t, checksOnly(policy.Concurrency{Max: 1}), v, queue.Options{Typing: quiet, Width: 3})
		for n := range 3 {
			m := hi(alice)
			m.To = number(n)
			enqueue(t, q, m)
		}
		start := time.Now()
		stop := run(q)
		time.Sleep(time.Minute)
		require.NoError(t, stop())
		var at []time.Time
		for _, c := range v.Checks() {
			at = append(at, c.At)
		}
		require.Equal(t, "[0 0.25 0.5]", seconds(start, at))
	})
}
