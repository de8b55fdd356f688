package queue_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// slowly verifies in a minute.
func slowly(context.Context, string, string) (queue.Verification, error) {
	time.Sleep(time.Minute)
	return queue.Verification{Registered: true}, nil
}

// A phone is a sender that is connected or not.
type phone struct {
	*queuetest.Sender
	up   atomic.Bool
	news chan string
}

func (p *phone) Connected(string) bool { return p.up.Load() }

func (p *phone) Reconnected() <-chan string { return p.news }

func (p *phone) connect(account string) {
	p.up.Store(true)
	p.news <- account
}

func TestConnector(t *testing.T) {
	t.Parallel()
	for _, said := range []string{alice, ""} {
		t.Run(said, func(t *testing.T) {
			t.Parallel()
			clock := &queuetest.Clock{}
			p := &phone{Sender: &queuetest.Sender{Clock: clock}, news: make(chan string, 10)}
			l, err := limiter.New(sevenSeconds(), nil)
			require.NoError(t, err)
			var d diary
			q := newQueue(t, sevenSeconds(), p, queue.Options{Clock: clock, OnEvent: d.write, Limiter: l})
			stale := hi(alice)
			stale.ExpiresAt = queuetest.Epoch().Add(time.Minute)
			expires := enqueue(t, q, stale)
			var ids []string
			for range 20 {
				ids = append(ids, enqueue(t, q, hi(alice)))
			}
			at := queuetest.Epoch().Add(time.Hour)
			for clock.Now().Before(at) {
				next, err := q.Step(t.Context())
				require.NoError(t, err)
				clock.Set(next)
			}
			clock.Set(at)
			require.Empty(t, p.Sent())
			require.Empty(t, p.Typed(), "nor is typing shown")
			require.Equal(t, []queue.Status{queue.Queued, queue.Expired}, d.way(expires))
			require.Equal(t, []queue.Status{queue.Queued}, d.way(ids[0]))
			require.Equal(t, limiter.Allowed, l.Check(at, limiter.Request{Account: alice, Action: policy.SendMessage}).Answer, "nothing is spent")

			p.connect(said)
			for {
				next, err := q.Step(t.Context())
				require.NoError(t, err)
				if next.IsZero() {
					break
				}
				clock.Set(next)
			}
			require.Len(t, p.Sent(), 20)
			for i, m := range p.Sent() {
				require.Equal(t, ids[i], m.ID)
				require.Equal(t, 1, get(t, q, m.ID).Attempts)
			}
			back := p.Log()[0].At
			inRamp := 0
			for _, c := range p.Log() {
				if c.At.Sub(back) < time.Minute {
					inRamp++
				}
			}
			require.Greater(t, inRamp, 2)
			require.Less(t, inRamp, 7, "of nine at full pace")
		})
	}
}

// While an account comes back its messages go one by one, however many may go at once.
func TestConnector_WideLane(t *testing.T) {
	t.Parallel()
	for _, typing := range []*queue.Typing{quiet, nil} {
		clock := &queuetest.Clock{}
		p := &phone{Sender: &queuetest.Sender{Clock: clock}, news: make(chan string, 10)}
		q := newQueue(t, policy.Unlimited(), p, queue.Options{Clock: clock, Typing: typing, Width: 3})
		for n := range 30 {
			enqueue(t, q, queue.Message{Account: alice, To: number(n), Text: "hi"})
		}
		_, err := q.Step(t.Context())
		require.NoError(t, err)
		p.connect(alice)
		for next := clock.Now(); !next.IsZero(); {
			clock.Set(next)
			next, err = q.Step(t.Context())
			require.NoError(t, err)
		}
		log := p.Log()
		require.Len(t, log, 30)
		for i, c := range log {
			if back := c.At.Sub(log[0].At); i > 0 && back > 0 && back < time.Minute {
				require.GreaterOrEqual(t, c.At.Sub(log[i-1].At), time.Second, "message %d, %v after the first", i, back)
			}
		}
	}
}

// Where a connector says nothing, the queue asks again after a minute.
func TestConnector_LostWord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := &phone{Sender: &queuetest.Sender{}}
		q := newQueue(t, policy.Unlimited(), p, queue.Options{Typing: quiet, Ramp: &queue.Ramp{}})
		for i := range 3 {
			enqueue(t, q, queue.Message{Account: alice, To: number(i), Text: "hi"})
		}
		stop := run(q)
		time.Sleep(150 * time.Second)
		p.up.Store(true)
		time.Sleep(time.Hour)
		require.NoError(t, stop())
		require.Len(t, p.Sent(), 3)
		require.Equal(t, 3*time.Minute, p.Log()[2].At.Sub(start), "and there is no ramp")
	})
}

func TestConnector_RunHears(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &phone{Sender: &queuetest.Sender{}, news: make(chan string)}
		q := newQueue(t, policy.Unlimited(), p, queue.Options{Typing: quiet})
		id := enqueue(t, q, hi(alice))
		stop := run(q)
		time.Sleep(time.Second)
		p.connect("nobody")
		p.connect(alice)
		synctest.Wait()
		require.Equal(t, queue.Sent, get(t, q, id).Status)
		close(p.news)
		synctest.Wait()
		enqueue(t, q, hi(alice))
		time.Sleep(time.Minute)
		require.Len(t, p.Sent(), 2)
		require.NoError(t, stop())
	})
}

// A sender that says it is offline is asked again, less and less often.
func TestOffline(t *testing.T) {
	t.Parallel()
	var d diary
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet, OnEvent: d.write, Width: 3})
	h.Sender.Otherwise(queuetest.Answer{Err: queue.Offline(errNo)})
	var ids []string
	for i := range 5 {
		ids = append(ids, h.Enqueue(alice, number(i), "hi"))
	}
	for range 4 {
		h.Clock.Set(step(t, h))
	}
	var at []time.Time
	for _, c := range h.Sender.Log() {
		at = append(at, c.At)
	}
	require.Equal(t, "[0 5 15 35]", seconds(queuetest.Epoch(), at))
	r := get(t, h.Queue, ids[0])
	require.Equal(t, queue.NotConnected, r.Code)
	require.Zero(t, r.Attempts)
	h.Sender.Otherwise(queuetest.Answer{})
	h.Drain(time.Hour)
	sent := h.Sender.Sent()[4:]
	require.Equal(t, ids, []string{sent[0].ID, sent[1].ID, sent[2].ID, sent[3].ID, sent[4].ID}, "in their order")
	require.Greater(t, h.Sender.Log()[5].At.Sub(h.Sender.Log()[4].At), 3*time.Second, "it does not flood")
	d.check(t)
}

func TestWrap_Verdicts(t *testing.T) {
	t.Parallel()
	now := queuetest.Epoch()
	tests := []struct {
		err   error
		spent bool
		held  bool
	}{
		{queue.Retry(errNo, time.Hour), true, false},
		{queue.Offline(errNo), false, false},
		{queue.Unknown(queue.ErrUnsent), true, false},
		{queue.Drop(fmt.Errorf("x: %w", queue.ErrUnsent)), false, false},
		{queue.Hold(errNo, limiter.Target{}, now.Add(time.Hour)), true, true},
	}
	for _, tt := range tests {
		clock := &queuetest.Clock{}
		l, err := limiter.New(rules(policy.CalendarWindow{Max: 2, Unit: policy.Day}), nil)
		require.NoError(t, err)
		s := &queuetest.Sender{Clock: clock}
		s.Otherwise(queuetest.Answer{Err: tt.err})
		_, err = queue.Wrap(s, l, clock).Send(t.Context(), hi(alice))
		require.ErrorIs(t, err, tt.err)
		d := l.Check(now, limiter.Request{Account: alice, Action: policy.SendMessage})
		require.Equal(t, tt.held, d.Rule == "hold")
		if !tt.held {
			require.Equal(t, tt.spent, d.Remaining == 0)
		}
	}
}
