package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

func TestNew_BadArguments(t *testing.T) {
	t.Parallel()
	var (
		noFunc   queue.SenderFunc
		noSender *queuetest.Sender
		noClock  *clock.Mock
		noStore  *brokenStore
	)
	tests := []struct {
		name   string
		sender queue.Sender
		opts   queue.Options
		want   string
	}{
		{"nil sender", nil, queue.Options{}, "queue: sender nil: give the function that delivers one message"},
		{"nil function", noFunc, queue.Options{}, "queue: sender a nil queue.SenderFunc: give the function that delivers one message"},
		{"nil pointer", noSender, queue.Options{}, "queue: sender a nil *queuetest.Sender: give the function that delivers one message"},
		{"nil clock", always, queue.Options{Clock: noClock}, "queue: clock a nil *clock.Mock: give a clock, or leave it out for the real one"},
		{"width", always, queue.Options{Width: -1}, "queue: width -1: use 1 or more, or 0 for the default"},
		{"nil store", always, queue.Options{Store: noStore}, "queue: store a nil *queue_test.brokenStore: give a store, or leave it out for memory"},
		{"keep keys", always, queue.Options{KeepKeys: -time.Second}, "queue: keep keys -1s: use a time, or 0 for the default"},
		{"max queued", always, queue.Options{MaxQueued: -1}, "queue: max queued -1: use 1 or more, or 0 for no bound"},
		{"max attempts", always, queue.Options{MaxAttempts: -1}, "queue: max attempts -1: use 1 or more, or 0 for the default"},
		{"keep for urgent", always, queue.Options{KeepForUrgent: -1}, "queue: keep for urgent -1: use 0 or more"},
		{"day full", always, queue.Options{DayFull: "maybe"}, `queue: day full "maybe": use "defer" or "reject"`},
		{"backoff first", always, queue.Options{Backoff: &queue.Backoff{First: -1}}, "queue: backoff first -1ns: use 0s or more"},
		{"backoff most", always, queue.Options{Backoff: &queue.Backoff{First: 2, Most: 1}}, "queue: backoff most 1ns: use at least First, 2ns"},
		{"ramp over", always, queue.Options{Ramp: &queue.Ramp{Over: -1}}, "queue: ramp over -1ns: use 0s or more"},
		{"ramp gap", always, queue.Options{Ramp: &queue.Ramp{Gap: -1}}, "queue: ramp gap -1ns: use 0s or more"},
		{"ramp from", always, queue.Options{Ramp: &queue.Ramp{Over: 1}}, "queue: ramp from 0: use a percentage from 1 to 100"},
		{"ramp from above", always, queue.Options{Ramp: &queue.Ramp{Over: 1, From: 101}}, "queue: ramp from 101: use a percentage from 1 to 100"},
		{"workers", always, queue.Options{Workers: -7}, "queue: workers -7: use 1 or more, or 0 for the default"},
		{"typing start", always, queue.Options{Typing: &queue.Typing{Start: -1}}, "queue: typing start -1ns: use 0s or more"},
		{"typing per rune", always, queue.Options{Typing: &queue.Typing{PerRune: -time.Hour}}, "queue: typing per rune -1h0m0s: use 0s or more"},
		{"typing max", always, queue.Options{Typing: &queue.Typing{Max: -1}}, "queue: typing max -1ns: use 0s or more"},
		{"typing spread below", always, queue.Options{Typing: &queue.Typing{Spread: -1}}, "queue: typing spread -1: use a percentage from 0 to 100"},
		{"typing spread above", always, queue.Options{Typing: &queue.Typing{Spread: 101}}, "queue: typing spread 101: use a percentage from 0 to 100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q, err := queue.New(policy.Unlimited(), tt.sender, &tt.opts)
			require.Nil(t, q)
			require.ErrorIs(t, err, queue.ErrOption)
			require.EqualError(t, err, tt.want)
			var typed *queue.OptionError
			require.ErrorAs(t, err, &typed)
			require.True(t, strings.HasPrefix(tt.want, "queue: "+typed.Field+" "+typed.Value+": "+typed.Remedy))
		})
	}
}

// A brokenStore is there to be nil.
type brokenStore struct{ queue.Store }

func TestNew_BadPolicy(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{{Name: "pace", Limit: policy.Gap{Min: -1}}, {Name: "pace", Limit: policy.Concurrency{Max: -2}}}}
	_, err := queue.New(p, always, nil)
	require.ErrorContains(t, err, "queue: ")
	require.ErrorContains(t, err, p.Validate().Error(), "all that is wrong is named at once")
}

// A valueSender is a value, not a pointer: it is never nil.
type valueSender struct{}

func (valueSender) Send(context.Context, queue.Message) (queue.Receipt, error) {
	return queue.Receipt{}, nil
}

func TestNew_Defaults(t *testing.T) {
	t.Parallel()
	q, err := queue.New(policy.Standard(), valueSender{}, nil)
	require.NoError(t, err)
	id := enqueue(t, q, hi(alice))
	next, err := q.Step(t.Context())
	require.NoError(t, err)
	require.Zero(t, next)
	r := get(t, q, id)
	require.Equal(t, queue.Sent, r.Status)
	require.Zero(t, r.Typing, "the sender cannot show it")
}

func TestEnqueue_BadMessages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(m *queue.Message)
		target error
		want   string
	}{
		{"id", func(m *queue.Message) { m.ID = "mine" }, queue.ErrMessage, "queue: id set: the queue names its messages; leave it empty"},
		{"no text", func(m *queue.Message) { m.Text = "" }, queue.ErrMessage, `queue: text "": text is empty; give a text or a payload`},
		{"long text", func(m *queue.Message) { m.Text = strings.Repeat("x", queue.MaxText+1) }, queue.ErrMessage, "queue: text 65537 bytes: text is too long; cut it to 65536 bytes or send it in parts"},
		{"long text behind a payload", func(m *queue.Message) { m.Text, m.Payload = strings.Repeat("é", queue.MaxText/2+1), []byte{1} }, queue.ErrMessage, "queue: text 65538 bytes: "},
		{"priority too low", func(m *queue.Message) { m.Priority = queue.LowestPriority - 1 }, queue.ErrMessage, "queue: priority -10: priority is out of range; use -9 to 9"},
		{"priority too high", func(m *queue.Message) { m.Priority = queue.HighestPriority + 1 }, queue.ErrMessage, "queue: priority 10: priority is out of range; use -9 to 9"},
		{"long key", func(m *queue.Message) { m.Key = strings.Repeat("k", 1<<20) }, queue.ErrMessage, "queue: key of 1048576 bytes: key is too long; use at most 256 bytes"},
		{"long campaign", func(m *queue.Message) { m.Campaign = strings.Repeat("k", 257) }, queue.ErrMessage, "queue: campaign of 257 bytes: campaign is too long; use at most 256 bytes"},
		{"wire id with NUL", func(m *queue.Message) { m.WireID = "a\x00" + alice }, queue.ErrMessage, "queue: wire id \"a\ufffd4477******00\": wire id has a NUL byte; leave it out"},
		{"expired", func(m *queue.Message) { m.ExpiresAt = time.Unix(1_000_000_000, 0).UTC() }, queue.ErrMessage, "queue: expires at 2001-09-09T01:46:40Z: that is over; use a later time, or none"},
		{"expires before it may go", func(m *queue.Message) {
			m.NotBefore = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
			m.ExpiresAt = m.NotBefore
		}, queue.ErrMessage, "queue: expires at 2100-01-01T00:00:00Z: it may not go before then; use a time after not before"},
		{"resent without a name", func(m *queue.Message) { m.InDoubt = queue.ResendInDoubt }, queue.ErrMessage, "queue: in doubt resend: sent again without a wire id, it would be another message; give a wire id or Options.NewWireID, or hold it"},
		{"unknown doubt", func(m *queue.Message) { m.InDoubt = queue.Doubt(strings.Repeat("x", 1<<20)) }, queue.ErrMessage, "there is no such way; use \"hold\" or \"resend\""},
		{"no recipient", func(m *queue.Message) { m.To = "" }, queue.ErrAddress, `queue: to "": is empty; write a phone number with its country code`},
		{"malformed recipient", func(m *queue.Message) { m.To = "447700900A01" }, queue.ErrAddress, `queue: to "4477*****A01": has the letter 'A'; `},
		{"status", func(m *queue.Message) { m.To = "status@broadcast" }, queue.ErrAddress, `queue: to "status@broadcast": is the status list, not a recipient; `},
		{"no account", func(m *queue.Message) { m.Account = "" }, limiter.ErrRefused, `queue: limiter: account "": name the account whose budget is spent`},
		{"long account", func(m *queue.Message) { m.Account = strings.Repeat("4", 1<<20) }, limiter.ErrRefused, `use at most 256 bytes, not 1048576`},
		{"account with NUL", func(m *queue.Message) { m.Account = "447700900000\x00" }, limiter.ErrRefused, "queue: limiter: account \"4477******00\ufffd\": leave NUL bytes out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var d diary
			var s queuetest.Sender
			q := newQueue(t, policy.Unlimited(), &s, queue.Options{OnEvent: d.write})
			m := hi(alice)
			tt.change(&m)

			id, err := q.Enqueue(t.Context(), m)
			require.ErrorIs(t, err, tt.target)
			require.ErrorContains(t, err, tt.want)
			require.Less(t, len(err.Error()), 300)
			require.NotContains(t, err.Error(), alice)
			require.Empty(t, id)

			r, err := q.Send(t.Context(), m)
			require.ErrorIs(t, err, tt.target)
			require.Zero(t, r)

			next, err := q.Step(t.Context())
			require.NoError(t, err)
			require.Zero(t, next, "nothing waits")
			require.Empty(t, s.Sent())
			require.Empty(t, d.all())
			require.Zero(t, q.Lanes())
		})
	}
}

func TestEnqueue_EdgesThatAreFine(t *testing.T) {
	t.Parallel()
	var s queuetest.Sender
	q := newQueue(t, policy.Unlimited(), &s, queue.Options{Typing: quiet})
	for _, m := range []queue.Message{
		{Account: strings.Repeat("4", limiter.MaxKey), To: bob, Text: "x"},
		{Account: "a", To: "+44 (7700) 900-001", Text: strings.Repeat("x", queue.MaxText)},
		{Account: "b", To: "00447700900001", Payload: []byte{0}},
		{Account: "c", To: "1234-5678@g.us", Text: "\x00\xff"},
	} {
		enqueue(t, q, m)
	}
	_, err := q.Step(t.Context())
	require.NoError(t, err)
	var to []string
	for _, m := range s.Sent() {
		to = append(to, m.To)
	}
	require.Equal(t, []string{bob, bob, bob, "1234-5678@g.us"}, to)
}

func TestEnqueue_DoneContext(t *testing.T) {
	t.Parallel()
	q := newQueue(t, policy.Unlimited(), always, queue.Options{})
	why := errors.New("shop closed")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	_, err := q.Enqueue(ctx, hi(alice))
	require.ErrorIs(t, err, why)
	_, err = q.Send(ctx, hi(alice))
	require.ErrorIs(t, err, why)
	require.Zero(t, q.Lanes())
}

// What the queue was given, and what it gives out, shares no memory with what it
// keeps.
func TestQueue_CopiesData(t *testing.T) {
	t.Parallel()
	scribble := func(m queue.Message) {
		m.Payload[0] = 'x'
		m.Meta["k"] = "x"
	}
	q := newQueue(t, policy.Unlimited(), queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
		scribble(m)
		return queue.Receipt{}, nil
	}), queue.Options{OnEvent: func(e queue.Event) { scribble(e.Record.Message) }})
	m := hi(alice)
	m.Payload, m.Meta = []byte("payload"), map[string]string{"k": "v"}
	id := enqueue(t, q, m)
	scribble(m)
	scribble(get(t, q, id).Message)
	_, err := q.Step(t.Context())
	require.NoError(t, err)
	r := get(t, q, id)
	require.Equal(t, queue.Sent, r.Status)
	require.Equal(t, "payload", string(r.Payload))
	require.Equal(t, "v", r.Meta["k"])
}

func TestRecord_OfASentMessage(t *testing.T) {
	t.Parallel()
	h := queuetest.New(t, policy.Unlimited())
	h.Sender.Otherwise(queuetest.Answer{Took: 3 * time.Second})
	h.Clock.Advance(time.Minute)
	id, err := h.Queue.Enqueue(t.Context(), queue.Message{Account: alice, To: "+44 7700 900001", Kind: "text", Text: "hi", Meta: map[string]string{"k": "v"}})
	require.NoError(t, err)
	taken := h.Clock.Now()
	require.Equal(t, queue.Record{
		Message:  queue.Message{ID: id, Account: alice, To: bob, Kind: "text", Text: "hi", Meta: map[string]string{"k": "v"}},
		Status:   queue.Queued,
		Enqueued: taken,
		Order:    1, Version: 1,
	}, get(t, h.Queue, id))

	h.Drain(time.Minute)
	r := get(t, h.Queue, id)
	require.Equal(t, queue.Record{
		Message:  queue.Message{ID: id, Account: alice, To: bob, Kind: "text", Text: "hi", Meta: map[string]string{"k": "v"}},
		Status:   queue.Sent,
		Enqueued: taken, At: taken.Add(r.Typing), Done: taken.Add(r.Typing + 3*time.Second),
		Attempts: 1, Order: 1, Version: 3,
		Typing:  r.Typing,
		Receipt: queue.Receipt{ID: "wire-" + id},
	}, r)
	require.NotZero(t, r.Typing)
}

func TestIDs(t *testing.T) {
	t.Parallel()
	ids := func(seed uint64) (ids []string) {
		h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Seed: seed})
		for i := range 300 {
			if i%100 == 0 {
				h.Clock.Advance(time.Millisecond)
			}
			ids = append(ids, h.Enqueue(alice, bob, "hi"))
		}
		return ids
	}
	one, two := ids(1), ids(2)
	require.True(t, slices.IsSorted(one))
	require.Equal(t, one, ids(1))
	both := slices.Sorted(slices.Values(append(two, one...)))
	require.Len(t, slices.Compact(both), 600, "all differ")
}

func TestGet_Unknown(t *testing.T) {
	t.Parallel()
	q := newQueue(t, policy.Unlimited(), always, queue.Options{})
	for _, id := range []string{"", "x", strings.Repeat("y", 1<<20)} {
		_, err := q.Get(t.Context(), id)
		require.ErrorIs(t, err, queue.ErrUnknownMessage)
		require.Less(t, len(err.Error()), 120)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	tests := []struct{ history, known int }{{-1, 0}, {1, 1}, {7, 7}, {0, 30}, {29, 29}, {30, 30}, {31, 30}}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.history), func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, policy.Unlimited(), always, queue.Options{History: tt.history})
			var ids []string
			for range 30 {
				ids = append(ids, enqueue(t, q, hi(alice)))
			}
			for _, id := range ids {
				require.Equal(t, queue.Queued, get(t, q, id).Status, "what waits is never forgotten")
			}
			_, err := q.Step(t.Context())
			require.NoError(t, err)
			for i, id := range ids {
				_, err := q.Get(t.Context(), id)
				if i < len(ids)-tt.known {
					require.ErrorIs(t, err, queue.ErrUnknownMessage)
				} else {
					require.NoError(t, err)
				}
			}
		})
	}
}

func TestLanesVanish(t *testing.T) {
	t.Parallel()
	h := queuetest.New(t, policy.Standard())
	for i := range 50 {
		h.Enqueue(fmt.Sprint("account ", i%10), bob, "hi")
	}
	require.Equal(t, 10, h.Queue.Lanes())
	h.Drain(10 * time.Minute)
	require.Zero(t, h.Queue.Lanes())
	h.Enqueue("account 3", bob, "hi")
	require.Equal(t, 1, h.Queue.Lanes())
	h.Drain(10 * time.Minute)
	h.Audit()
}

// Everything that may be called at once is.
func TestQueue_ManyGoroutines(t *testing.T) {
	t.Parallel()
	const goroutines, each = 16, 100
	var d diary
	q := newQueue(t, rules(policy.Concurrency{Max: 3}), always, queue.Options{OnEvent: d.write})
	stop := run(q)
	var sending sync.WaitGroup
	for g := range goroutines {
		sending.Go(func() {
			for i := range each {
				m := hi(fmt.Sprint("account ", (g+i)%5))
				switch i % 3 {
				case 0:
					r, err := q.Send(t.Context(), m)
					if err != nil || r.Status != queue.Sent {
						t.Errorf("Send: %v, %v", r, err)
					}
				default:
					id, err := q.Enqueue(t.Context(), m)
					if err != nil {
						t.Errorf("Enqueue: %v", err)
					}
					if _, err := q.Get(t.Context(), id); err != nil {
						t.Errorf("Get: %v", err)
					}
				}
				if _, err := q.Step(t.Context()); !errors.Is(err, queue.ErrRunning) {
					t.Errorf("Step: %v", err)
				}
			}
		})
	}
	sending.Wait()
	last, err := q.Send(t.Context(), hi("account 0"))
	require.NoError(t, err)
	require.Equal(t, queue.Sent, last.Status)
	require.NoError(t, stop())
	records := d.check(t)
	require.Len(t, records, goroutines*each+1)
}
