package queue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// record is a new one for a store.
func record(n int, account string, change func(r *queue.Record)) *queue.Record {
	r := &queue.Record{
		Message:  queue.Message{ID: fmt.Sprint("m", n), Account: account, To: bob, Text: "hi"},
		Status:   queue.Queued,
		Enqueued: queuetest.Epoch().Add(time.Duration(n) * time.Minute), Order: uint64(n), Version: 1,
	}
	if change != nil {
		change(r)
	}
	return r
}

// next is a record's next version, with another status.
func next(r *queue.Record, status queue.Status) *queue.Record {
	c := *r
	c.Version++
	c.Status = status
	if status == queue.Sending {
		c.At, c.Done = c.Enqueued.Add(time.Second), time.Time{}
	} else if !c.At.IsZero() {
		c.Done = c.At.Add(time.Second)
	}
	return &c
}

func keep(t *testing.T, s queue.Store, r *queue.Record) string {
	t.Helper()
	id, err := s.Add(t.Context(), r, time.Time{})
	require.NoError(t, err)
	return id
}

func TestMemory_Conflicts(t *testing.T) {
	t.Parallel()
	s := queue.NewMemory(10)
	r := record(1, alice, nil)
	require.ErrorIs(t, s.Change(t.Context(), next(r, queue.Sending), nil), queue.ErrUnknownMessage)
	keep(t, s, r)
	_, err := s.Add(t.Context(), record(1, alice, nil), time.Time{})
	require.ErrorIs(t, err, queue.ErrConflict)
	begun := next(r, queue.Sending)
	require.NoError(t, s.Change(t.Context(), begun, nil))
	require.ErrorIs(t, s.Change(t.Context(), begun, nil), queue.ErrConflict, "it is done already")
	require.EqualError(t, s.Change(t.Context(), next(r, queue.Failed), nil), `queue: status does not allow it: message "m1" is sending, version 2`)
	require.NoError(t, s.Change(t.Context(), next(begun, queue.Sent), nil))
	require.ErrorIs(t, s.Change(t.Context(), next(begun, queue.Failed), nil), queue.ErrConflict)
	kept, err := s.Get(t.Context(), "m1")
	require.NoError(t, err)
	require.Equal(t, queue.Sent, kept.Status)
}

func TestMemory_Keys(t *testing.T) {
	t.Parallel()
	s := queue.NewMemory(0)
	keyed := func(n int, account, key string) *queue.Record {
		return record(n, account, func(r *queue.Record) { r.Key = key })
	}
	add := func(r *queue.Record) string {
		id, err := s.Add(t.Context(), r, r.Enqueued.Add(-10*time.Minute))
		require.NoError(t, err)
		return id
	}
	require.Equal(t, "m1", add(keyed(1, alice, "k")))
	require.Equal(t, "m1", add(keyed(2, alice, "k")))
	_, err := s.Get(t.Context(), "m2")
	require.ErrorIs(t, err, queue.ErrUnknownMessage, "nothing is kept")
	require.Equal(t, "m3", add(keyed(3, carol, "k")), "another account's")
	require.Equal(t, "m4", add(keyed(4, alice, "other")))
	require.Equal(t, "m5", add(keyed(5, alice, "")))
	require.Equal(t, "m6", add(keyed(6, alice, "")), "no key is no key")
	require.NoError(t, s.Change(t.Context(), next(keyed(1, alice, "k"), queue.Sent), nil))
	require.Equal(t, "m1", add(keyed(10, alice, "k")), "also where the message is forgotten")
	require.Equal(t, "m11", add(keyed(11, alice, "k")), "ten minutes are over")
	require.Equal(t, "m11", add(keyed(20, alice, "k")))
}

func TestMemory_List(t *testing.T) {
	t.Parallel()
	s := queue.NewMemory(100)
	for n := range 50 {
		keep(t, s, record(n+1, []string{alice, carol}[n%2], func(r *queue.Record) {
			r.Campaign = []string{"", "spring", "autumn"}[n%3]
			r.WireID = fmt.Sprint("w", n+1)
		}))
	}
	for _, n := range []int{10, 20} {
		kept, err := s.Get(t.Context(), fmt.Sprint("m", n))
		require.NoError(t, err)
		require.NoError(t, s.Change(t.Context(), next(&kept, queue.Failed), nil))
	}
	list := func(f queue.Filter) (ids []string) {
		if f.Limit == 0 {
			f.Limit = 1000
		}
		page, err := s.List(t.Context(), f)
		require.NoError(t, err)
		for _, r := range page {
			ids = append(ids, r.ID)
		}
		return ids
	}
	require.Len(t, list(queue.Filter{}), 50)
	require.Equal(t, []string{"m50", "m49", "m48"}, list(queue.Filter{Limit: 3}))
	require.Equal(t, []string{"m47", "m46"}, list(queue.Filter{Limit: 2, Before: 48}))
	require.Equal(t, []string{"m2", "m1"}, list(queue.Filter{Before: 3}))
	require.Empty(t, list(queue.Filter{Before: 1}))
	require.Equal(t, []string{"m49", "m47"}, list(queue.Filter{Account: alice, Limit: 2}))
	require.Equal(t, []string{"m50", "m47"}, list(queue.Filter{Campaign: "spring", Limit: 2}))
	require.Equal(t, []string{"m7"}, list(queue.Filter{WireID: "w7"}))
	require.Equal(t, []string{"m20", "m10"}, list(queue.Filter{Statuses: []queue.Status{queue.Sent, queue.Failed}}))
	require.Len(t, list(queue.Filter{To: bob}), 50)
	require.Empty(t, list(queue.Filter{To: carol}))
	at := func(n int) time.Time { return queuetest.Epoch().Add(time.Duration(n) * time.Minute) }
	require.Equal(t, []string{"m9", "m8"}, list(queue.Filter{From: at(8), Until: at(10)}))

	page, err := s.List(t.Context(), queue.Filter{Limit: 1})
	require.NoError(t, err)
	page[0].Text = "changed"
	kept, err := s.Get(t.Context(), "m50")
	require.NoError(t, err)
	require.Equal(t, "hi", kept.Text, "it is the caller's to change")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errNo)
	keep(t, s, record(1024, alice, nil))
	for n := range 2000 {
		keep(t, s, record(2000+n, alice, nil))
	}
	_, err = s.List(ctx, queue.Filter{Account: "nobody", Limit: 1})
	require.ErrorIs(t, err, errNo)
}

// What is forgotten takes no room, however much is.
func TestMemory_ListAfterForgetting(t *testing.T) {
	t.Parallel()
	s := queue.NewMemory(10)
	for n := 1; n <= 1000; n++ {
		r := record(n, alice, nil)
		keep(t, s, r)
		if n%100 != 0 {
			require.NoError(t, s.Change(t.Context(), next(r, queue.Failed), nil))
		}
	}
	page, err := s.List(t.Context(), queue.Filter{Limit: 1000})
	require.NoError(t, err)
	require.Len(t, page, 20, "10 wait, and 10 are remembered")
	for i := 1; i < len(page); i++ {
		require.Less(t, page[i].Order, page[i-1].Order)
	}
}

func TestMemory_Load(t *testing.T) {
	t.Parallel()
	s := queue.NewMemory(10)
	saved, err := s.Load(t.Context(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, &queue.Saved{}, saved)
	for _, n := range []int{3, 1, 2, 5, 4} { // enqueued at once by several
		keep(t, s, record(n, alice, nil))
	}
	require.NoError(t, s.Change(t.Context(), next(record(2, alice, nil), queue.Sending), &queue.Pace{Account: alice, Snapshot: []byte("spent")}))
	require.NoError(t, s.Change(t.Context(), next(record(3, alice, nil), queue.Cancelled), nil))
	require.NoError(t, s.Keep(t.Context(), &queue.Pace{Snapshot: []byte("held")}))
	require.NoError(t, s.Keep(t.Context(), &queue.Pace{Account: carol, Snapshot: []byte("x")}))
	require.NoError(t, s.Keep(t.Context(), &queue.Pace{Account: carol}))
	saved, err = s.Load(t.Context(), time.Hour)
	require.NoError(t, err)
	var waiting []string
	for _, r := range saved.Waiting {
		waiting = append(waiting, r.ID+" "+string(r.Status))
	}
	require.Equal(t, []string{"m1 queued", "m2 sending", "m4 queued", "m5 queued"}, waiting)
	require.Equal(t, []queue.Pace{{Snapshot: []byte("held")}, {Account: alice, Snapshot: []byte("spent")}}, saved.Paces)
	require.EqualValues(t, 5, saved.Last)
}

func TestMemory_Attempts(t *testing.T) {
	t.Parallel()
	s := queue.NewMemory(0)
	_, err := s.Load(t.Context(), time.Hour)
	require.NoError(t, err)
	at := queuetest.Epoch()
	for n := 1; n <= 200; n++ {
		r := record(n, alice, func(r *queue.Record) { r.Campaign = "spring" })
		keep(t, s, r)
		begun := next(r, queue.Sending)
		require.NoError(t, s.Change(t.Context(), begun, nil))
		if n == 200 {
			break
		}
		end := queue.Sent
		if n == 150 {
			end = queue.Queued
		}
		require.NoError(t, s.Change(t.Context(), next(begun, end), nil))
	}
	attempts, err := s.Attempts(t.Context(), alice, at.Add(149*time.Minute+2*time.Second))
	require.NoError(t, err)
	require.Len(t, attempts, 51)
	require.Equal(t, queue.Attempt{
		ID: "m150", Account: alice, To: bob, Campaign: "spring", Status: queue.Queued,
		At: at.Add(150*time.Minute + time.Second), Done: at.Add(150*time.Minute + 2*time.Second),
	}, attempts[0])
	require.Equal(t, queue.Sent, attempts[49].Status)
	require.Equal(t, queue.Attempt{
		ID: "m200", Account: alice, To: bob, Campaign: "spring", Status: queue.Sending, At: at.Add(200*time.Minute + time.Second),
	}, attempts[50])
	all, err := s.Attempts(t.Context(), alice, time.Time{})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 60, "an hour's, though the messages are forgotten")
	require.Less(t, len(all), 70)
	none, err := s.Attempts(t.Context(), carol, time.Time{})
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestEnqueue_Key(t *testing.T) {
	t.Parallel()
	var d diary
	h := queuetest.NewOptions(t, rules(), &queue.Options{OnEvent: d.write, KeepKeys: time.Hour, History: -1, SendWait: -1})
	m := hi(alice)
	m.Key = "order 7"
	first := enqueue(t, h.Queue, m)
	m.Text = "said otherwise"
	require.Equal(t, first, enqueue(t, h.Queue, m))
	r, err := h.Queue.Send(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, "hi", r.Text)
	h.Drain(time.Minute)
	require.Len(t, h.Sender.Sent(), 1)
	require.Equal(t, first, enqueue(t, h.Queue, m), "also where it is done with and forgotten")
	require.Equal(t, []queue.Status{queue.Queued, queue.Sending, queue.Sent}, d.way(first))
	require.Zero(t, h.Queue.Lanes())
	h.Clock.Advance(time.Hour)
	require.NotEqual(t, first, enqueue(t, h.Queue, m))
}

func TestEnqueue_WireID(t *testing.T) {
	t.Parallel()
	n := 0
	h := queuetest.NewOptions(t, rules(), &queue.Options{NewWireID: func(m queue.Message) string {
		n++
		return fmt.Sprint(m.To, "-", n)
	}})
	made := h.Enqueue(alice, bob, "hi")
	m := hi(alice)
	m.WireID, m.InDoubt = "mine", queue.ResendInDoubt
	given := enqueue(t, h.Queue, m)
	require.Equal(t, bob+"-1", get(t, h.Queue, made).WireID)
	h.Drain(time.Minute)
	require.Equal(t, bob+"-1", h.Sender.Sent()[0].WireID)
	require.Equal(t, "mine", h.Sender.Sent()[1].WireID)
	require.Equal(t, "mine", get(t, h.Queue, given).WireID)
}

func TestList(t *testing.T) {
	t.Parallel()
	h := queuetest.New(t, rules())
	var ids []string
	for range 250 {
		ids = append(ids, h.Enqueue(alice, bob, "hi"))
	}
	var seen []string
	f := queue.Filter{Account: alice}
	for {
		page, err := h.Queue.List(t.Context(), f)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		require.LessOrEqual(t, len(page), 100)
		for _, r := range page {
			seen = append(seen, r.ID)
		}
		f.Before = page[len(page)-1].Order
		h.Enqueue(alice, bob, "comes in meanwhile")
	}
	require.Len(t, seen, 250)
	for i, id := range seen {
		require.Equal(t, ids[249-i], id)
	}
	for _, limit := range []int{-1, queue.MaxPage + 1} {
		_, err := h.Queue.List(t.Context(), queue.Filter{Limit: limit})
		require.True(t, errors.Is(err, queue.ErrOption), limit)
	}
}
