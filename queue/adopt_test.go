package queue_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// An Enqueue is told that the store failed, which has kept the message. Another one
// with its key is promised that it goes out.
func TestAdopt_Enqueue(t *testing.T) {
	t.Parallel()
	s := shake(t, 100, map[string][]fault{
		"Add": {failsAfter}, "Get": {failsBefore, works, failsBefore},
	})
	m := hi(alice)
	m.Key = "invoice 7"
	_, err := s.Queue.Enqueue(t.Context(), m)
	require.ErrorIs(t, err, errStore)
	require.Zero(t, s.Queue.Lanes())
	_, err = s.Queue.Enqueue(t.Context(), m)
	require.ErrorIs(t, err, errStore, "the store does not say whether it waits")
	id := enqueue(t, s.Queue, m)
	require.Equal(t, id, enqueue(t, s.Queue, m))
	require.EqualValues(t, 1, s.Queue.Undone())
	s.eachSentOnce(t, id)
	require.Equal(t, id, enqueue(t, s.Queue, m))
	require.Zero(t, s.Queue.Undone())
}

// A key of a message that has left its line, and could not be recorded yet, is no
// reason to take it in again.
func TestAdopt_NotWhatIsBeingRecorded(t *testing.T) {
	t.Parallel()
	s := shake(t, 100, map[string][]fault{"Finish": {failsBefore}})
	m := hi(alice)
	m.Key, m.ExpiresAt = "code", queuetest.Epoch().Add(time.Second)
	m.NotBefore = queuetest.Epoch().Add(time.Millisecond)
	id := enqueue(t, s.Queue, m)
	s.Clock.Advance(time.Minute)
	s.step(t)
	require.Equal(t, queue.Queued, get(t, s.Queue, id).Status)
	m.ExpiresAt = time.Time{}
	require.Equal(t, id, enqueue(t, s.Queue, m))
	s.Drain(time.Hour)
	require.Equal(t, []queue.Status{queue.Queued, queue.Expired}, s.diary.way(id))
	require.Zero(t, s.Queue.Undone())
}

// A Resolve is told that the store failed, which has done it. The next one has the
// message sent.
func TestAdopt_Resolve(t *testing.T) {
	t.Parallel()
	s := shake(t, 100, map[string][]fault{
		"Requeue": {failsAfter}, "Get": {works, works, failsBefore},
	})
	s.Sender.Script(queuetest.Answer{Err: io.ErrUnexpectedEOF})
	id := s.Enqueue(alice, bob, "hi")
	s.Drain(time.Minute)
	_, err := s.Queue.Resolve(t.Context(), id, queue.Resend)
	require.ErrorIs(t, err, errStore)
	require.Zero(t, s.Queue.Lanes())
	r, err := s.Queue.Resolve(t.Context(), id, queue.Resend)
	require.NoError(t, err)
	require.Equal(t, queue.Queued, r.Status)
	_, err = s.Queue.Resolve(t.Context(), id, queue.Resend)
	require.ErrorIs(t, err, queue.ErrConflict, "it waits already")
	s.Drain(time.Hour)
	require.Len(t, s.Sender.Sent(), 2)
	require.Equal(t, []queue.Status{queue.Queued, queue.Sending, queue.InDoubt, queue.Queued, queue.Sending, queue.Sent}, s.diary.way(id))
	require.Zero(t, s.Queue.Undone())
}

// A message is resolved, or word of it comes, while the queue does not know yet that
// the store has it as in doubt.
func TestConclude(t *testing.T) {
	t.Parallel()
	ways := map[string]func(q *queue.Queue, id string) (queue.Record, error){
		"resolve": func(q *queue.Queue, id string) (queue.Record, error) {
			return q.Resolve(t.Context(), id, queue.WentOut)
		},
		"confirm": func(q *queue.Queue, _ string) (queue.Record, error) {
			return q.Confirm(t.Context(), alice, "3EB0", queue.Receipt{ID: "late"})
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shake(t, 100, map[string][]fault{"Finish": {failsAfter}})
			s.Sender.Script(queuetest.Answer{Err: io.ErrUnexpectedEOF})
			m := hi(alice)
			m.WireID = "3EB0"
			id := enqueue(t, s.Queue, m)
			s.step(t)
			s.Clock.Advance(10 * time.Second) // typing
			s.step(t)
			require.Equal(t, []queue.Status{queue.Queued, queue.Sending}, s.diary.way(id))
			r, err := way(s.Queue, id)
			require.NoError(t, err)
			require.Equal(t, queue.Sent, r.Status)
			s.Drain(time.Hour)
			require.Equal(t, []queue.Status{queue.Queued, queue.Sending, queue.InDoubt, queue.Sent}, s.diary.way(id))
		})
	}
}

// What checks have spent outlives the queue, also where no message followed.
func TestRestart_Checks(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{{Name: "checks", Actions: []policy.Action{policy.CheckNumber}, Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}}}}
	v := &queuetest.Verifier{Sender: &queuetest.Sender{Clock: &queuetest.Clock{}}}
	v.Answer(bob, queuetest.Verification{Err: errNo})
	store := queue.NewMemory(10)
	first := newQueue(t, p, v, queue.Options{Clock: v.Clock, Store: store, Typing: quiet})
	enqueue(t, first, hi(alice))
	_, err := first.Step(t.Context())
	require.NoError(t, err)
	require.Len(t, v.Log(), 1)

	next := newQueue(t, p, v, queue.Options{Clock: v.Clock, Store: store, Typing: quiet})
	due, err := next.Step(t.Context())
	require.NoError(t, err)
	require.Len(t, v.Log(), 1)
	require.Equal(t, queuetest.Epoch().Add(time.Hour), due)
}

// A check whose cost cannot be kept is not carried out, and tried again later.
func TestRestart_ChecksAreKeptFirst(t *testing.T) {
	t.Parallel()
	v := &queuetest.Verifier{Sender: &queuetest.Sender{Clock: &queuetest.Clock{}}}
	faults := map[string][]fault{"Keep": {failsBefore}}
	q := newQueue(t, policy.Strict(), v, queue.Options{Clock: v.Clock, Store: flaky{queue.NewMemory(10), script(faults)}, Typing: quiet})
	id := enqueue(t, q, hi(alice))
	due, err := q.Step(t.Context())
	require.NoError(t, err)
	require.Empty(t, v.Log())
	require.Equal(t, queuetest.Epoch().Add(5*time.Second), due)
	clock, _ := v.Clock.(*queuetest.Clock)
	clock.Set(due)
	_, err = q.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, queue.Sent, get(t, q, id).Status)
}
