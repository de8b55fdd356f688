package queue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A world is a queue whose sender, store, network, neighbours and power supply fail
// in every way, as a seed has it. It keeps a ledger of what was on the wire, and of
// each message what may become of it; what should not have happened is in faults.
type world struct {
	seed     uint64
	clock    limiter.Clock
	policy   policy.Policy
	plain    bool // nothing holds up one message of a lane and not the others
	shared   bool // other code sends for the accounts; the power never fails
	verify   bool // recipients are verified
	trembles bool // the clock is set back; the power never fails
	store    queue.Store
	option   queue.Options
	wires    int // WireIDs given out

	mu       sync.Mutex // of all that follows
	dice     *rand.Rand
	life     *life
	lives    int              // that have ended
	limiter  *limiter.Limiter // where it is shared
	accounts []string
	offline  map[string]bool
	news     chan string
	failing  int  // in percent, how often the store fails
	deadly   int  // in per mille, how often the power does
	calm     bool // all that fails is over
	messages map[string]*message
	order    []*message // as they were taken in
	ghosts   map[string]bool
	keys     map[[2]string]*message
	holds    []*hold
	making   *hold                   // that Hold is called for at the moment
	targets  map[limiter.Target]bool // that were ever held
	ledger   []queuetest.Call
	drawn    map[string]*draws
	swayed   map[string]bool // accounts whose policy was changed
	sways    []sway
	written  map[[2]string]bool // by whom to whom
	curious  *rand.Rand         // asks about messages, where there is one
	back     time.Duration      // how far the clock was set back in all
	quiet    bool               // nothing fails, and no dice are thrown
	faults   []string
	trace    []string
}

// A life is a queue until the power fails. Its store does nothing after that, its
// sender puts nothing on the wire and nobody hears its events.
type life struct {
	*world
	queue  *queue.Queue
	ctx    context.Context //nolint:containedctx // ends with the life
	cancel context.CancelFunc
	dead   bool
}

func newWorld(seed uint64, clock limiter.Clock) *world {
	w := &world{
		seed: seed, clock: clock, dice: rand.New(rand.NewPCG(seed, 1)),
		store: queue.NewMemory(1 << 20), offline: map[string]bool{},
		messages: map[string]*message{}, ghosts: map[string]bool{}, keys: map[[2]string]*message{},
		targets: map[limiter.Target]bool{}, drawn: map[string]*draws{}, written: map[[2]string]bool{}, swayed: map[string]bool{},
	}
	type world struct {
		policy policy.Policy
		narrow bool
	}
	hour := policy.SlidingWindow{Max: 2, Window: time.Hour}
	of := pick(w,
		world{policy.Standard(), false}, world{policy.Strict(), false}, world{policy.Unlimited(), false},
		world{rules(policy.Gap{Min: time.Second, Max: 8 * time.Second, Every: 3}, policy.SlidingWindow{Max: 9, Window: 10 * time.Minute}), false},
		world{rules(policy.TokenBucket{Max: 6, Per: time.Minute, Burst: 4}, policy.Concurrency{Max: 3}, policy.CalendarWindow{Max: 40, Unit: policy.Day}), false},
		world{rules(policy.Gap{Min: 2 * time.Second, Max: 20 * time.Second}, policy.ActiveHours{From: 7 * time.Hour, To: 21 * time.Hour}, policy.CalendarWindow{Max: 12, Unit: policy.Hour}), false},
		world{rules(policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}, policy.UniqueRecipients{Max: 3, Window: 6 * time.Hour}), true},
		world{policy.Policy{Rules: []policy.Rule{
			{Name: "each", Scope: policy.ScopeRecipient, Limit: hour},
			{Name: "all", Limit: policy.SlidingWindow{Max: 30, Window: 24 * time.Hour}},
		}}, true},
		world{rules(policy.Gap{Min: time.Second, Max: 4 * time.Second}, policy.NewContacts{Max: 2, Window: 6 * time.Hour}), true},
	)
	w.policy = of.policy
	if seed%4 == 3 { // two accounts and two share a budget
		w.policy.Rules = append(slices.Clone(w.policy.Rules), policy.Rule{
			Name: "shared", Actions: []policy.Action{policy.SendMessage}, Scope: policy.ScopePortfolio,
			Limit: policy.SlidingWindow{Max: 5, Window: 20 * time.Minute},
		})
	}
	w.verify, w.shared = w.oneIn(3), w.oneIn(3)
	w.plain = !of.narrow && !w.verify
	w.failing, w.deadly = pick(w, 0, 5, 30), pick(w, 0, 2, 10)
	w.trembles = w.oneIn(6)
	if w.shared || w.trembles {
		w.deadly = 0
	}
	for i := range 1 + w.intN(4) {
		w.accounts = append(w.accounts, fmt.Sprint("account ", i))
	}
	if w.oneIn(3) {
		w.news = make(chan string, 100)
	}
	w.option = queue.Options{
		Clock: clock, Seed: seed + 1, History: 1 << 20,
		Width: 1 + w.intN(3), Workers: 1 + w.intN(10),
		MaxAttempts: pick(w, 0, 1, 3), KeepForUrgent: pick[int64](w, 0, 0, 1), MaxQueued: pick(w, 0, 0, 30),
		Portfolio:   portfolio,
		SendTimeout: pick(w, 0, 30*time.Second), StopWait: pick(w, -1, 5*time.Second, 0),
		Verify: &queue.Verify{Off: !w.verify, Yes: pick(w, -1, time.Minute, 0), No: pick(w, -1, time.Minute, 0), Most: pick(w, -1, 2, 0)},
	}
	if w.oneIn(3) {
		w.option.Typing = quiet
	}
	if w.oneIn(3) {
		w.option.DayFull = queue.Reject
	}
	if w.oneIn(3) {
		w.option.Ramp = &queue.Ramp{}
	}
	if w.oneIn(2) {
		w.option.NewWireID = func(queue.Message) string {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.wires++
			return fmt.Sprint("wire ", w.wires)
		}
	}
	return w
}

// portfolio is whose budget an account of a world shares.
func portfolio(account string) string {
	return fmt.Sprint("portfolio ", strings.IndexByte("0123", account[len(account)-1])/2)
}

// start begins a life: what the store has is taken up. It may take several.
func (w *world) start(t *testing.T) {
	t.Helper()
	for range 1000 {
		l := &life{world: w}
		l.ctx, l.cancel = context.WithCancel(context.Background())
		o := w.option
		o.Store, o.OnEvent = shaky{l}, l.event
		w.mu.Lock()
		w.life = l
		if w.shared {
			if w.limiter == nil {
				var err error
				w.limiter, err = limiter.New(w.policy, &limiter.Options{Seed: o.Seed, PermitTTL: -1})
				require.NoError(t, err)
			}
			o.Limiter = w.limiter
		}
		w.mu.Unlock()
		q, err := queue.New(w.policy, l.sender(), &o)
		w.mu.Lock()
		if err == nil && !l.dead {
			l.queue = q
			w.mu.Unlock()
			return
		}
		w.tracef("no start: %v", err)
		w.mu.Unlock()
		w.end(l)
	}
	w.mu.Lock()
	w.faultf("the queue could not be made in 1,000 attempts")
	w.mu.Unlock()
	w.report(t)
}

// sender is the life's sender, with as many powers as the world has.
func (l *life) sender() queue.Sender {
	if l.news != nil {
		return connected{l}
	}
	return l
}

// kill has the power fail. It requires w.mu.
func (l *life) kill(where string) {
	if l.dead {
		return
	}
	l.dead = true
	l.tracef("the power failed at %s", where)
	l.cancel()
}

// end is the end of a life, after which another one may begin: nobody knows any more
// what it had not stored.
func (w *world) end(l *life) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l.dead = true
	l.cancel()
	now := w.clock.Now()
	for i := range w.ledger {
		if w.ledger[i].Done.IsZero() {
			w.ledger[i].Done = now // what was on the wire counts as sent now
			if w.ledger[i].Action == policy.SendMessage {
				w.write(&w.ledger[i])
			}
		}
	}
	w.forget()
}

func (w *world) intN(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dice.IntN(n)
}

func (w *world) oneIn(n int) bool { return w.intN(n) == 0 }

// upTo is a random time below d.
func (w *world) upTo(d time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.dice.Int64N(int64(d)))
}

func pick[T any](w *world, of ...T) T { return of[w.intN(len(of))] }

// pass lets time pass on whatever clock it is.
func (w *world) pass(d time.Duration) {
	if c, ok := w.clock.(*queuetest.Clock); ok {
		c.Advance(d)
		return
	}
	time.Sleep(d)
}

// faultf notes what should not have happened. It requires w.mu.
func (w *world) faultf(format string, args ...any) {
	w.tracef("FAULT: "+format, args...)
	if len(w.faults) < 20 {
		w.faults = append(w.faults, fmt.Sprintf(format, args...))
	}
}

// tracef notes what happened. It requires w.mu.
func (w *world) tracef(format string, args ...any) {
	w.trace = append(w.trace, w.clock.Now().Format("02 15:04:05.000 ")+fmt.Sprintf(format, args...))
}
