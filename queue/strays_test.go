package queue_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A message that was kept though nobody could say so waits in its lane, at its place,
// once the store has kept another one.
func TestStrays_Enqueue(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		key    string
		faults []fault // of Get
	}{
		"at once":                  {"", []fault{failsBefore}},
		"later":                    {"", []fault{failsBefore, failsBefore}},
		"enqueued again meanwhile": {"order 7", []fault{failsBefore}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shake(t, 10, map[string][]fault{"Add": {failsAfter}, "Get": tt.faults})
			m := hi(alice)
			m.Key = tt.key
			_, err := s.Queue.Enqueue(t.Context(), m)
			require.ErrorIs(t, err, errStore)
			all, err := s.Queue.List(t.Context(), queue.Filter{})
			require.NoError(t, err)
			require.Len(t, all, 1)
			stray := all[0].ID
			if tt.key != "" {
				require.Equal(t, stray, enqueue(t, s.Queue, m))
			}
			ids := []string{stray}
			for range tt.faults {
				ids = append(ids, s.Enqueue(alice, bob, "hi"))
			}
			s.Drain(2 * time.Hour)
			s.eachSentOnce(t, ids...)
		})
	}
}

func TestStrays_Resolve(t *testing.T) {
	t.Parallel()
	s := shake(t, 10, nil)
	s.Sender.Script(queuetest.Answer{Err: queue.Unknown(errNo)})
	id := s.Enqueue(alice, bob, "hi")
	s.Drain(time.Minute)
	s.Queue.SetStore(flaky{s.store, script(map[string][]fault{"Requeue": {failsAfter}, "Get": {works, failsBefore}})})
	_, err := s.Queue.Resolve(t.Context(), id, queue.Resend)
	require.ErrorIs(t, err, errStore)
	require.Equal(t, queue.Queued, get(t, s.Queue, id).Status)
	require.Zero(t, s.Queue.Lanes())
	s.Enqueue(carol, bob, "hi")
	s.Drain(time.Hour)
	require.Equal(t, []queue.Status{queue.Queued, queue.Sending, queue.InDoubt, queue.Queued, queue.Sending, queue.Sent}, s.diary.way(id))
	require.EqualValues(t, 1, s.Queue.Counters().Resolved)
}

// A store that fails for long costs no more than so many.
func TestStrays_Many(t *testing.T) {
	t.Parallel()
	const many = 3000
	s := shake(t, 10, nil)
	down := true
	s.Queue.SetStore(flaky{s.store, func(string) fault {
		if down {
			return failsAfter
		}
		return works
	}})
	for n := range many {
		_, err := s.Queue.Enqueue(t.Context(), queue.Message{Account: number(n), To: bob, Text: "hi"})
		require.ErrorIs(t, err, errStore)
	}
	down = false
	for n := range many {
		s.Enqueue(alice, number(n), "hi")
	}
	require.EqualValues(t, 1024+many, s.Queue.Undone())
}
