package queue_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// Whoever asks why messages wait and when they go changes nothing: a run in which
// somebody does all the time is the same run.
func TestSimulate_Asking(t *testing.T) {
	t.Parallel()
	each(t, 20, func(t *testing.T, w *world) {
		w.step(t)
		asked := newWorld(w.seed, &queuetest.Clock{})
		asked.curious = rand.New(rand.NewPCG(w.seed, 2))
		asked.step(t)
		if w.trembles { // whoever asks first after the clock was set back has the pauses begin anew
			return
		}
		require.Equal(t, w.trace, asked.trace, "to ask changes what happens")
		require.Equal(t, w.ledger, asked.ledger)
	})
}

// ask asks the queue about some messages, when it has just done all that was due, and
// holds that the answers make sense.
func (w *world) ask() {
	if w.curious == nil || w.life.dead {
		return
	}
	w.mu.Lock()
	w.quiet = true
	order, now, ctx := w.order, w.clock.Now(), context.Background()
	w.mu.Unlock()
	for range min(len(order), 3) {
		m := order[w.curious.IntN(len(order))]
		r, err := w.store.Get(ctx, m.ID)
		if err != nil {
			continue
		}
		gates, failed := w.life.queue.Gates(ctx, m.ID)
		e, err := w.life.queue.ETA(ctx, m.ID)
		w.mu.Lock()
		switch {
		case err != nil || failed != nil:
			w.faultf("%s: Gates: %v, ETA: %v", m, failed, err)
		case r.Status != queue.Queued && r.Status != queue.InDoubt && len(gates) > 0:
			w.faultf("%s is %s, and held by %+v", m, r.Status, gates)
		case (r.Status == queue.Queued || r.Status == queue.InDoubt) && len(gates) == 0 && w.tells(m):
			w.faultf("%s is %s, and nothing keeps it", m, r.Status)
		}
		for i, g := range gates {
			if !g.Until.IsZero() && !g.Until.After(now) {
				w.faultf("%s is held by %+v, which is over", m, g)
			}
			if i > 0 && !frees(g.Until, gates[i-1].Until) {
				w.faultf("%s is held by %+v, and %+v frees later", m, gates[i-1], g)
			}
		}
		if r.Status == queue.Queued && !e.Never() && (e.At.Before(now) || e.Low.Before(now) || e.Low.After(e.At) || !e.High.IsZero() && e.High.Before(e.At)) {
			w.faultf("%s, at %v, is estimated to go at %+v", m, now, e)
		}
		w.mu.Unlock()
	}
	w.mu.Lock()
	w.quiet = false
	w.mu.Unlock()
}

// frees reports whether what frees at a time does so no later than something before it;
// what nobody knows the end of frees last.
func frees(at, before time.Time) bool {
	return before.IsZero() || !at.IsZero() && !at.After(before)
}

// tells reports whether the queue has to know why a message waits: it may not, where it
// is looking for its record. It requires w.mu.
func (w *world) tells(m *message) bool { return w.failing == 0 && !m.unheard && !m.outOfTurn }
