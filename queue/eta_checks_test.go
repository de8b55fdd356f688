package queue_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// comesTrue sends everything, after it has asked when each message goes. Few calls were
// measured: an estimate may be off by what a call might take.
func comesTrue(t *testing.T, h *queuetest.Harness, after map[string]time.Duration) {
	t.Helper()
	for id, d := range after {
		e, err := h.Queue.ETA(t.Context(), id)
		require.NoError(t, err)
		require.WithinDuration(t, queuetest.Epoch().Add(d), e.At, 3*time.Second, get(t, h.Queue, id).Text)
	}
	h.Drain(24 * time.Hour)
	for id, d := range after {
		require.Equal(t, queuetest.Epoch().Add(d), get(t, h.Queue, id).At)
	}
}

// A message whose recipient rests before it is verified joins the others to it, and has
// none of them wait longer than it would alone.
func TestETA_OfACheckThatRests(t *testing.T) {
	t.Parallel()
	p := rules(policy.UniqueRecipients{Max: 3, Window: time.Minute})
	h, _ := queuetest.NewVerifier(t, p, &queue.Options{Typing: quiet, KeepForUrgent: 1})
	urgent := func(to, campaign string) string {
		return enqueue(t, h.Queue, queue.Message{Account: alice, To: to, Text: "code", Campaign: campaign, Priority: 1})
	}
	urgent(number(1), "")
	step(t, h)
	h.Clock.Advance(10 * time.Second)
	urgent(number(2), "")
	urgent(number(3), "")
	fourth := urgent(number(4), "spring") // whose turn comes first, and the check of the third before it
	bulk := enqueue(t, h.Queue, queue.Message{Account: alice, To: number(4), Text: "hi", NotBefore: h.Clock.Now().Add(10 * time.Second)})
	step(t, h)
	comesTrue(t, h, map[string]time.Duration{fourth: time.Minute, bulk: time.Minute})
}

// A recipient's check is as urgent as the messages to it that are left.
func TestETA_OfACheckWhoseFirstMessageExpires(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, checksOnly(policy.SlidingWindow{Max: 1, Window: time.Minute}), &queue.Options{Typing: quiet})
	m := queue.Message{Account: alice, To: number(0), Text: "hi"}
	enqueue(t, h.Queue, m)
	step(t, h)
	m.To = number(1)
	first := enqueue(t, h.Queue, m)
	m.To = number(2)
	second := enqueue(t, h.Queue, m)
	m.Priority, m.ExpiresAt = 1, queuetest.Epoch().Add(10*time.Second)
	enqueue(t, h.Queue, m)
	step(t, h)
	comesTrue(t, h, map[string]time.Duration{first: time.Minute, second: 2 * time.Minute})
	require.Equal(t, []string{number(0), number(1), number(2)}, numbers(v.Checks()))
}

// What is known of a number is forgotten on the way, and is asked for again.
func TestETA_OfAnAnswerThatGrowsOld(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ yes, again, last time.Duration }{
		{time.Minute, 10 * time.Minute, 20 * time.Minute},
		{-1, 10 * time.Minute, 20 * time.Minute},
		{time.Hour, 2 * time.Minute, 12 * time.Minute},
	} {
		h, _ := queuetest.NewVerifier(t, checksOnly(policy.SlidingWindow{Max: 1, Window: 10 * time.Minute}), &queue.Options{
			Typing: quiet, Verify: &queue.Verify{Yes: tt.yes},
		})
		h.Enqueue(alice, bob, "hi")
		step(t, h)
		m := hi(alice)
		m.NotBefore = queuetest.Epoch().Add(2 * time.Minute)
		later := enqueue(t, h.Queue, m)
		m.Campaign, m.NotBefore = "spring", m.NotBefore.Add(10*time.Minute)
		last := enqueue(t, h.Queue, m)
		comesTrue(t, h, map[string]time.Duration{later: tt.again, last: tt.last})
	}
}

// A message goes to the address that is known of its number, and what was sent there
// counts.
func TestETA_OfAnAddressThatIsKnown(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{{Name: "pair", Actions: []policy.Action{policy.SendMessage}, Scope: policy.ScopeRecipient, Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}}}}
	h, v := queuetest.NewVerifier(t, p, &queue.Options{Typing: quiet})
	v.Answer(bob, queuetest.Verification{To: carol})
	h.Enqueue(alice, bob, "hi")
	step(t, h)
	comesTrue(t, h, map[string]time.Duration{enqueue(t, h.Queue, hi(alice)): time.Minute})
}
