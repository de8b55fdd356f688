package queue_test

import (
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// setBack sets the clock back, by less than a second or by much more, where the world's
// may be. What waits for a time on it waits anew.
func (w *world) setBack() {
	clock, steps := w.clock.(*queuetest.Clock)
	if !steps || !w.trembles {
		return
	}
	if !w.oneIn(3) {
		return
	}
	d := w.upTo(pick(w, time.Second, time.Minute, 5*time.Hour))
	w.mu.Lock()
	w.back += d
	w.tracef("the clock is set back by %v", d)
	w.mu.Unlock()
	clock.Advance(-d)
}

// now is the time by a clock that nobody sets back: it is what pauses and windows are
// held against. It requires w.mu.
func (w *world) now() time.Time { return w.clock.Now().Add(w.back) }

// passing is a policy without the rules that go by what the clock shows.
func passing(p policy.Policy) (kept policy.Policy) {
	for _, r := range p.Rules {
		switch r.Limit.(type) {
		case policy.CalendarWindow, policy.ActiveHours:
		default:
			kept.Rules = append(kept.Rules, r)
		}
	}
	return kept
}
