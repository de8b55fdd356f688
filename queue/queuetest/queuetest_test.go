package queuetest_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A patient is a test that may fail. It keeps what it was told.
type patient struct {
	testing.TB
	fatal  string
	errors []string
}

func (p *patient) Helper() {}

func (p *patient) Errorf(format string, args ...any) {
	p.errors = append(p.errors, fmt.Sprintf(format, args...))
}

func (p *patient) Fatalf(format string, args ...any) {
	p.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// examine runs a test that may fail, as the testing package would.
func examine(test func(t testing.TB)) *patient {
	p := &patient{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(p)
	}()
	<-done
	return p
}

var minute = policy.Policy{Rules: []policy.Rule{{Name: "pace", Limit: policy.Gap{Min: time.Minute, Max: time.Minute}}}}

func TestNew(t *testing.T) {
	t.Parallel()
	h := queuetest.New(t, minute)
	require.Equal(t, minute, h.Policy)
	require.Equal(t, queuetest.Epoch(), h.Clock.Now())

	other := &queuetest.Clock{}
	other.Advance(time.Hour)
	o := queue.Options{Clock: other, Typing: &queue.Typing{}}
	h = queuetest.NewOptions(t, minute, &o)
	require.Equal(t, queue.Options{Clock: other, Typing: o.Typing}, o, "the options are not changed")
	id := h.Enqueue("a", "447700900001", "hi")
	h.Drain(0)
	r, err := h.Queue.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, queuetest.Epoch(), r.At, "on the harness's clock")
	require.Zero(t, r.Typing, "with the options given")

	again := queuetest.NewOptions(t, minute, &queue.Options{Seed: 1})
	require.Equal(t, id, again.Enqueue("a", "447700900001", "hi"), "the seed is 1")
}

func TestNew_Fails(t *testing.T) {
	t.Parallel()
	p := examine(func(t testing.TB) {
		queuetest.New(t, policy.Policy{Rules: []policy.Rule{{Name: "x", Limit: policy.Concurrency{Max: -1}}}})
	})
	require.Contains(t, p.fatal, "queuetest: New: queue: ")
	p = examine(func(t testing.TB) { queuetest.NewOptions(t, minute, &queue.Options{Width: -3}) })
	require.Equal(t, "queuetest: New: queue: width -3: use 1 or more, or 0 for the default", p.fatal)
}

func TestHarness_EnqueueFails(t *testing.T) {
	t.Parallel()
	h := (*queuetest.Harness)(nil)
	p := examine(func(t testing.TB) {
		h = queuetest.New(t, minute)
		h.Enqueue("a", "not a number", "hi")
	})
	require.Contains(t, p.fatal, `queuetest: Enqueue: queue: to "not a number": has the letter 'n'`)
	require.Empty(t, h.Sender.Sent())
}

func TestHarness_Drain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		within time.Duration
		sent   int
		fatal  string
	}{
		{"exactly enough", 2*time.Minute + 9*time.Second, 3, ""},
		{"one nanosecond too little for the last send", 2*time.Minute + 9*time.Second - 1, 3, "queuetest: Drain: the last message was done with 2m9s after the start, where 2m8.999999999s was to be enough"},
		{"too little for the last pause", 2 * time.Minute, 2, "queuetest: Drain: the next message is due 2m6s after the start, where 2m0s was to be enough"},
		{"too little for the first send", 0, 1, "queuetest: Drain: the next message is due 1m3s after the start, where 0s was to be enough"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := (*queuetest.Harness)(nil)
			p := examine(func(t testing.TB) {
				h = queuetest.NewOptions(t, minute, &queue.Options{Typing: &queue.Typing{}})
				h.Sender.Otherwise(queuetest.Answer{Took: 3 * time.Second})
				for range 3 {
					h.Enqueue("a", "447700900001", "hi")
				}
				h.Drain(tt.within)
			})
			require.Equal(t, tt.fatal, p.fatal)
			require.Len(t, h.Sender.Sent(), tt.sent)
		})
	}
}

func TestHarness_DrainOutOfTurn(t *testing.T) {
	t.Parallel()
	p := examine(func(t testing.TB) {
		var h *queuetest.Harness
		h = queuetest.NewOptions(t, minute, &queue.Options{OnEvent: func(queue.Event) { h.Drain(time.Hour) }, Typing: &queue.Typing{}})
		h.Enqueue("a", "447700900001", "hi")
		h.Drain(time.Hour)
	})
	require.Contains(t, p.fatal, "queuetest: Drain: ")
}

func TestHarness_Audit(t *testing.T) {
	t.Parallel()
	p := examine(func(t testing.TB) {
		h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: &queue.Typing{}})
		for range 3 {
			h.Enqueue("447700900000", "447700900001", "hi")
		}
		h.Drain(0)
		h.Audit()
		h.Policy = minute // which the queue was not told of
		h.Audit()
	})
	require.Empty(t, p.fatal)
	require.Len(t, p.errors, 2)
	for _, text := range p.errors {
		require.Contains(t, text, `queuetest: rule "pace", account "4477******00", 2026-01-05T08:00:00Z: `)
	}
}
