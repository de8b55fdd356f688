package queue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A hold that a sender asks for by verdict is in force, however the recipient is spelled.
func TestVerdict_HoldsRecipientInAnySpelling(t *testing.T) {
	t.Parallel()
	for _, spelled := range []string{bob, "+44 7700 900001", bob + "@s.whatsapp.net", bob + "@c.us"} {
		t.Run(spelled, func(t *testing.T) {
			t.Parallel()
			h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet})
			h.Sender.Script(queuetest.Answer{Err: queue.Hold(errNo, limiter.Target{Recipient: spelled}, queuetest.Epoch().Add(24*time.Hour))})
			h.Enqueue(alice, bob, "1")
			h.Enqueue(alice, bob, "2")
			other := h.Enqueue(alice, carol, "3")
			h.Clock.Set(step(t, h))
			step(t, h)
			require.Equal(t, queue.Sent, get(t, h.Queue, other).Status)
			require.Len(t, h.Sender.Sent(), 2, "bob is left alone")
		})
	}
}

// said stop.
func TestVerdict_HoldsAccountForBadTarget(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]limiter.Target{
		"no address":   {Recipient: "bob"},
		"two things":   {Recipient: bob, Campaign: "spring"},
		"too long":     {Campaign: strings.Repeat("x", limiter.MaxKey+1)},
		"NUL":          {Campaign: "a\x00b"},
		"long account": {Account: strings.Repeat("x", limiter.MaxKey+1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var book logbook
			h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet, Logger: book.logger()})
			until := queuetest.Epoch().Add(24 * time.Hour)
			h.Sender.Script(queuetest.Answer{Err: queue.Hold(errNo, target, until)})
			ids := []string{h.Enqueue(alice, bob, "1"), h.Enqueue(alice, carol, "2"), h.Enqueue(carol, bob, "3")}
			step(t, h)
			require.Contains(t, book.String(), "a hold could not be made as the sender asked; its account is held")
			gates, err := h.Queue.Gates(t.Context(), ids[1])
			require.NoError(t, err)
			require.Len(t, gates, 1)
			require.Equal(t, queue.GateHold, gates[0].Kind)
			require.Equal(t, limiter.Target{Account: alice}, gates[0].Target)
			require.Equal(t, until, gates[0].Until)
			require.Equal(t, queue.Sent, get(t, h.Queue, ids[2]).Status)
		})
	}
}
