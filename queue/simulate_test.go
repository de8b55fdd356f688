package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A world is a queue whose sender, typist, store and neighbours fail in every way,
// as a seed has it, and a ledger of what was on the wire.
type world struct {
	mu       sync.Mutex // also the dice's
	dice     *rand.Rand
	policy   policy.Policy
	limiter  *limiter.Limiter
	clock    limiter.Clock
	queue    *queue.Queue
	store    queue.Store // without its faults
	diary    diary
	width    int          // of the lanes
	faulty   atomic.Int64 // in percent, how often the store fails
	ledger   []queuetest.Call
	wire     []queue.Message
	enqueued []string          // IDs, in order
	asked    map[string]string // for whom, by ID
	accounts []string
	verify   bool
}

func newWorld(t *testing.T, seed uint64, clock limiter.Clock) *world {
	t.Helper()
	w := &world{dice: rand.New(rand.NewPCG(seed, 1)), clock: clock, asked: map[string]string{}}
	w.policy = pick(w, policy.Standard(), policy.Strict(), policy.Unlimited(),
		rules(policy.Gap{Min: time.Second, Max: 8 * time.Second, Every: 3}, policy.SlidingWindow{Max: 9, Window: 10 * time.Minute}),
		rules(policy.TokenBucket{Max: 6, Per: time.Minute, Burst: 4}, policy.Concurrency{Max: 3}, policy.CalendarWindow{Max: 40, Unit: policy.Day}),
	)
	var err error
	w.limiter, err = limiter.New(w.policy, &limiter.Options{Seed: seed + 1})
	require.NoError(t, err)
	o := queue.Options{
		Limiter: w.limiter, Clock: clock, Seed: seed + 1, OnEvent: w.diary.write,
		Width: 1 + w.intN(3), Workers: 1 + w.intN(10), History: 1 << 20,
	}
	if w.intN(3) == 0 {
		o.Typing = quiet
	}
	w.width = o.Width
	for _, r := range w.policy.Rules {
		if c, ok := r.Limit.(policy.Concurrency); ok {
			w.width = int(c.Max)
		}
	}
	w.verify = w.intN(2) == 0
	o.Verify = &queue.Verify{Off: !w.verify, Yes: pick(w, -1, time.Minute, 0), No: pick(w, -1, time.Minute, 0), Most: pick(w, -1, 2, 0)}
	w.queue, err = queue.New(w.policy, w, &o)
	require.NoError(t, err)
	w.store = queue.NewMemory(1 << 20)
	w.queue.SetStore(flaky{w.store, w.fault})
	w.faulty.Store(pick[int64](w, 0, 5, 30))
	for i := range 1 + w.intN(4) {
		w.accounts = append(w.accounts, fmt.Sprint("account ", i))
	}
	return w
}

func pick[T any](w *world, of ...T) T { return of[w.intN(len(of))] }

func (w *world) intN(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dice.IntN(n)
}

// upTo is a random time below d.
func (w *world) upTo(d time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.dice.Int64N(int64(d)))
}

func (w *world) fault(string) fault {
	if int64(w.intN(100)) >= w.faulty.Load() {
		return works
	}
	return pick(w, failsBefore, failsAfter)
}

func (w *world) Typing(context.Context, queue.Message, time.Duration) error {
	switch w.intN(10) {
	case 0:
		return errors.New("no presence")
	case 1:
		panic("no presence")
	}
	return nil
}

// Verify says that the numbers ending in 9 are nobody's, and that the people of
// those ending in 1 have another one, ending in 2.
func (w *world) Verify(ctx context.Context, account, to string) (queue.Verification, error) {
	call := w.begin(queuetest.Call{Account: account, Action: policy.CheckNumber, Recipient: to})
	if w.intN(3) == 0 {
		w.pass(w.upTo(5 * time.Second))
	}
	w.end(call)
	switch w.intN(8) {
	case 0:
		return queue.Verification{}, errNo
	case 1:
		panic("no session")
	case 2:
		return queue.Verification{Registered: true, To: "nobody"}, nil
	}
	stem, isAlias := strings.CutSuffix(to, "1")
	if isAlias {
		return queue.Verification{Registered: true, To: stem + "2"}, ctx.Err()
	}
	return queue.Verification{Registered: !strings.HasSuffix(to, "9")}, ctx.Err()
}

// begin and end write a call into the ledger.
func (w *world) begin(c queuetest.Call) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.At = w.clock.Now()
	w.ledger = append(w.ledger, c)
	return len(w.ledger) - 1
}

func (w *world) end(call int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ledger[call].Done = w.clock.Now()
}

func (w *world) Send(ctx context.Context, m queue.Message) (queue.Receipt, error) {
	w.mu.Lock()
	call := len(w.ledger)
	w.ledger = append(w.ledger, queuetest.Call{Account: m.Account, Action: policy.SendMessage, At: w.clock.Now()})
	w.wire = append(w.wire, m)
	w.mu.Unlock()
	if w.intN(3) == 0 {
		w.pass(w.upTo(20 * time.Second))
	}
	w.end(call)
	switch w.intN(12) {
	case 0:
		return queue.Receipt{}, errNo
	case 1:
		return queue.Receipt{}, context.DeadlineExceeded
	case 2:
		return queue.Receipt{ID: "did it"}, io.ErrUnexpectedEOF
	case 3:
		panic("no session")
	}
	return queue.Receipt{ID: "w"}, ctx.Err()
}

// pass lets time pass on whatever clock it is.
func (w *world) pass(d time.Duration) {
	if c, ok := w.clock.(*queuetest.Clock); ok {
		c.Advance(d)
		return
	}
	time.Sleep(d)
}

func (w *world) enqueue(t *testing.T) {
	t.Helper()
	to := pick(w, bob, "447700900002", "447700900009", "447700900005", "98765@lid")
	id, err := w.queue.Enqueue(context.Background(), queue.Message{
		Account: pick(w, w.accounts...), To: to, Text: strings.Repeat("x", 1+w.intN(200)),
	})
	if err != nil {
		if !errors.Is(err, queue.ErrStopped) {
			require.ErrorIs(t, err, errStore)
		}
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.enqueued = append(w.enqueued, id)
	w.asked[id] = to
}

// meddle is other code that sends for one of the accounts. It holds a permit for a
// while at most.
func (w *world) meddle() {
	account := pick(w, w.accounts...)
	at := w.clock.Now()
	permit, d := w.limiter.Take(at, limiter.Request{Account: account, Action: policy.SendMessage})
	if d.Answer != limiter.Allowed {
		return
	}
	w.mu.Lock()
	call := len(w.ledger)
	w.ledger = append(w.ledger, queuetest.Call{Account: account, Action: policy.SendMessage, At: at})
	w.mu.Unlock()
	outcome := limiter.Sent
	if w.intN(2) == 0 {
		outcome = limiter.Unsent
	}
	if _, stepped := w.clock.(*queuetest.Clock); !stepped || w.intN(2) == 0 {
		w.pass(w.upTo(30 * time.Second))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	done := w.clock.Now()
	permit.Settle(done, outcome)
	w.ledger[call].Done, w.ledger[call].Unsent = done, outcome == limiter.Unsent
}

// audit holds what must be so whatever happened.
func (w *world) audit(t *testing.T, drained bool) {
	t.Helper()
	require.Empty(t, queuetest.Audit(w.policy, w.ledger))

	last := w.diary.check(t)
	count := map[queue.Status]int{}
	for _, id := range w.enqueued {
		r, err := w.store.Get(context.Background(), id)
		require.NoError(t, err)
		told := last[id]
		if told.Status == queue.Queued && r.Status == queue.Sending {
			r.Status = queue.Queued // marked by a Begin that failed
			r.At, r.Typing, r.Attempts, r.Version = time.Time{}, 0, told.Attempts, told.Version
			r.To, r.AskedTo = told.To, told.AskedTo
		}
		if told.Status == queue.Sending && r.Status.Final() || told.Status == queue.Queued && r.Code == queue.RecipientNotFound {
			told = r // recorded by a Finish that failed
		}
		if told.Status == queue.Sending {
			told.At, told.Typing = r.At, r.Typing // marked by a Begin before the last one
		}
		require.Equal(t, told, r, "Get and the events agree")
		count[r.Status]++
	}
	require.Len(t, last, len(w.enqueued))
	require.Equal(t, len(w.enqueued), count[queue.Sent]+count[queue.Failed]+count[queue.InDoubt]+count[queue.Queued]+count[queue.Sending])

	order, onWire := map[string][]string{}, map[string]bool{}
	for _, m := range w.wire {
		require.False(t, onWire[m.ID], "message %s was on the wire twice", m.ID)
		require.NotEmpty(t, last[m.ID].ID, "message %s is nobody's", m.ID)
		onWire[m.ID] = true
		order[w.orderOf(m)] = append(order[w.orderOf(m)], m.ID)
	}
	for key := range order {
		var want []string
		for _, id := range w.enqueued {
			if onWire[id] && w.orderOf(last[id].Message) == key {
				want = append(want, id)
			}
		}
		require.Equal(t, want, order[key], "the order of %s", key)
	}
	for id, r := range last {
		switch r.Status {
		case queue.Sent, queue.InDoubt:
			require.True(t, onWire[id])
		case queue.Queued:
			require.False(t, onWire[id])
		}
		switch asked := w.asked[id]; {
		case !w.verify:
			require.NotEqual(t, queue.RecipientNotFound, r.Code)
			require.Equal(t, asked, r.To)
		case strings.HasSuffix(asked, "9"):
			require.False(t, onWire[id], "nobody has %s", asked)
			require.NotContains(t, []queue.Status{queue.Sent, queue.InDoubt, queue.Sending}, r.Status)
		case asked == bob && onWire[id]:
			require.Equal(t, "447700900002", r.To)
			require.Equal(t, bob, r.AskedTo)
		default:
			require.NotEqual(t, queue.RecipientNotFound, r.Code)
		}
	}
	if drained {
		require.Zero(t, count[queue.Queued]+count[queue.Sending])
		require.Zero(t, w.queue.Lanes())
	}
}

// orderOf names the messages that do not overtake each other: those of an account,
// and to one recipient where lanes are wide or recipients verified.
func (w *world) orderOf(m queue.Message) string {
	if !w.verify && w.width == 1 {
		return m.Account
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return m.Account + " to " + w.asked[m.ID]
}

func TestSimulate_Step(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			clock := &queuetest.Clock{}
			w := newWorld(t, seed, clock)
			step := func() time.Time {
				next, err := w.queue.Step(t.Context())
				require.NoError(t, err)
				return next
			}
			for range 100 {
				switch w.intN(6) {
				case 0, 1:
					w.enqueue(t)
				case 2:
					w.meddle()
				case 3:
					clock.Advance(w.upTo(pick(w, time.Second, time.Minute, 3*time.Hour)))
				default:
					if next := step(); !next.IsZero() && w.intN(2) == 0 {
						clock.Set(slices.MaxFunc([]time.Time{next, clock.Now()}, time.Time.Compare))
					}
				}
			}
			w.audit(t, false)
			w.faulty.Store(0)
			for {
				next := step()
				if next.IsZero() {
					break
				}
				require.True(t, next.After(clock.Now()), "Step leaves nothing that is due")
				clock.Set(next)
			}
			w.audit(t, true)
		})
	}
}

func TestSimulate_Run(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed, limiter.RealClock())
				var others sync.WaitGroup
				for range 2 {
					others.Go(func() {
						for range 15 {
							time.Sleep(w.upTo(pick(w, time.Second, time.Minute, time.Hour)))
							w.enqueue(t)
						}
					})
				}
				others.Go(func() {
					for range 5 {
						time.Sleep(w.upTo(2 * time.Hour))
						w.meddle()
					}
				})
				stop := run(w.queue)
				hurry := w.intN(2) == 0
				if hurry {
					time.Sleep(w.upTo(12 * time.Hour))
				} else {
					others.Wait()
					w.faulty.Store(0)
					time.Sleep(3 * 24 * time.Hour)
				}
				err := stop()
				if err != nil {
					require.ErrorIs(t, err, errStore)
				}
				others.Wait()
				w.audit(t, !hurry)
			})
		})
	}
}
