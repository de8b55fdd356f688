package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A fault is how a store fails.
type fault int

const (
	works fault = iota
	failsBefore
	failsAfter // it did what it was asked, and says that it failed
)

var errStore = errors.New("disk is on fire")

// A flaky store fails as fault says, asked with the method.
type flaky struct {
	queue.Store
	fault func(method string) fault
}

func (s flaky) do(method string, call func() error) error {
	f := s.fault(method)
	if f == failsBefore {
		return fmt.Errorf("%s: %w", method, errStore)
	}
	err := call()
	if f == failsAfter && err == nil {
		return fmt.Errorf("%s: %w", method, errStore)
	}
	return err
}

func (s flaky) Add(ctx context.Context, r *queue.Record, since time.Time) (id string, err error) {
	err = s.do("Add", func() error {
		id, err = s.Store.Add(ctx, r, since)
		return err
	})
	return id, err
}

func (s flaky) Change(ctx context.Context, r *queue.Record, p *queue.Pace) error {
	return s.do(changes(r), func() error { return s.Store.Change(ctx, r, p) })
}

// changes says what a change of a record does.
func changes(r *queue.Record) string {
	switch {
	case r.Status == queue.Sending:
		return "Begin"
	case r.Status.Final():
		return "Finish"
	}
	return "Requeue"
}

func (s flaky) Keep(ctx context.Context, p *queue.Pace) error {
	return s.do("Keep", func() error { return s.Store.Keep(ctx, p) })
}

func (s flaky) Get(ctx context.Context, id string) (r queue.Record, err error) {
	err = s.do("Get", func() error {
		r, err = s.Store.Get(ctx, id)
		return err
	})
	return r, err
}

// script fails the calls of some methods, in order, and no others.
func script(faults map[string][]fault) func(method string) fault {
	return func(method string) fault {
		next := faults[method]
		if len(next) == 0 {
			return works
		}
		faults[method] = next[1:]
		return next[0]
	}
}

// A shaken harness has a store that fails as scripted.
type shaken struct {
	*queuetest.Harness
	diary   diary
	book    logbook
	limiter *limiter.Limiter
	store   queue.Store // without its faults
}

func shake(t *testing.T, history int, faults map[string][]fault) *shaken {
	t.Helper()
	p := rules(policy.Gap{Min: 10 * time.Second, Max: 10 * time.Second}, policy.SlidingWindow{Max: 2, Window: time.Hour}, policy.Concurrency{Max: 1})
	l, err := limiter.New(p, nil)
	require.NoError(t, err)
	s := &shaken{limiter: l, store: queue.NewMemory(history)}
	s.Harness = queuetest.NewOptions(t, p, &queue.Options{
		Limiter: l, OnEvent: s.diary.write, Logger: s.book.logger(),
		Typing: &queue.Typing{Start: 5 * time.Second, Max: time.Minute},
	})
	s.Queue.SetStore(flaky{s.store, script(faults)})
	return s
}

// step steps the queue and says when it is due again, from the start on.
func (s *shaken) step(t *testing.T) time.Duration {
	t.Helper()
	next, err := s.Queue.Step(t.Context())
	require.NoError(t, err)
	return next.Sub(queuetest.Epoch())
}

// eachSentOnce drains and holds that the messages went out once, in order, and
// that all accounts of it agree.
func (s *shaken) eachSentOnce(t *testing.T, ids ...string) {
	t.Helper()
	s.Drain(time.Hour)
	s.Audit()
	var sent []string
	for i, m := range s.Sender.Sent() {
		sent = append(sent, m.ID)
		require.Equal(t, []queue.Status{queue.Queued, queue.Sending, queue.Sent}, s.diary.way(m.ID))
		require.Equal(t, s.diary.ended()[i], get(t, s.Queue, m.ID))
	}
	require.Equal(t, ids, sent)
	require.Zero(t, s.Queue.Lanes())
	require.NotContains(t, s.book.String(), alice)
}

func TestStore_BeginFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		faults map[string][]fault
		tries  int
	}{
		{"before", map[string][]fault{"Begin": {failsBefore, failsBefore, failsBefore}}, 3},
		{"after", map[string][]fault{"Begin": {failsAfter}}, 1},
		{"before and after", map[string][]fault{"Begin": {failsBefore, failsAfter, failsBefore}}, 3},
		{"after, and it cannot say so", map[string][]fault{"Begin": {failsAfter}, "Get": {works, works, failsBefore, failsBefore}}, 3},
		{"because it cannot be read", map[string][]fault{"Get": {works, failsBefore, failsAfter, failsBefore}}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := shake(t, 10, tt.faults)
			first, second := s.Enqueue(alice, bob, "1"), s.Enqueue(alice, bob, "2")
			require.Equal(t, 5*time.Second, s.step(t))
			for i := range tt.tries {
				s.Clock.Set(queuetest.Epoch().Add(time.Duration(5+i) * time.Second))
				require.Equal(t, time.Duration(6+i)*time.Second, s.step(t), "it tries again every second")
				require.Empty(t, s.Sender.Sent())
				require.Equal(t, []queue.Status{queue.Queued}, s.diary.way(first))
				require.Equal(t, limiter.Allowed, s.limiter.Check(s.Clock.Now(), limiter.Request{Account: alice, Action: policy.SendMessage}).Answer, "the permit is given back")
			}
			s.eachSentOnce(t, first, second)
			require.Equal(t, time.Duration(5+tt.tries)*time.Second, get(t, s.Queue, first).At.Sub(queuetest.Epoch()))
			require.Len(t, s.Sender.Typed(), 2, "typing is not shown again")
			require.Contains(t, s.book.String(), "could not be recorded as sending; it waits")
			require.Contains(t, s.book.String(), "disk is on fire")
		})
	}
}

func TestStore_FinishFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		faults map[string][]fault
		tries  int
	}{
		{"before", map[string][]fault{"Finish": {failsBefore, failsBefore}}, 2},
		{"after", map[string][]fault{"Finish": {failsAfter}}, 1},
		{"after, and it cannot say so", map[string][]fault{"Finish": {failsAfter}, "Get": {works, works, failsBefore, failsBefore}}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := shake(t, 10, tt.faults)
			s.Sender.Otherwise(queuetest.Answer{Took: 2 * time.Second})
			first, second := s.Enqueue(alice, bob, "1"), s.Enqueue(alice, bob, "2")
			require.Equal(t, 5*time.Second, s.step(t))
			s.Clock.Advance(5 * time.Second)
			for i := range tt.tries {
				require.Equal(t, time.Duration(8+i)*time.Second, s.step(t), "it tries again every second")
				require.Len(t, s.Sender.Sent(), 1)
				require.Equal(t, []queue.Status{queue.Queued, queue.Sending}, s.diary.way(first))
				s.Clock.Advance(time.Second)
			}
			s.eachSentOnce(t, first, second)
			one, two := get(t, s.Queue, first), get(t, s.Queue, second)
			require.Equal(t, 7*time.Second, one.Done.Sub(queuetest.Epoch()))
			require.Equal(t, 10*time.Second+two.Typing, two.At.Sub(one.Done), "the gap counts from the end of the send")
		})
	}
}

// While a message's end cannot be recorded, the others of a wide lane go on.
func TestStore_FinishFailsAlone(t *testing.T) {
	t.Parallel()
	clock := &queuetest.Clock{}
	s := &queuetest.Sender{Clock: clock}
	q := newQueue(t, policy.Unlimited(), s, queue.Options{Clock: clock, Width: 2, Typing: &queue.Typing{PerRune: 500 * time.Millisecond, Max: time.Minute}})
	q.SetStore(flaky{queue.NewMemory(10), script(map[string][]fault{"Finish": {failsBefore}})})
	for i, text := range []string{"1234", "12345", "1"} {
		enqueue(t, q, queue.Message{Account: alice, To: number(i), Text: text})
	}
	var at []time.Time
	for {
		next, err := q.Step(t.Context())
		require.NoError(t, err)
		if next.IsZero() {
			break
		}
		at = append(at, next)
		clock.Set(next)
	}
	// The first is sent at 2 and recorded at 3, the second is sent at 2.5, the
	// third is typed from then on.
	require.Equal(t, "[2 2.5 3]", seconds(queuetest.Epoch(), at))
	require.Len(t, s.Sent(), 3)
}

// A slow store is time that a message is not on the wire.
func TestStore_TakesTime(t *testing.T) {
	t.Parallel()
	h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet})
	h.Queue.SetStore(flaky{queue.NewMemory(10), func(method string) fault {
		if method == "Begin" || method == "Finish" {
			h.Clock.Advance(2 * time.Second)
		}
		return works
	}})
	h.Sender.Otherwise(queuetest.Answer{Took: time.Second})
	id := h.Enqueue(alice, bob, "hi")
	h.Drain(time.Minute)
	r := get(t, h.Queue, id)
	require.Equal(t, "[2 3]", seconds(queuetest.Epoch(), []time.Time{r.At, r.Done}))
}

// A message that was on the wire is recorded even where everybody's context has
// ended.
func TestStore_HeedsContexts(t *testing.T) {
	t.Parallel()
	t.Run("Step", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		q := newQueue(t, policy.Unlimited(), queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
			cancel()
			return queue.Receipt{}, nil
		}), queue.Options{})
		q.SetStore(heedful{queue.NewMemory(10)})
		id := enqueue(t, q, hi(alice))
		_, err := q.Step(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, queue.Sent, get(t, q, id).Status)
	})
	t.Run("Run", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &queuetest.Sender{}
			s.Otherwise(queuetest.Answer{Took: time.Hour})
			q := newQueue(t, policy.Unlimited(), s, queue.Options{Typing: quiet})
			q.SetStore(heedful{queue.NewMemory(10)})
			id := enqueue(t, q, hi(alice))
			stop := run(q)
			synctest.Wait()
			require.NoError(t, stop())
			require.Equal(t, queue.InDoubt, get(t, q, id).Status)
		})
	})
	t.Run("before the wire", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		clock := &endingClock{Clock: limiter.RealClock(), cancel: cancel}
		s := &queuetest.Sender{}
		q := newQueue(t, policy.Unlimited(), s, queue.Options{Typing: quiet, Clock: clock})
		id := enqueue(t, q, hi(alice))
		clock.left = 2 // Step asks it, and then send
		_, err := q.Step(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, s.Sent())
		require.Equal(t, queue.Queued, get(t, q, id).Status)
	})
}

// An endingClock ends a context when it is asked for the time once more.
type endingClock struct {
	limiter.Clock
	left   int
	cancel context.CancelFunc
}

func (c *endingClock) Now() time.Time {
	if c.left--; c.left == 0 {
		c.cancel()
	}
	return c.Clock.Now()
}

// A heedful store does nothing once its context has ended.
type heedful struct{ queue.Store }

func (s heedful) Change(ctx context.Context, r *queue.Record, p *queue.Pace) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Store.Change(ctx, r, p)
}

func TestStore_FinishFailsAfterAndForgets(t *testing.T) {
	t.Parallel()
	s := shake(t, 0, map[string][]fault{"Finish": {failsAfter}})
	ids := []string{s.Enqueue(alice, bob, "1"), s.Enqueue(alice, bob, "2")}
	s.Drain(time.Hour)
	require.Len(t, s.Sender.Sent(), 2)
	for _, id := range ids {
		require.Equal(t, []queue.Status{queue.Queued, queue.Sending, queue.Sent}, s.diary.way(id))
	}
	require.Zero(t, s.Queue.Lanes())
}

func TestStore_AddFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		faults map[string][]fault
		taken  bool
	}{
		{"before", map[string][]fault{"Add": {failsBefore}}, false},
		{"before, and it cannot say so", map[string][]fault{"Add": {failsBefore}, "Get": {failsBefore, failsBefore}}, false},
		{"after", map[string][]fault{"Add": {failsAfter}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := shake(t, 10, tt.faults)
			id, err := s.Queue.Enqueue(t.Context(), hi(alice))
			second := s.Enqueue(alice, bob, "2")
			if tt.taken {
				require.NoError(t, err)
				s.eachSentOnce(t, id, second)
				return
			}
			require.ErrorIs(t, err, errStore)
			require.ErrorContains(t, err, "queue: enqueue: ")
			require.Empty(t, id)
			s.eachSentOnce(t, second)
		})
	}
}

// A message is taken in once it is kept, also where the caller's context ends just then.
func TestStore_ContextEndsOnceItIsKept(t *testing.T) {
	t.Parallel()
	s := &queuetest.Sender{}
	s.Script(queuetest.Answer{Err: io.EOF})
	store := &severed{Store: queue.NewMemory(10)}
	q := newQueue(t, policy.Unlimited(), s, queue.Options{Typing: quiet, Store: store})
	ending := func() context.Context {
		ctx, cancel := context.WithCancel(t.Context())
		store.cancel = cancel
		return ctx
	}
	id, err := q.Enqueue(ending(), hi(alice))
	require.NoError(t, err)
	for _, want := range []queue.Status{queue.InDoubt, queue.Sent} {
		_, err = q.Step(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, get(t, q, id).Status)
		if want == queue.InDoubt {
			r, err := q.Resolve(ending(), id, queue.Resend)
			require.NoError(t, err)
			require.Equal(t, queue.Queued, r.Status)
		}
	}
}

// A severed store ends a context once it has done what it was asked in it, and does
// nothing in one that has ended.
type severed struct {
	queue.Store
	cancel context.CancelFunc // of the next call
}

func (s *severed) sever(ctx context.Context) error {
	if s.cancel == nil {
		return nil
	}
	s.cancel()
	s.cancel = nil
	return context.Cause(ctx)
}

func (s *severed) Add(ctx context.Context, r *queue.Record, since time.Time) (id string, err error) {
	if id, err = s.Store.Add(ctx, r, since); err == nil {
		err = s.sever(ctx)
	}
	return id, err
}

func (s *severed) Change(ctx context.Context, r *queue.Record, p *queue.Pace) error {
	if err := s.Store.Change(ctx, r, p); err != nil {
		return err
	}
	return s.sever(ctx)
}

func (s *severed) Get(ctx context.Context, id string) (queue.Record, error) {
	if ctx.Err() != nil {
		return queue.Record{}, context.Cause(ctx)
	}
	return s.Store.Get(ctx, id)
}
