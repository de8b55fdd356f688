package queue_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// The flags of the simulator. A failure says with which it can be repeated.
var (
	seeds = flag.Uint64("seeds", 100, "how many runs the simulator makes")
	seed  = flag.Int64("seed", -1, "the only run that the simulator makes, with a trace")
)

// each runs the simulator under each seed: every so many of them.
func each(t *testing.T, every uint64, simulate func(t *testing.T, w *world)) {
	from, to := uint64(0), *seeds
	if *seed >= 0 {
		from, to, every = uint64(*seed), uint64(*seed)+1, 1
	}
	for seed := from; seed < to; seed += every {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			simulate(t, newWorld(seed, &queuetest.Clock{}))
		})
	}
}

func TestSimulate_Step(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, w *world) { w.step(t) })
}

func TestSimulate_Repeats(t *testing.T) {
	t.Parallel()
	each(t, 10, func(t *testing.T, w *world) {
		w.step(t)
		again := newWorld(w.seed, &queuetest.Clock{})
		again.step(t)
		require.Equal(t, w.trace, again.trace, "a seed is one run")
	})
}

func TestSimulate_Run(t *testing.T) {
	t.Parallel()
	each(t, 4, func(t *testing.T, w *world) {
		synctest.Test(t, func(t *testing.T) { newWorld(w.seed, limiter.RealClock()).run(t) })
	})
}

// step drives a world by Step.
func (w *world) step(t *testing.T) {
	t.Helper()
	clock, _ := w.clock.(*queuetest.Clock)
	w.start(t)
	for range 60 + w.intN(240) {
		switch l := w.life; w.intN(5) {
		case 0, 1:
			pick(w, deeds()...)(l)
		case 2:
			clock.Advance(w.upTo(pick(w, time.Second, 10*time.Second, time.Minute, 3*time.Hour)))
			w.setBack()
		default:
			next := w.once(t)
			w.ask()
			if !next.IsZero() && w.oneIn(2) {
				clock.Set(slices.MaxFunc([]time.Time{next, clock.Now()}, time.Time.Compare))
			}
		}
		if w.deadly > 0 && w.oneIn(100) {
			w.mu.Lock()
			w.life.kill("rest")
			w.mu.Unlock()
		}
		if w.life.dead {
			w.end(w.life)
			clock.Advance(w.upTo(pick(w, time.Second, time.Hour)))
			w.start(t)
		}
	}
	w.audit(t, false)
	w.ease(t)
	for range 2 {
		w.drain(t, clock)
		w.settle(w.life, queue.WentOut, queue.Resend, queue.GiveUp)
	}
	w.drain(t, clock)
	w.settle(w.life, queue.WentOut, queue.GiveUp)
	w.audit(t, true)
}

// settle resolves what is in doubt.
func (w *world) settle(l *life, how ...queue.Resolution) {
	w.mu.Lock()
	order := slices.Clone(w.order)
	w.mu.Unlock()
	for _, m := range order {
		if m.status != queue.InDoubt {
			continue
		}
		l.resolveAs(m, pick(w, how...))
		if m.unheard {
			l.resolveAs(m, queue.Resend) // it may wait in no lane
		}
	}
}

// drain steps until nothing waits.
func (w *world) drain(t *testing.T, clock *queuetest.Clock) {
	t.Helper()
	for range 20_000 {
		next := w.once(t)
		w.ask()
		if next.IsZero() {
			return
		}
		clock.Set(slices.MaxFunc([]time.Time{next, clock.Now()}, time.Time.Compare))
	}
	w.mu.Lock()
	w.faultf("the queue never comes to an end")
	w.mu.Unlock()
	w.report(t)
}

// once steps the queue.
func (w *world) once(t *testing.T) time.Time {
	t.Helper()
	next, err := w.life.queue.Step(w.life.ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		if !w.life.dead {
			w.faultf("Step: %v", err)
		}
		return time.Time{}
	}
	if !next.IsZero() && !next.After(w.clock.Now()) {
		w.faultf("Step left what is due at %v", next)
	}
	return next
}

// run drives a world by Run, in a bubble.
func (w *world) run(t *testing.T) {
	t.Helper()
	w.start(t)
	var others sync.WaitGroup
	for range 2 {
		others.Go(func() {
			for range 30 {
				time.Sleep(w.upTo(pick(w, time.Second, time.Minute, time.Hour)))
				w.mu.Lock()
				l := w.life
				ready := l.queue != nil
				w.mu.Unlock()
				if ready {
					pick(w, deeds()...)(l)
				}
			}
		})
	}
	over := make(chan struct{})
	go func() {
		others.Wait()
		close(over)
	}()
	for alive := true; alive; {
		l := w.life
		stop := run(l.queue)
		select {
		case <-over:
			alive = false
		case <-l.ctx.Done():
		case <-time.After(w.upTo(100 * time.Hour)): // it is stopped, and another one takes over
		}
		if alive {
			if err := stop(); err != nil {
				w.mu.Lock()
				w.tracef("Run: %v", err)
				w.mu.Unlock()
			}
			w.end(l)
			time.Sleep(w.upTo(time.Hour))
			w.start(t)
			continue
		}
		w.ease(t)
		for range 2 { // what is found to wait in no lane is sent again
			time.Sleep(10 * 24 * time.Hour)
			w.settle(l, queue.WentOut, queue.GiveUp)
		}
		require.NoError(t, stop())
	}
	w.audit(t, true)
}

// audit holds what must be so whatever happened.
func (w *world) audit(t *testing.T, drained bool) {
	t.Helper()
	w.mu.Lock()
	w.auditPolicy()
	count := map[queue.Status]int{}
	for _, m := range w.order {
		r, err := w.store.Get(context.Background(), m.ID)
		switch {
		case err != nil:
			w.faultf("%s is lost: %v", m, err)
		case drained && !r.Status.Final():
			w.faultf("%s waits for nothing: it is %s", m, r.Status)
		case drained && !m.unheard && (r.Status != m.status || r.Version != m.version):
			w.faultf("%s is %s, version %d, and the events say %s, %d", m, r.Status, r.Version, m.status, m.version)
		case (r.Status == queue.Sent || r.Status == queue.InDoubt) && !m.wired && w.lives == 0:
			w.faultf("%s is %s, and was never on the wire", m, r.Status)
		case r.Status == queue.Expired && m.ExpiresAt.IsZero(), m.cancelled && r.Status != queue.Cancelled && drained:
			w.faultf("%s is %s", m, r.Status)
		case !w.verify && (r.Code == queue.RecipientNotFound || r.AskedTo != ""):
			w.faultf("%s was verified", m)
		case w.verify && r.Status == queue.Sent && strings.HasSuffix(m.To, "9"):
			w.faultf("%s is sent, and nobody has the number", m)
		}
		count[r.Status]++
	}
	ended := count[queue.Sent] + count[queue.Failed] + count[queue.InDoubt] + count[queue.Cancelled] + count[queue.Expired]
	if ended+count[queue.Queued]+count[queue.Sending] != len(w.order) || drained && ended != len(w.order) {
		w.faultf("of %d messages there are %v", len(w.order), count)
	}
	if drained && (w.life.queue.Lanes() != 0 || w.life.queue.Undone() != 0) {
		w.faultf("the queue has %d lanes and %d messages left", w.life.queue.Lanes(), w.life.queue.Undone())
	}
	w.mu.Unlock()
	w.report(t)
}

// auditPolicy holds that the policy was kept. What was recorded and never on the wire
// when the power failed counts as sent, so the sends between two longer pauses may
// be fewer then. It requires w.mu.
func (w *world) auditPolicy() {
	p := w.policy
	if w.trembles {
		p = passing(p)
	}
	if w.lives > 0 {
		p.Rules = slices.DeleteFunc(slices.Clone(p.Rules), func(r policy.Rule) bool {
			g, ok := r.Limit.(policy.Gap)
			if ok && g.Period() > 1 {
				w.auditRest(r, g)
				return true
			}
			return false
		})
	}
	for _, v := range queuetest.Audit(p, w.auditSways()) {
		w.faultf("the policy is broken: %v", v)
	}
}

// auditRest holds that there is a pause among any so many sends. It requires w.mu.
func (w *world) auditRest(r policy.Rule, g policy.Gap) {
	ended := map[string]time.Time{}
	sends := map[string]int64{}
	for _, c := range w.ledger {
		if !r.Covers(c.Action) || c.Unsent {
			continue
		}
		if c.At.Sub(ended[c.Account]) >= g.Min {
			sends[c.Account] = 0
		}
		ended[c.Account] = c.Done
		if sends[c.Account]++; sends[c.Account] > g.Period() {
			w.faultf("rule %q: %s had no pause in %d sends before %v", r.Name, c.Account, g.Period(), c.At)
		}
	}
}

// report ends a run in which something happened that should not have.
func (w *world) report(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if *seed >= 0 {
		t.Log(strings.Join(w.trace, "\n"))
	}
	if len(w.faults) > 0 {
		name, _, _ := strings.Cut(t.Name(), "/")
		require.Fail(t, strings.Join(w.faults, "\n"), "Repeat it with: go test ./queue -run '^%s$' -seed %d", name, w.seed)
	}
}
