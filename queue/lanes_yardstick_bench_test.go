//go:build unix

package queue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// benchmarkLoops is lanes that are a goroutine each, which takes a message from its
// channel, stands in the limiter's line, records it as sending, calls the sender for so
// long at most, settles and records what became of it: what one writes who has the
// limiter, the store and no queue.
func benchmarkLoops(b *testing.B, lanes int) {
	names := accounts(lanes)
	l, err := limiter.New(rules(policy.Gap{Min: leastGap, Max: mostGap}), &limiter.Options{Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	m := newLateness(lanes, b.N)
	sender := queue.SenderFunc(func(_ context.Context, msg queue.Message) (queue.Receipt, error) {
		m.sent(lane(msg.Account), time.Now())
		return queue.Receipt{}, nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	store := queue.NewVolatile()
	each := perLane(b)
	ids := make([][]string, lanes)
	for i, name := range names {
		for n := range each {
			r := queue.Record{Message: hi(name), Status: queue.Queued, Version: 1, Order: uint64(n*lanes + i + 1), Enqueued: time.Now()}
			r.ID = fmt.Sprintf("%026d", r.Order)
			if _, err := store.Add(ctx, &r, time.Time{}); err != nil {
				b.Fatal(err)
			}
			ids[i] = append(ids[i], r.ID)
		}
	}
	m.begin(l, names)
	var all sync.WaitGroup
	before := heap() + stacks()
	for i, name := range names {
		inbox := make(chan string, each)
		for _, id := range ids[i] {
			inbox <- id
		}
		all.Go(func() {
			for {
				var id string
				select {
				case id = <-inbox:
				case <-ctx.Done():
					return
				}
				permit, err := limiter.Wait(ctx, nil, l, laneRequest(name))
				if err != nil {
					return
				}
				if err := deliver(ctx, store, sender, id); err != nil {
					b.Error(err)
				}
				permit.Settle(time.Now(), limiter.Sent)
				m.next(l, i, name)
			}
		})
	}
	m.finish(b, before, func() { cancel(); all.Wait() })
	runtime.KeepAlive(ids)
}

// deliver sends a message that is kept in a store, and keeps what became of it.
func deliver(ctx context.Context, store queue.Store, s queue.Sender, id string) error {
	r, err := store.Get(ctx, id)
	if err != nil {
		return err
	}
	r.Status, r.At = queue.Sending, time.Now()
	r.Attempts++
	r.Version++
	if err := store.Change(ctx, &r, nil); err != nil {
		return err
	}
	call, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if r.Receipt, err = s.Send(call, r.Message); err != nil {
		return err
	}
	r.Status, r.Done = queue.Sent, time.Now()
	r.Version++
	return store.Change(ctx, &r, nil)
}

func benchmarkTimers(b *testing.B, lanes int) {
	m := newLateness(lanes, b.N)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	wake := make([]chan struct{}, lanes)
	before := heap() + stacks()
	dice := rand.New(rand.NewPCG(1, 2))
	for i := range lanes {
		wake[i] = make(chan struct{}, 1)
		first := time.Duration(dice.Int64N(int64(leastGap+mostGap) / 2))
		all.Go(func() { // the lane's life
			own := rand.New(rand.NewPCG(1, uint64(i)))
			due := time.Now().Add(first)
			timer := time.NewTimer(first)
			defer timer.Stop()
			for {
				select {
				case <-timer.C:
				case <-wake[i]:
					continue
				case <-ctx.Done():
					return
				}
				m.due[i] = due
				now := time.Now()
				m.sent(i, now)
				gap := leastGap + time.Duration(own.Int64N(int64(mostGap-leastGap)))
				due = now.Add(gap)
				timer.Reset(gap)
			}
		})
	}
	m.finish(b, before, func() { cancel(); all.Wait() })
	runtime.KeepAlive(wake)
}

// stacks is the memory of all goroutines' stacks.
func stacks() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.StackInuse
}

// finish measures lanes that have begun, with the memory that there was before, and
// stops them.
func (m *lateness) finish(b *testing.B, before uint64, stop func()) {
	b.Helper()
	size := float64(heap()+stacks()-before) / float64(len(m.due))
	b.ResetTimer()
	m.measure(b)
	b.StopTimer()
	began := time.Now()
	stop()
	b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "ms-stop")
	b.ReportMetric(size, "B/lane")
}
