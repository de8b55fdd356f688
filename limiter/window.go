package limiter

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wapace/wapace/policy"
)

// A Window is a sliding window alone, for one budget without accounts, rules and
// permits: never more than its limit in any stretch of its length, wherever that
// starts. It reads no clock and treats the times it is given as a [Limiter] does.
// All may use it at once.
type Window struct {
	origin atomic.Pointer[origin]
	mu     sync.Mutex
	meter  meter
	words  []int64
	stock  stock
	claim  claim // in hand
	last   int64 // the latest tick at which something was taken
	steady bool  // last follows the monotonic clock
}

// NewWindow returns an empty window that lets at most limit into any d. It is the
// meter of a [policy.SlidingWindow], up to 1,024 exact and above that never too
// many, and its arguments have the same bounds: a limit of 0 refuses everything, a
// negative limit or a d that is not positive is an error.
func NewWindow(limit int64, d time.Duration) (*Window, error) {
	p := policy.Policy{Rules: []policy.Rule{{Name: "window", Limit: policy.SlidingWindow{Max: limit, Window: d}}}}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("limiter: new window: %w", err)
	}
	w := &Window{meter: newWindow(limit, d), last: math.MinInt64}
	w.words = make([]int64, len(w.meter.layout()))
	w.meter.fresh(w.words)
	return w, nil
}

// AllowN takes n at time now if the window has room for all of it, and nothing
// otherwise. An n of 0 takes nothing and is allowed. A negative n, and a time
// outside the years 1678 to 2261, are refused.
func (w *Window) AllowN(now time.Time, n int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, g := w.ask(now, n)
	if g.answer != Allowed {
		return false
	}
	if n > 0 {
		w.meter.charge(w.cells(), &w.claim)
		w.last, w.steady = at.tick, at.steady
	}
	return true
}

// RetryAfter is how long after now the window has room for n: exactly, if nothing
// is taken meanwhile, and 0 if it has room now. It is false where no waiting helps,
// because n is more than the limit, or where AllowN refuses n or now for what they are.
func (w *Window) RetryAfter(now time.Time, n int64) (d time.Duration, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, g := w.ask(now, n)
	switch g.answer {
	case Allowed:
		return 0, true
	case Later:
		return time.Duration(max(sub(g.free, place(&w.origin, now).tick), 0)), true
	case Busy, Never:
	}
	return 0, false
}

// Remaining is how much the window has room for at time now, 0 at a time outside
// the years 1678 to 2261.
func (w *Window) Remaining(now time.Time) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, g := w.ask(now, 0)
	return g.remaining
}

// ask is how the window stands for n at the instant of now. It requires w.mu.
func (w *Window) ask(now time.Time, n int64) (instant, gate) {
	at := place(&w.origin, now)
	if !at.known() || n < 0 {
		return at, gate{answer: Never}
	}
	if at.tick < w.last {
		if at.setBack(w.last, w.steady) {
			w.meter.rewind(w.cells(), 0, w.last, at.tick)
			w.last, w.steady = at.tick, at.steady
		} else {
			at.tick, at.steady = w.last, w.steady
		}
	}
	w.claim = claim{demand: demand{cost: max(n, 1)}, at: at}
	g := w.meter.ask(w.cells(), &w.claim)
	if n == 0 {
		if g.answer == Allowed {
			g.remaining++
		}
		g.answer = Allowed
	}
	return at, g
}

func (w *Window) cells() cells { return cells{words: w.words, stock: &w.stock} }

// newWindow is the meter of a window that slides: exact where it is small enough
// to keep every charge, in chunks where it is not.
func newWindow(most int64, window time.Duration) meter {
	if most > exactWindow {
		return newChunkedWindow(most, window)
	}
	return &slidingWindow{max: most, window: uint64(window)}
}
