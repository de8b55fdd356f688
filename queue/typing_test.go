package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A typist is a sender that shows typing as told.
type typist struct {
	queue.SenderFunc
	typing func(ctx context.Context, m queue.Message, d time.Duration) error
}

func (s typist) Typing(ctx context.Context, m queue.Message, d time.Duration) error {
	return s.typing(ctx, m, d)
}

func TestTyping_Default(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", "hello", strings.Repeat("é", 40), strings.Repeat("ж", 128), strings.Repeat("x", 129), strings.Repeat("x", 1000), strings.Repeat("\xff", 64)} {
		h := queuetest.New(t, policy.Unlimited())
		for range 200 {
			h.Enqueue(alice, bob, text)
		}
		h.Drain(200 * 7 * time.Second)

		base := min(1200*time.Millisecond+time.Duration(utf8.RuneCountInString(text))*45*time.Millisecond, 7*time.Second)
		least, most := base*3/4, min(base*5/4, 7*time.Second)
		shortest, longest := time.Hour, time.Duration(0)
		before := queuetest.Epoch()
		for _, m := range h.Sender.Sent() {
			r := get(t, h.Queue, m.ID)
			shortest, longest = min(shortest, r.Typing), max(longest, r.Typing)
			require.Equal(t, before.Add(r.Typing), r.At, "it lasts as long as it says")
			before = r.At
		}
		require.GreaterOrEqual(t, shortest, least)
		require.LessOrEqual(t, longest, most)
		fifth := (most - least) / 5
		require.Less(t, shortest, least+fifth, "the draws are spread")
		require.Greater(t, longest, most-fifth, "the draws are spread")
		require.Len(t, h.Sender.Typed(), 200)
	}
}

func TestTyping_Custom(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		typing queue.Typing
		text   string
		want   time.Duration
	}{
		{"runes, not bytes", queue.Typing{Start: time.Second, PerRune: time.Second, Max: time.Hour}, "héé", 4 * time.Second},
		{"no text", queue.Typing{Start: time.Second, PerRune: time.Second, Max: time.Hour}, "", time.Second},
		{"the most", queue.Typing{Start: time.Second, PerRune: time.Second, Max: 3 * time.Second}, "hello", 3 * time.Second},
		{"start alone", queue.Typing{Start: time.Second, Max: time.Hour}, "hello", time.Second},
		{"start above the most", queue.Typing{Start: time.Minute, Max: time.Second}, "hello", time.Second},
		{"no time at all", queue.Typing{Max: time.Hour}, "hello", 0},
		{"no overflow", queue.Typing{Start: 1<<63 - 1, PerRune: 1<<63 - 1, Max: time.Hour}, "hello", time.Hour},
		{"none", queue.Typing{Start: time.Second, PerRune: time.Second}, "hello", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: &tt.typing})
			m := hi(alice)
			m.Text, m.Payload = tt.text, []byte{1}
			id := enqueue(t, h.Queue, m)
			h.Drain(tt.want)
			r := get(t, h.Queue, id)
			require.Equal(t, tt.want, r.Typing)
			require.Equal(t, queuetest.Epoch().Add(tt.want), r.At)
			require.Equal(t, tt.want > 0, len(h.Sender.Typed()) == 1, "typing that lasts no time is not shown")
		})
	}
}

func TestTyping_SpreadToNothing(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: &queue.Typing{Start: 4 * time.Second, Max: 6 * time.Second, Spread: 100}})
	for range 300 {
		h.Enqueue(alice, bob, "hi")
	}
	h.Drain(time.Hour)
	shortest, longest := time.Hour, time.Duration(0)
	for _, m := range h.Sender.Sent() {
		d := get(t, h.Queue, m.ID).Typing
		shortest, longest = min(shortest, d), max(longest, d)
	}
	require.Less(t, shortest, time.Second/2)
	require.Greater(t, longest, 5500*time.Millisecond)
	require.LessOrEqual(t, longest, 6*time.Second)
}

func TestTyping_BySeed(t *testing.T) {
	t.Parallel()
	times := func(seed uint64) (times []time.Duration) {
		h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Seed: seed})
		for range 20 {
			h.Enqueue(alice, bob, "hello")
		}
		h.Drain(time.Hour)
		for _, m := range h.Sender.Sent() {
			times = append(times, get(t, h.Queue, m.ID).Typing)
		}
		return times
	}
	require.Equal(t, times(1), times(1))
	require.NotEqual(t, times(1), times(2))
}

func TestTyping_LengthensTheGap(t *testing.T) {
	t.Parallel()
	h := queuetest.New(t, rules(policy.Gap{Min: 10 * time.Second, Max: 10 * time.Second}))
	h.Sender.Otherwise(queuetest.Answer{Took: time.Second})
	for range 10 {
		h.Enqueue(alice, bob, "hello")
	}
	h.Drain(time.Hour)
	h.Audit()
	for i, pause := range pauses(h.Sender.Log()) {
		require.Equal(t, 10*time.Second+get(t, h.Queue, h.Sender.Sent()[i+1].ID).Typing, pause)
	}
}

func TestTyping_NeverFailsTheSend(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		typing func(context.Context, queue.Message, time.Duration) error
		logged string
	}{
		{"error", func(_ context.Context, m queue.Message, _ time.Duration) error {
			return errors.New("no presence for " + m.To)
		}, "typing was not shown"},
		{"panic", func(_ context.Context, m queue.Message, _ time.Duration) error { panic("no presence for " + m.To) }, "typing panicked"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var book logbook
			clock := &queuetest.Clock{}
			q := newQueue(t, policy.Unlimited(), typist{always, tt.typing}, queue.Options{Clock: clock, Logger: book.logger()})
			first, second := enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))
			for range 2 {
				next, err := q.Step(t.Context())
				require.NoError(t, err)
				clock.Set(next)
			}
			next, err := q.Step(t.Context())
			require.NoError(t, err)
			require.Zero(t, next)
			for _, id := range []string{first, second} {
				r := get(t, q, id)
				require.Equal(t, queue.Sent, r.Status)
				require.NotZero(t, r.Typing, "it waits for as long")
			}
			require.Contains(t, book.String(), tt.logged)
			require.Contains(t, book.String(), "no presence for 4477******01")
			require.NotContains(t, book.String(), bob)
			require.NotContains(t, book.String(), alice)
		})
	}
}

// Other code of the same account takes the limiter while typing is shown.
func TestTyping_GateShutsMeanwhile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		pause time.Duration
		typed int
	}{
		{"not typed again within a minute", 40 * time.Second, 1},
		{"typed again after one", 70 * time.Second, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := rules(policy.Gap{Min: tt.pause, Max: tt.pause})
			l, err := limiter.New(p, nil)
			require.NoError(t, err)
			h := queuetest.NewOptions(t, p, &queue.Options{Limiter: l, Typing: &queue.Typing{Start: 3 * time.Second, Max: time.Minute}})
			first, second := h.Enqueue(alice, bob, "hi"), h.Enqueue(alice, bob, "hi")
			next, err := h.Queue.Step(t.Context())
			require.NoError(t, err)
			require.Equal(t, queuetest.Epoch().Add(3*time.Second), next)
			require.Len(t, h.Sender.Typed(), 1)

			h.Clock.Advance(time.Second)
			require.NoError(t, l.Allow(h.Clock.Now(), limiter.Request{Account: alice, Action: policy.SendMessage}).Err())
			free := h.Clock.Now().Add(tt.pause)

			h.Clock.Set(next)
			next, err = h.Queue.Step(t.Context())
			require.NoError(t, err)
			require.Equal(t, free, next, "it waits for exactly as long as the limiter says")
			require.Empty(t, h.Sender.Sent())

			h.Drain(time.Hour)
			require.Equal(t, []string{first, second}, []string{h.Sender.Sent()[0].ID, h.Sender.Sent()[1].ID}, "it kept its place")
			require.Len(t, h.Sender.Typed(), tt.typed+1)
			r := get(t, h.Queue, first)
			require.Equal(t, 3*time.Second, r.Typing)
			if tt.typed == 1 {
				require.Equal(t, free, r.At)
			} else {
				require.Equal(t, free.Add(3*time.Second), r.At)
			}
		})
	}
}

// A call that shows typing and does not return holds nothing up, and is told when
// its time is over.
func TestTyping_ThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var hushed []time.Time
		s := typist{always, func(ctx context.Context, _ queue.Message, _ time.Duration) error {
			<-ctx.Done()
			hushed = append(hushed, time.Now())
			return ctx.Err()
		}}
		q := newQueue(t, policy.Unlimited(), s, queue.Options{Workers: 2, Typing: &queue.Typing{Start: 3 * time.Second, Max: time.Minute}})
		for range 5 {
			enqueue(t, q, hi(alice))
		}
		stop := run(q)
		time.Sleep(13 * time.Second)
		require.Zero(t, q.Lanes()-1)
		require.Equal(t, "[3 6 9 12]", seconds(start, hushed))
		require.NoError(t, stop())
		require.Equal(t, "[3 6 9 12 13]", seconds(start, hushed), "and at once by a stop")
		time.Sleep(time.Hour)
		require.Len(t, hushed, 5)
	})
}
