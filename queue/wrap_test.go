package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

func text(account, to string) queue.Message {
	return queue.Message{Account: account, To: to, Text: "hello"}
}

func wrapLimiter(t *testing.T, p policy.Policy) *limiter.Limiter {
	t.Helper()
	l, err := limiter.New(p, &limiter.Options{Seed: 7})
	require.NoError(t, err)
	return l
}

// One at a time, each after the pause that begins with the end of the one before,
// in the order in which Send was called.
func TestWrap_WaitsItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := rules(policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}, policy.Concurrency{Max: 1})
		fake := &queuetest.Sender{}
		fake.Otherwise(queuetest.Answer{Took: 2 * time.Second})
		wrapped := queue.Wrap(fake, wrapLimiter(t, p), nil)
		done := make(chan error)
		for i := range 20 {
			go func() {
				r, err := wrapped.Send(t.Context(), text(alice, fmt.Sprint(bob, i+10)))
				if err == nil && r.ID == "" {
					err = errors.New("no receipt")
				}
				done <- err
			}()
			synctest.Wait()
		}
		for range 20 {
			require.NoError(t, <-done)
		}
		for i, m := range fake.Sent() {
			require.Equal(t, fmt.Sprint(bob, i+10), m.To)
		}
		log := fake.Log()
		require.Len(t, log, 20)
		require.Empty(t, queuetest.Audit(p, log))
		for i, c := range log[1:] {
			require.LessOrEqual(t, c.At.Sub(log[i].Done), 9*time.Second, "call %d came late", i+1)
		}
	})
}

// What became of the permit shows in what the limiter has left.
func TestWrap_SettlesByTheError(t *testing.T) {
	t.Parallel()
	const spent, givenBack = 1, 2 // of 2
	for _, test := range []struct {
		name string
		err  error
		left int64 // messages
		new  int64 // recipients
	}{
		{"sent", nil, spent, spent},
		{"refused", errNo, spent, givenBack},
		{"broken off", io.ErrUnexpectedEOF, spent, spent},
		{"cancelled", fmt.Errorf("http: %w", context.Canceled), spent, spent},
		{"surely unsent", fmt.Errorf("%w: the other limiter was full", queue.ErrUnsent), givenBack, givenBack},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := wrapLimiter(t, rules(
				policy.SlidingWindow{Max: 2, Window: time.Hour},
				policy.UniqueRecipients{Max: 2, Window: time.Hour},
				policy.Concurrency{Max: 1},
			))
			clock := &queuetest.Clock{}
			fake := &queuetest.Sender{Clock: clock}
			fake.Otherwise(queuetest.Answer{Err: test.err})
			_, err := queue.Wrap(fake, l, clock).Send(t.Context(), text(alice, bob))
			require.Equal(t, test.err, err)
			for _, g := range l.Gates(clock.Now(), limiter.Request{Account: alice, Action: policy.SendMessage, Recipient: "447700900009"}) {
				require.Equal(t, limiter.Allowed, g.Answer, "%+v", g)
				switch g.Rule {
				case "a":
					require.Equal(t, test.left-1, g.Remaining)
				case "b":
					require.Equal(t, test.new-1, g.Remaining)
				}
			}
		})
	}
}

// The gap runs from the end of the send, by the clock that Wrap was given.
func TestWrap_SettlesByTheClock(t *testing.T) {
	t.Parallel()
	l := wrapLimiter(t, rules(policy.Gap{Min: time.Minute, Max: time.Minute}))
	clock := &queuetest.Clock{}
	fake := &queuetest.Sender{Clock: clock}
	fake.Otherwise(queuetest.Answer{Took: 10 * time.Second})
	_, err := queue.Wrap(fake, l, clock).Send(t.Context(), text(alice, bob))
	require.NoError(t, err)
	require.Equal(t, queuetest.Epoch().Add(10*time.Second), clock.Now())
	d := l.Check(clock.Now(), limiter.Request{Account: alice, Action: policy.SendMessage})
	require.Equal(t, limiter.Later, d.Answer)
	require.Equal(t, time.Minute, d.RetryAfter)
}

func TestWrap_OnAMock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mock := clock.NewMock()
		fake := &queuetest.Sender{Clock: mock}
		wrapped := queue.Wrap(fake, wrapLimiter(t, rules(policy.TokenBucket{Max: 1, Per: time.Minute})), mock)
		for range 3 {
			go wrapped.Send(t.Context(), text(alice, bob)) //nolint:errcheck // the log shows it
			synctest.Wait()
		}
		for i := 1; i <= 3; i++ {
			require.Len(t, fake.Log(), i)
			mock.Add(time.Minute - 1)
			synctest.Wait()
			require.Len(t, fake.Log(), i)
			mock.Add(1)
			synctest.Wait()
		}
	})
}

func TestWrap_APanicCountsAsSent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ send func() }{
		"panic":  {func() { panic("boom") }},
		"goexit": {runtime.Goexit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := wrapLimiter(t, rules(policy.SlidingWindow{Max: 2, Window: time.Hour}, policy.Concurrency{Max: 1}))
			clock := &queuetest.Clock{}
			wrapped := queue.Wrap(queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
				test.send()
				return queue.Receipt{}, nil
			}), l, clock)
			panicked := make(chan any)
			go func() {
				defer func() { panicked <- recover() }()
				_, err := wrapped.Send(t.Context(), text(alice, bob))
				t.Errorf("returned with %v", err)
			}()
			if v := <-panicked; name == "panic" {
				require.Equal(t, "boom", v)
			}
			d := l.Check(clock.Now(), limiter.Request{Account: alice, Action: policy.SendMessage})
			require.Equal(t, limiter.Allowed, d.Answer, "the permit is not settled")
			require.Zero(t, d.Remaining, "it did not count as sent")
		})
	}
}

// Nothing was called and nothing was taken.
func TestWrap_Unsent(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancelCause(t.Context())
	cancel(errNo)
	soon, cancelSoon := context.WithTimeout(t.Context(), time.Minute)
	defer cancelSoon()
	var (
		address  *queue.AddressError
		deadline *limiter.DeadlineError
		refused  *limiter.RefusedError
		request  *limiter.RequestError
		option   *queue.OptionError
		nobody   *queuetest.Sender
		broken   *queuetest.Clock
	)
	taken := wrapLimiter(t, rules(policy.SlidingWindow{Max: 1, Window: time.Hour}))
	taken.Allow(time.Now(), limiter.Request{Account: alice, Action: policy.SendMessage})
	open := wrapLimiter(t, rules(policy.SlidingWindow{Max: 1, Window: time.Hour}))
	closed := wrapLimiter(t, rules(policy.SlidingWindow{Max: 0, Window: time.Hour}))
	fake := &queuetest.Sender{}
	unsent := func(ctx context.Context, s queue.Sender, account, to string, is error, as any) {
		t.Helper()
		receipt, err := s.Send(ctx, text(account, to))
		require.ErrorIs(t, err, queue.ErrUnsent)
		require.ErrorIs(t, err, is)
		if as != nil {
			require.ErrorAs(t, err, as)
		}
		require.Equal(t, queue.Receipt{}, receipt)
		require.Empty(t, fake.Sent())
	}
	wrapped := queue.Wrap(fake, open, nil)
	unsent(gone, wrapped, alice, bob, errNo, nil)
	unsent(t.Context(), wrapped, alice, "status@broadcast", queue.ErrAddress, &address)
	unsent(t.Context(), wrapped, "", bob, limiter.ErrRefused, &request)
	unsent(t.Context(), queue.Wrap(fake, closed, nil), alice, bob, limiter.ErrRefused, &refused)
	unsent(soon, queue.Wrap(fake, taken, nil), alice, bob, limiter.ErrDeadline, &deadline)
	for _, s := range []queue.Sender{
		queue.Wrap(nil, open, nil),
		queue.Wrap(nobody, open, nil),
		queue.Wrap(queue.SenderFunc(nil), open, nil),
		queue.Wrap(fake, nil, nil),
		queue.Wrap(fake, open, broken),
	} {
		unsent(t.Context(), s, alice, bob, queue.ErrOption, &option)
	}
	d := open.Check(time.Now(), limiter.Request{Account: alice, Action: policy.SendMessage})
	require.Equal(t, limiter.Allowed, d.Answer, "something was taken")
}

// A recipient is one, however it is written, for the limiter and for the sender.
func TestWrap_CanonicalRecipient(t *testing.T) {
	t.Parallel()
	l := wrapLimiter(t, rules(policy.UniqueRecipients{Max: 1, Window: time.Hour}))
	fake := &queuetest.Sender{}
	wrapped := queue.Wrap(fake, l, &queuetest.Clock{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, to := range []string{"+44 7700 900001", "447700900001@s.whatsapp.net", "447700900001"} {
		_, err := wrapped.Send(ctx, text(alice, to))
		require.NoError(t, err)
	}
	for _, m := range fake.Sent() {
		require.Equal(t, "447700900001", m.To)
	}
	require.Len(t, fake.Sent(), 3)
}

// Two limits in series: what the inner one does not let through costs the outer one
// nothing.
func TestWrap_Twice(t *testing.T) {
	t.Parallel()
	clock := &queuetest.Clock{}
	fake := &queuetest.Sender{Clock: clock}
	inner := wrapLimiter(t, rules(policy.SlidingWindow{Max: 1, Window: time.Hour}))
	outer := wrapLimiter(t, rules(policy.SlidingWindow{Max: 2, Window: time.Hour}))
	both := queue.Wrap(queue.Wrap(fake, inner, clock), outer, clock)
	_, err := both.Send(t.Context(), text(alice, bob))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 3 {
		_, err = both.Send(ctx, text(alice, bob))
		require.ErrorIs(t, err, queue.ErrUnsent)
		require.ErrorIs(t, err, limiter.ErrDeadline)
	}
	d := outer.Check(clock.Now(), limiter.Request{Account: alice, Action: policy.SendMessage})
	require.Equal(t, limiter.Allowed, d.Answer)
	require.Len(t, fake.Sent(), 1)
}

// Wrap shows no typing, and does not claim to.
func TestWrap_IsNoTypist(t *testing.T) {
	t.Parallel()
	_, ok := queue.Wrap(&queuetest.Sender{}, wrapLimiter(t, policy.Unlimited()), nil).(queue.Typist)
	require.False(t, ok)
}
