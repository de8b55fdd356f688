package queue_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

const (
	alice = "447700900000"
	carol = "447700900099"
	bob   = "447700900001"
)

// always is a sender for which every message is out at once.
var always = queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) { return queue.Receipt{}, nil })

// quiet shows no typing.
var quiet = &queue.Typing{}

// rules is a policy of limits that are named a, b, c ...
func rules(limits ...policy.Limit) policy.Policy {
	var p policy.Policy
	for i, l := range limits {
		p.Rules = append(p.Rules, policy.Rule{Name: string(rune('a' + i)), Limit: l})
	}
	return p
}

func hi(account string) queue.Message { return queue.Message{Account: account, To: bob, Text: "hi"} }

func newQueue(t testing.TB, p policy.Policy, s queue.Sender, o queue.Options) *queue.Queue {
	t.Helper()
	if o.Seed == 0 {
		o.Seed = 1
	}
	q, err := queue.New(p, s, &o)
	require.NoError(t, err)
	return q
}

func enqueue(t testing.TB, q *queue.Queue, m queue.Message) (id string) {
	t.Helper()
	id, err := q.Enqueue(t.Context(), m)
	require.NoError(t, err)
	return id
}

func get(t testing.TB, q *queue.Queue, id string) queue.Record {
	t.Helper()
	r, err := q.Get(context.Background(), id)
	require.NoError(t, err)
	return r
}

// run drives a queue until stop is called, which returns what Run did.
func run(q *queue.Queue) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

// A diary keeps a queue's events.
type diary struct {
	mu     sync.Mutex
	events []queue.Event
}

func (d *diary) write(e queue.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
}

func (d *diary) all() []queue.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]queue.Event(nil), d.events...)
}

// ended is the records that became final, in order.
func (d *diary) ended() (records []queue.Record) {
	for _, e := range d.all() {
		if e.Record.Status.Final() {
			records = append(records, e.Record)
		}
	}
	return records
}

// way is the statuses of one message, in order.
func (d *diary) way(id string) (way []queue.Status) {
	for _, e := range d.all() {
		if e.Record.ID == id {
			way = append(way, e.Record.Status)
		}
	}
	return way
}

// check holds that every message of the diary went one of the ways that there are,
// each step from the last one's status, and returns their last records.
func (d *diary) check(t testing.TB) map[string]queue.Record {
	t.Helper()
	last := map[string]queue.Record{}
	for _, e := range d.all() {
		before, known := last[e.Record.ID]
		require.Equal(t, before.Status, e.From, "message %s", e.Record.ID)
		switch e.Record.Status {
		case queue.Queued:
			require.True(t, !known || before.Status == queue.Sending || before.Status == queue.InDoubt, "message %s was new twice", e.Record.ID)
		case queue.Sending:
			require.Equal(t, queue.Queued, before.Status)
		case queue.InDoubt:
			require.Equal(t, queue.Sending, before.Status)
		case queue.Sent:
			require.True(t, before.Status == queue.Sending || before.Status == queue.InDoubt || before.Status == queue.Queued && before.Resent)
		case queue.Failed:
			require.Contains(t, []queue.Status{queue.Queued, queue.Sending, queue.InDoubt}, before.Status)
		case queue.Cancelled:
			require.Equal(t, queue.Queued, before.Status)
		case queue.Expired:
			require.Contains(t, []queue.Status{queue.Queued, queue.Sending}, before.Status)
		default:
			require.Fail(t, "unknown status", "%q", e.Record.Status)
		}
		last[e.Record.ID] = e.Record
	}
	return last
}

// A logbook is a logger that keeps what it is told.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logbook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// seconds prints times as seconds since start.
func seconds(start time.Time, times []time.Time) string {
	var s []float64
	for _, t := range times {
		s = append(s, t.Sub(start).Seconds())
	}
	return fmt.Sprint(s)
}
