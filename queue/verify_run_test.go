package queue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

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
