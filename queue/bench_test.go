package queue_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// accounts are n names of lanes.
func accounts(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint("4477009", 10_000+i)
	}
	return names
}

// BenchmarkEnqueue is one message into a queue that nobody drives. It reports the
// heap that a waiting message takes, beyond what it was given: its text, its account
// and its recipient.
func BenchmarkEnqueue(b *testing.B) {
	for _, lanes := range []int{1, 1000} {
		b.Run(fmt.Sprint("lanes=", lanes), func(b *testing.B) {
			q := newQueue(b, policy.Standard(), always, queue.Options{})
			names := accounts(lanes)
			before := heap()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if _, err := q.Enqueue(context.Background(), queue.Message{Account: names[n%lanes], To: bob, Text: "hello"}); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(heap()-before)/float64(n), "B/waiting")
			runtime.KeepAlive(q)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkDrain is the sending of one message that waits, under no policy and with a
// sender that takes no time: what the queue itself costs. Each message is to another
// recipient. It reports the heap that a waiting message takes as well, beyond what it
// was given.
func BenchmarkDrain(b *testing.B) {
	for _, lanes := range []int{1, 1000} {
		names := accounts(lanes)
		var waiting float64
		fill := func(b *testing.B, q *queue.Queue) {
			b.Helper()
			recipients := make([]string, b.N)
			for n := range recipients {
				recipients[n] = number(n)
			}
			before := heap()
			for n, to := range recipients {
				if _, err := q.Enqueue(context.Background(), queue.Message{Account: names[n%lanes], To: to, Text: "hello"}); err != nil {
					b.Fatal(err)
				}
			}
			waiting = float64(heap()-before) / float64(b.N)
			runtime.KeepAlive(recipients)
		}
		report := func(b *testing.B, sent int64) {
			b.Helper()
			if sent != int64(b.N) {
				b.Fatalf("%d of %d sent", sent, b.N)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
			b.ReportMetric(waiting, "B/waiting")
		}
		b.Run(fmt.Sprintf("lanes=%d/Step", lanes), func(b *testing.B) {
			var sent int64
			q := newQueue(b, policy.Unlimited(), queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
				sent++
				return queue.Receipt{}, nil
			}), queue.Options{})
			fill(b, q)
			b.ReportAllocs()
			b.ResetTimer()
			if _, err := q.Step(context.Background()); err != nil {
				b.Fatal(err)
			}
			report(b, sent)
		})
		b.Run(fmt.Sprintf("lanes=%d/Run", lanes), func(b *testing.B) {
			var sent atomic.Int64
			done := make(chan struct{})
			q := newQueue(b, policy.Unlimited(), queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
				if sent.Add(1) == int64(b.N) {
					close(done)
				}
				return queue.Receipt{}, nil
			}), queue.Options{StopWait: time.Minute})
			fill(b, q)
			b.ReportAllocs()
			b.ResetTimer()
			stop := run(q)
			<-done
			if err := stop(); err != nil {
				b.Fatal(err)
			}
			report(b, sent.Load())
		})
	}
}

// BenchmarkDrain_Verified is one message to a recipient who is known, behind one
// that waits for its check.
func BenchmarkDrain_Verified(b *testing.B) {
	h, _ := queuetest.NewVerifier(b, checksOnly(policy.SlidingWindow{Max: 1, Window: time.Hour}), &queue.Options{Typing: quiet})
	h.Enqueue(alice, bob, "hello")
	h.Drain(0)
	h.Enqueue(alice, carol, "hello")
	for range b.N {
		h.Enqueue(alice, bob, "hello")
	}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := h.Queue.Step(context.Background()); err != nil {
		b.Fatal(err)
	}
	if sent := len(h.Sender.Sent()); sent != b.N+1 {
		b.Fatalf("%d of %d sent", sent, b.N+1)
	}
}

// BenchmarkPark is one message whose recipient waits for a check that has no
// budget, and is looked at for the first time.
func BenchmarkPark(b *testing.B) {
	h, _ := queuetest.NewVerifier(b, checksOnly(policy.SlidingWindow{Max: 1, Window: time.Hour}), &queue.Options{Typing: quiet})
	h.Enqueue(alice, bob, "hello")
	h.Drain(0)
	for n := range b.N {
		h.Enqueue(alice, number(n), "hello")
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := heap()
	if _, err := h.Queue.Step(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(heap()-before)/float64(b.N), "B/parked")
	if sent := len(h.Sender.Sent()); sent != 1 {
		b.Fatalf("%d sent", sent)
	}
}

// BenchmarkPark_Overtaking is one message to a recipient whom another one, which goes
// later, waits to be verified for.
func BenchmarkPark_Overtaking(b *testing.B) {
	h, _ := queuetest.NewVerifier(b, checksOnly(policy.SlidingWindow{Max: 1, Window: time.Hour}), &queue.Options{Typing: quiet})
	h.Enqueue(alice, bob, "hello")
	h.Drain(0)
	for n := range b.N {
		h.Enqueue(alice, number(n), "hello")
	}
	for priority := 0; priority <= 1; priority++ {
		if priority == 1 {
			b.ReportAllocs()
			b.ResetTimer()
		}
		for n := range b.N * priority {
			m := queue.Message{Account: alice, To: number(b.N - 1 - n), Text: "hello", Priority: 1}
			if _, err := h.Queue.Enqueue(context.Background(), m); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := h.Queue.Step(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	if sent := len(h.Sender.Sent()); sent != 1 {
		b.Fatalf("%d sent", sent)
	}
}
