package queue_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// texts are those of messages, in order.
func texts(messages []queue.Message) (all []string) {
	for _, m := range messages {
		all = append(all, m.Text)
	}
	return all
}

func sevenSeconds() policy.Policy {
	return rules(policy.Gap{Min: 7 * time.Second, Max: 7 * time.Second})
}

// Ten thousand of bulk, and a login code: the code is next on the wire, also where
// one of bulk is being typed.
func TestOrder_UrgentIsNext(t *testing.T) {
	t.Parallel()
	for _, typing := range []*queue.Typing{quiet, nil} {
		t.Run(fmt.Sprint(typing == nil), func(t *testing.T) {
			t.Parallel()
			h := queuetest.NewOptions(t, sevenSeconds(), &queue.Options{Typing: typing})
			for i := range 10_000 {
				h.Enqueue(alice, number(i%3), "bulk")
			}
			for range 5 {
				h.Clock.Set(step(t, h))
			}
			step(t, h)
			before := len(h.Sender.Sent())
			enqueue(t, h.Queue, queue.Message{Account: alice, To: number(0), Text: "code", Priority: 1})
			for len(h.Sender.Sent()) == before {
				h.Clock.Set(step(t, h))
			}
			require.Equal(t, "code", h.Sender.Sent()[before].Text)
		})
	}
}

func TestOrder_CampaignsTakeTurns(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, sevenSeconds(), &queue.Options{Typing: quiet})
	add := func(campaign string, n int) {
		for i := range n {
			enqueue(t, h.Queue, queue.Message{Account: alice, To: number(i), Text: campaign, Campaign: campaign})
		}
	}
	add("large", 1000)
	for range 100 { // the small one comes late
		h.Clock.Set(step(t, h))
	}
	before := len(h.Sender.Sent())
	add("small", 10)
	h.Drain(3 * time.Hour)
	sent := texts(h.Sender.Sent())[before:]
	last := 0
	for i, text := range sent {
		if text == "small" {
			last = i
		}
	}
	require.Less(t, last, 25)
	require.Len(t, sent, 1010-before)
}

// Priorities from the highest, each in the order that it came.
func TestOrder_Priorities(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(policy.Concurrency{Max: 1}), &queue.Options{Typing: quiet})
	for i := range 40 {
		p := i%5 - 2
		enqueue(t, h.Queue, queue.Message{Account: alice, To: number(i), Text: fmt.Sprintf("%d %02d", p, i), Priority: p})
	}
	h.Drain(0)
	var want []string
	for p := 2; p >= -2; p-- {
		for i := range 40 {
			if i%5-2 == p {
				want = append(want, fmt.Sprintf("%d %02d", p, i))
			}
		}
	}
	require.Equal(t, want, texts(h.Sender.Sent()))
}

// What waits for a time of its own holds up those behind it to the same recipient,
// and nobody else.
func TestOrder_NotBefore(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet})
	m := hi(alice)
	m.Text, m.NotBefore = "later", queuetest.Epoch().Add(time.Hour)
	enqueue(t, h.Queue, m)
	m.Text, m.NotBefore = "behind it", time.Time{}
	enqueue(t, h.Queue, m)
	m.Text, m.Campaign = "another campaign", "spring"
	enqueue(t, h.Queue, m)
	h.Enqueue(alice, carol, "somebody else")
	require.Equal(t, queuetest.Epoch().Add(time.Hour), step(t, h))
	require.Equal(t, []string{"another campaign", "somebody else"}, texts(h.Sender.Sent()))
	h.Clock.Advance(time.Hour - 1)
	step(t, h)
	require.Len(t, h.Sender.Sent(), 2, "not a nanosecond sooner")
	h.Drain(time.Hour)
	require.Equal(t, []string{"later", "behind it"}, texts(h.Sender.Sent())[2:])
}

func TestOrder_Expires(t *testing.T) {
	t.Parallel()
	var d diary
	h := queuetest.NewOptions(t, sevenSeconds(), &queue.Options{Typing: quiet, OnEvent: d.write})
	h.Sender.Script(queuetest.Answer{Took: time.Second})
	h.Enqueue(alice, bob, "goes")
	m := hi(alice)
	m.ExpiresAt = queuetest.Epoch().Add(8 * time.Second) // at the instant that it may go
	late := enqueue(t, h.Queue, m)
	m.ExpiresAt = m.ExpiresAt.Add(7*time.Second + 1)
	early := enqueue(t, h.Queue, m)
	h.Drain(time.Minute)
	r := get(t, h.Queue, late)
	require.Equal(t, queue.Expired, r.Status)
	require.Equal(t, queue.TooLate, r.Code)
	require.Equal(t, queuetest.Epoch().Add(8*time.Second), r.Done)
	require.Zero(t, r.At)
	require.Equal(t, queue.Sent, get(t, h.Queue, early).Status)
	require.Equal(t, []queue.Status{queue.Queued, queue.Expired}, d.way(late))
	require.Zero(t, h.Queue.Lanes())
}

// A message is told in time that it has expired, whatever its lane waits for.
func TestOrder_ExpiresInTime(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(policy.CalendarWindow{Max: 1, Unit: policy.Day}), &queue.Options{Typing: quiet})
	h.Enqueue(alice, bob, "of today")
	m := hi(alice)
	m.ExpiresAt = queuetest.Epoch().Add(time.Hour)
	var ids []string
	for range 3 {
		m.ExpiresAt = m.ExpiresAt.Add(time.Minute)
		ids = append(ids, enqueue(t, h.Queue, m))
	}
	h.Drain(time.Hour + 3*time.Minute)
	for i, id := range ids {
		r := get(t, h.Queue, id)
		require.Equal(t, queue.Expired, r.Status)
		require.Equal(t, queuetest.Epoch().Add(time.Hour+time.Duration(i+1)*time.Minute), r.Done)
	}
}

// It is looked at once more when the store has taken its time.
func TestOrder_ExpiresJustBeforeTheWire(t *testing.T) {
	t.Parallel()
	var d diary
	l, err := limiter.New(rules(policy.CalendarWindow{Max: 1, Unit: policy.Day}), nil)
	require.NoError(t, err)
	h := queuetest.NewOptions(t, rules(policy.CalendarWindow{Max: 1, Unit: policy.Day}), &queue.Options{Typing: quiet, OnEvent: d.write, Limiter: l})
	h.Queue.SetStore(flaky{queue.NewMemory(10), func(method string) fault {
		if method == "Begin" {
			h.Clock.Advance(2 * time.Second)
		}
		return works
	}})
	m := hi(alice)
	m.ExpiresAt = queuetest.Epoch().Add(time.Second)
	id := enqueue(t, h.Queue, m)
	h.Drain(time.Minute)
	require.Empty(t, h.Sender.Sent())
	require.Equal(t, []queue.Status{queue.Queued, queue.Sending, queue.Expired}, d.way(id))
	require.Zero(t, get(t, h.Queue, id).Attempts)
	require.Equal(t, limiter.Allowed, l.Check(h.Clock.Now(), limiter.Request{Account: alice, Action: policy.SendMessage}).Answer, "it spent nothing")
}

func TestOrder_KeepForUrgent(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(policy.CalendarWindow{Max: 10, Unit: policy.Day}), &queue.Options{Typing: quiet, KeepForUrgent: 3})
	for i := range 20 {
		h.Enqueue(alice, number(i), "bulk")
	}
	step(t, h)
	require.Len(t, h.Sender.Sent(), 7)
	for i := range 5 {
		enqueue(t, h.Queue, queue.Message{Account: alice, To: number(i), Text: "code", Priority: 1})
	}
	step(t, h)
	require.Len(t, h.Sender.Sent(), 10)
	require.Equal(t, "code", h.Sender.Sent()[9].Text)
	_, err := queue.New(rules(policy.CalendarWindow{Max: 10, Unit: policy.Day}), always, &queue.Options{KeepForUrgent: 10})
	require.ErrorIs(t, err, queue.ErrOption)
	require.ErrorContains(t, err, "queue: keep for urgent 10: ")
}

// An urgent message goes as soon as its time comes, also where the lane waits for what
// is kept from the others.
func TestOrder_UrgentGoesOnTime(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(policy.SlidingWindow{Max: 2, Window: time.Minute}), &queue.Options{Typing: quiet, KeepForUrgent: 1})
	for i := range 2 {
		h.Enqueue(alice, number(i), "bulk")
	}
	code := enqueue(t, h.Queue, queue.Message{Account: alice, To: bob, Text: "code", Priority: 1, NotBefore: queuetest.Epoch().Add(20 * time.Second)})
	require.Equal(t, queuetest.Epoch().Add(20*time.Second), step(t, h))
	e, err := h.Queue.ETA(t.Context(), code)
	require.NoError(t, err)
	require.Equal(t, queuetest.Epoch().Add(20*time.Second), e.At)
	h.Drain(2 * time.Minute)
	require.Equal(t, e.At, get(t, h.Queue, code).At)
}

// It goes on time also where it comes back from the wire while others wait for what is
// kept from them.
func TestOrder_UrgentComesBack(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, rules(policy.SlidingWindow{Max: 2, Window: time.Minute}), &queue.Options{Typing: quiet, KeepForUrgent: 1})
	code := func() string {
		return enqueue(t, h.Queue, queue.Message{Account: alice, To: bob, Text: "code", Priority: 1})
	}
	code()
	step(t, h)
	h.Clock.Advance(30 * time.Second)
	code()
	step(t, h)
	third := code()
	h.Enqueue(alice, carol, "bulk")
	require.Equal(t, queuetest.Epoch().Add(time.Minute), step(t, h))
	h.Clock.Advance(30 * time.Second)
	h.Sender.Script(queuetest.Answer{Err: queue.Offline(errNo)})
	require.Equal(t, queuetest.Epoch().Add(65*time.Second), step(t, h))
	h.Drain(time.Hour)
	require.Equal(t, queuetest.Epoch().Add(65*time.Second), get(t, h.Queue, third).At)
}

func TestOrder_Full(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, sevenSeconds(), &queue.Options{Typing: quiet, MaxQueued: 3})
	for range 3 {
		h.Enqueue(alice, bob, "hi")
	}
	_, err := h.Queue.Enqueue(t.Context(), hi(carol))
	require.ErrorIs(t, err, queue.ErrFull)
	step(t, h)
	h.Enqueue(alice, bob, "one is out")
	_, err = h.Queue.Enqueue(t.Context(), hi(carol))
	require.ErrorIs(t, err, queue.ErrFull)
	h.Drain(time.Minute)
	require.Len(t, h.Sender.Sent(), 4)
}

// A rule about recipients holds up only whom it is about.
func TestOrder_NewContactsWaitAlone(t *testing.T) {
	t.Parallel()
	p := rules(policy.NewContacts{Max: 1, Window: time.Hour})
	clock := &queuetest.Clock{}
	s := &queuetest.Sender{Clock: clock}
	known := knower{s, map[string]bool{carol: true}}
	q := newQueue(t, p, known, queue.Options{Clock: clock, Typing: quiet})
	for _, to := range []string{number(1), number(2), number(2), carol, carol} {
		enqueue(t, q, queue.Message{Account: alice, To: to, Text: "hi"})
	}
	next, err := q.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{number(1), carol, carol}, recipients(s.Sent()))
	require.Equal(t, queuetest.Epoch().Add(time.Hour), next)
	clock.Set(next)
	_, err = q.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{number(2), number(2)}, recipients(s.Sent())[3:], "the second is not the first any more")
}

// One with a wide lane, one recipient: one after the other.
func TestOrder_OneRecipientAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &queuetest.Sender{}
		s.Otherwise(queuetest.Answer{Took: time.Minute})
		q := newQueue(t, policy.Unlimited(), s, queue.Options{Width: 4, Typing: quiet})
		stop := run(q)
		for range 3 {
			enqueue(t, q, hi(alice))
		}
		enqueue(t, q, queue.Message{Account: alice, To: carol, Text: "hi"})
		time.Sleep(time.Hour)
		require.NoError(t, stop())
		var at []time.Time
		for _, c := range s.Log() {
			at = append(at, c.At)
		}
		require.Equal(t, "[0 0 60 120]", seconds(start, at))
	})
}
