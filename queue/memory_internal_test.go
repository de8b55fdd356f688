package queue

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fresh is a new record for a store.
func fresh(n uint64) *Record {
	return &Record{
		Message:  Message{ID: fmt.Sprint("m", n), Account: "a", To: "447700900001", Text: "hi", Payload: []byte{1}},
		Enqueued: time.Unix(int64(n), 0).UTC(), Order: n, Status: Queued, Version: 1,
	}
}

func mustAdd(t *testing.T, s Store, r *Record) {
	t.Helper()
	_, err := s.Add(t.Context(), r, time.Time{})
	require.NoError(t, err)
}

// To begin a message is to get it and to change it.
func TestMemory_Begin(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0).UTC()
	for name, change := range map[string]func(r *Record, it *item){
		"new":        func(*Record, *item) {},
		"typed":      func(_ *Record, it *item) { it.way.typing = time.Second },
		"redirected": func(_ *Record, it *item) { it.redirect("447700900002") },
		"tried before": func(r *Record, it *item) {
			r.Version, r.Attempts, r.Code, r.Err, r.RetryAt = 3, 1, SendUnknown, "no", now
			r.At, r.Done = now.Add(-2), now.Add(-1)
			it.terms = r.terms()
		},
	} {
		r := fresh(1)
		it := &item{core: core{id: r.ID, to: r.To}, way: &way{}}
		change(r, it)
		one, two := newMemory(1), newMemory(1)
		mustAdd(t, one, r)
		mustAdd(t, two, r)
		q := &Queue{store: two}
		want, err := q.unsent(t.Context(), it)
		require.NoError(t, err, name)
		want.begin(now, it.way.typing)
		require.NoError(t, two.Change(t.Context(), &want, nil))

		got := Record{Message: Message{Meta: map[string]string{"of": "another"}}, Receipt: Receipt{ID: "of another"}}
		require.NoError(t, one.begin(it, now, &got), name)
		require.Equal(t, want, got, name)
		kept, err := one.Get(t.Context(), r.ID)
		require.NoError(t, err)
		require.Equal(t, want, kept, name)
		require.Equal(t, Sending, kept.Status)

		err = one.begin(it, now, &got)
		require.ErrorIs(t, err, ErrConflict, name)
		_, same := q.unsent(t.Context(), it)
		require.EqualError(t, err, same.Error())
		again, err := one.Get(t.Context(), r.ID)
		require.NoError(t, err)
		require.Equal(t, kept, again, "nothing is done")
	}
	require.ErrorIs(t, newMemory(1).begin(&item{core: core{id: "m1"}, way: &way{}}, now, &Record{}), ErrUnknownMessage)
}

// Many add, send, list and resolve at once: every page is in order, and what is left is
// what waits and the last that are done with.
func TestMemory_AtOnce(t *testing.T) {
	t.Parallel()
	const workers, each, history = 8, 300, 20
	s := newMemory(history)
	var all sync.WaitGroup
	wrong := make(chan string, workers)
	for w := range uint64(workers) {
		all.Go(func() {
			dice := rand.New(rand.NewPCG(1, w))
			for n := range uint64(each) {
				if problem := oneAtOnce(s, fresh(n*workers+w+1), dice); problem != "" {
					wrong <- problem
					return
				}
			}
		})
	}
	all.Wait()
	close(wrong)
	for problem := range wrong {
		require.Empty(t, problem)
	}
	saved, err := s.Load(t.Context(), 0)
	require.NoError(t, err)
	require.EqualValues(t, workers*each, saved.Last)
	page, err := s.List(t.Context(), Filter{Limit: workers * each})
	require.NoError(t, err)
	ended := slices.DeleteFunc(slices.Clone(page), func(r Record) bool { return !r.Status.Final() })
	require.Len(t, page, len(saved.Waiting)+len(ended))
	require.LessOrEqual(t, len(ended), history)
	require.NotEmpty(t, ended, "one that was done with twice takes two places")
	n := 0
	for i := range s.parts {
		n += s.parts[i].records.n
	}
	require.Equal(t, len(page), n)
	require.LessOrEqual(t, len(s.past.order), 2*n+130)
	for _, r := range page {
		kept, err := s.Get(t.Context(), r.ID)
		require.NoError(t, err)
		require.Equal(t, r, kept)
	}
}

// oneAtOnce takes a message in, has it end, be resolved and wait, each by chance, and
// says what was wrong.
func oneAtOnce(s *memory, r *Record, dice *rand.Rand) string {
	ctx := context.Background()
	if _, err := s.Add(ctx, r, time.Time{}); err != nil {
		return err.Error()
	}
	it := &item{core: core{id: r.ID, to: r.To}, way: &way{}}
	for _, status := range []Status{Sending, InDoubt, Queued, Sending, Sent} {
		var err error
		if it.terms = r.terms(); status == Sending {
			err = s.begin(it, r.Enqueued, r)
		} else {
			r.Status, r.Version = status, r.Version+1
			err = s.Change(ctx, r, nil)
		}
		if err != nil {
			if r.Status == Queued { // in doubt for so long that it was forgotten
				return ""
			}
			return err.Error()
		}
		if dice.IntN(8) == 0 {
			break
		}
	}
	if dice.IntN(8) > 0 {
		return ""
	}
	page, err := s.List(ctx, Filter{Limit: 50})
	if err != nil {
		return err.Error()
	}
	if !slices.IsSortedFunc(page, func(a, b Record) int { return int(int64(b.Order - a.Order)) }) {
		return "a page is out of order"
	}
	return ""
}

// A message that was in doubt and is sent again is among the last that are done with,
// as of when it was sent.
func TestMemory_DoneWithTwice(t *testing.T) {
	t.Parallel()
	s := newMemory(2)
	change := func(r *Record, all ...Status) {
		t.Helper()
		for _, status := range all {
			r.Status, r.Version = status, r.Version+1
			require.NoError(t, s.Change(t.Context(), r, nil))
		}
	}
	one, two, three, four := fresh(1), fresh(2), fresh(3), fresh(4)
	for _, r := range []*Record{one, two, three, four} {
		mustAdd(t, s, r)
	}
	change(one, InDoubt)
	change(two, Sent)
	change(one, Queued, Sent)
	kept, err := s.Get(t.Context(), one.ID)
	require.NoError(t, err, "it was done with last")
	require.Equal(t, Sent, kept.Status)
	change(three, Sent)
	_, err = s.Get(t.Context(), two.ID)
	require.ErrorIs(t, err, ErrUnknownMessage)
	_, err = s.Get(t.Context(), one.ID)
	require.NoError(t, err)
	change(four, Sent)
	_, err = s.Get(t.Context(), one.ID)
	require.ErrorIs(t, err, ErrUnknownMessage)
	page, err := s.List(t.Context(), Filter{Limit: 9})
	require.NoError(t, err)
	require.Len(t, page, 2)
}

// The order of messages against a list of them, whichever are forgotten.
func TestPast_Model(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		dice := rand.New(rand.NewPCG(seed, 0))
		var p past
		var in []*kept
		for n := range uint64(2000) {
			if len(in) > 0 && dice.IntN(100) < int(40+seed) {
				i := dice.IntN(min(len(in), []int{1, 50, 2000}[dice.IntN(3)]))
				in[i].wipe()
				in = slices.Delete(in, i, i+1)
				p.trim()
			} else {
				k := &kept{order: 10*n - min(10*n, uint64(dice.IntN(25)))}
				if slices.ContainsFunc(p.order, func(other *kept) bool { return other.order == k.order }) {
					continue
				}
				p.add(k)
				at, _ := slices.BinarySearchFunc(in, k.order, func(k *kept, order uint64) int { return int(int64(k.order - order)) })
				in = slices.Insert(in, at, k)
			}
			left := slices.DeleteFunc(slices.Clone(p.order), func(k *kept) bool { return k.gone })
			require.True(t, slices.Equal(in, left))
			require.Equal(t, len(p.order)-len(in), p.gone)
			require.LessOrEqual(t, len(p.order), 2*len(in)+130)
		}
	}
}
