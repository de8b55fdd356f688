//go:build unix

package queue_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// The gaps of the lanes that are measured: a lane sends every 7 s on average.
const (
	leastGap = 5 * time.Second
	mostGap  = 9 * time.Second
)

// warmUp passes before lateness is measured.
const warmUp = 2 * time.Second

// BenchmarkLanes is a second of lanes that all send as fast as their gaps let
// them, on the real clock and to a sender that takes no time. It reports how late
// sends were behind the instant that the limiter had named, the share of a core
// that all took, and the heap that a lane takes beyond its messages and its
// limiter's record. Beside it stand two yardsticks of a goroutine for each lane:
// "loops" does what the queue does for such a message, with the same limiter and the
// same store; "timers" has a timer and a channel, draws its gaps itself, asks no limiter
// and keeps nothing, so that little but the runtime is measured. Run it for some tens of
// seconds: -benchtime 20x. A million loops take 10 GB.
func BenchmarkLanes(b *testing.B) {
	for _, lanes := range []int{100_000, 1_000_000} {
		n := lanes
		name := strconv.Itoa(lanes)
		b.Run("queue/"+name, func(b *testing.B) { benchmarkLanes(b, short(b, n)) })
		b.Run("loops/"+name, func(b *testing.B) { benchmarkLoops(b, short(b, n)) })
		b.Run("timers/"+name, func(b *testing.B) { benchmarkTimers(b, short(b, n)) })
	}
}

// short is a tenth of a million lanes where each benchmark is only tried once.
func short(b *testing.B, lanes int) int {
	b.Helper()
	if b.N == 1 {
		return min(lanes, 100_000)
	}
	return lanes
}

func benchmarkLanes(b *testing.B, lanes int) {
	names := accounts(lanes)
	size := laneSize(b, names)
	p := rules(policy.Gap{Min: leastGap, Max: mostGap})
	l, err := limiter.New(p, &limiter.Options{Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	m := newLateness(lanes, b.N)
	q := newQueue(b, p, queue.SenderFunc(func(_ context.Context, msg queue.Message) (queue.Receipt, error) {
		m.sent(lane(msg.Account), time.Now())
		return queue.Receipt{}, nil
	}), queue.Options{Limiter: l, History: -1, Typing: quiet, OnEvent: func(e queue.Event) {
		if e.Record.Status == queue.Sent {
			m.next(l, lane(e.Record.Account), e.Record.Account)
		}
	}})
	for range perLane(b) {
		for _, name := range names {
			enqueue(b, q, hi(name))
		}
	}
	m.begin(l, names)
	runtime.GC()
	b.ResetTimer()
	stop := run(q)
	m.measure(b)
	b.StopTimer()
	before := time.Now()
	if err := stop(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(time.Since(before).Microseconds())/1000, "ms-stop")
	b.ReportMetric(size, "B/lane")
}

// perLane is how many messages each lane has, so that none runs out of them.
func perLane(b *testing.B) int {
	b.Helper()
	return 2 + int((warmUp+time.Duration(b.N)*time.Second)/leastGap)
}

// laneRequest is what a lane asks of the limiter for each message.
func laneRequest(account string) limiter.Request {
	return limiter.Request{Account: account, Action: policy.SendMessage, Recipient: bob}
}

// lane is the number of an account's lane among accounts.
func lane(account string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(account, "4477009"))
	return n - 10_000
}

// laneSize is the heap that a lane takes beyond its messages and its limiter's
// record: what many lanes that have sent a message each, and have one left, take
// more than one lane with as many messages.
func laneSize(b *testing.B, names []string) float64 {
	b.Helper()
	n := len(names)
	recipients := make([]string, 2*n) // each another one, so that none waits behind another
	for i := range recipients {
		recipients[i] = number(i)
	}
	build := func(p policy.Policy, account func(int) string) (bytes int64) {
		l, err := limiter.New(p, nil)
		if err != nil {
			b.Fatal(err)
		}
		q := newQueue(b, p, always, queue.Options{Limiter: l, History: -1, Typing: quiet})
		before := heap()
		for i := range 2 * n {
			enqueue(b, q, queue.Message{Account: account(i), To: recipients[i], Text: "hi"})
		}
		if _, err := q.Step(context.Background()); err != nil {
			b.Fatal(err)
		}
		bytes = int64(heap() - before)
		runtime.KeepAlive(q)
		runtime.KeepAlive(l)
		return bytes
	}
	gap := rules(policy.Gap{Min: time.Hour, Max: time.Hour})
	many := build(gap, func(i int) string { return names[i%n] })
	one := build(rules(policy.CalendarWindow{Max: int64(n), Unit: policy.Month}), func(int) string { return names[0] })

	l, err := limiter.New(gap, nil)
	if err != nil {
		b.Fatal(err)
	}
	before := heap()
	for _, name := range names {
		permit, _ := l.Take(time.Now(), laneRequest(name))
		permit.Settle(time.Now(), limiter.Sent)
	}
	records := int64(heap() - before)
	runtime.KeepAlive(l)
	runtime.KeepAlive(recipients) // until here, so that it counts for nothing
	return float64(many-one-records) / float64(n)
}

// A lateness is how long after they were due messages were sent.
type lateness struct {
	due     []time.Time // of each lane's next message
	seconds int
	open    atomic.Bool
	n       atomic.Int64
	late    []time.Duration
}

func newLateness(lanes, seconds int) *lateness {
	return &lateness{
		due: make([]time.Time, lanes), seconds: seconds,
		late: make([]time.Duration, (seconds+2)*lanes/int(leastGap/time.Second)),
	}
}

// begin has each account send within the last 7 s.
func (m *lateness) begin(l *limiter.Limiter, names []string) {
	dice := rand.New(rand.NewPCG(1, 2))
	start := time.Now()
	for i, name := range names {
		l.Allow(start.Add(-time.Duration(dice.Int64N(int64(leastGap+mostGap)/2))), laneRequest(name))
		m.next(l, i, name)
	}
}

// next notes when a lane's next message is due.
func (m *lateness) next(l *limiter.Limiter, lane int, account string) {
	now := time.Now()
	m.due[lane] = now.Add(l.Check(now, laneRequest(account)).RetryAfter)
}

func (m *lateness) sent(lane int, now time.Time) {
	if due := m.due[lane]; m.open.Load() && !due.IsZero() {
		if n := m.n.Add(1); n <= int64(len(m.late)) {
			m.late[n-1] = now.Sub(due)
		}
	}
}

// measure waits and reports.
func (m *lateness) measure(b *testing.B) {
	b.Helper()
	time.Sleep(warmUp)
	used, began := cpu(b), time.Now()
	m.open.Store(true)
	time.Sleep(time.Duration(m.seconds) * time.Second)
	m.open.Store(false)
	took := time.Since(began)
	b.ReportMetric(100*(cpu(b)-used).Seconds()/took.Seconds(), "%core")
	n := min(int(m.n.Load()), len(m.late))
	if n == 0 {
		b.Fatal("nothing was sent")
	}
	late := slices.Clone(m.late[:n])
	slices.Sort(late)
	b.ReportMetric(float64(n)/took.Seconds(), "msgs/s")
	for _, q := range []struct {
		name string
		at   int
	}{{"ms-p50", n / 2}, {"ms-p99", n * 99 / 100}, {"ms-max", n - 1}} {
		b.ReportMetric(late[q.at].Seconds()*1000, q.name)
	}
}

// cpu is the processor time that the process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
