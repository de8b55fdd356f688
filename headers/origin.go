package headers

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// An origin is what a [Transport] knows of one server and credential: until when
// nobody may go, and how many may go before the server is asked anew. What the
// server says only ever slows the local pace.
type origin struct {
	mu      sync.Mutex
	pace    *rate.Limiter // the local policy; nil where there is none
	local   rate.Limit    // the pace when the server asks for nothing
	slowed  time.Time     // until when the pace is below that; zero where it is not
	until   time.Time     // nobody goes before
	left    int64         // how many may go; negative where nobody counts
	lapse   time.Time     // when left no longer holds; zero where only an answer ends it
	flying  int64         // requests without an answer
	changed chan struct{} // closed when any of that changes; nil where nobody waits

	users int // who uses it now; of the table
}

func newOrigin(pace *rate.Limiter) *origin {
	o := &origin{pace: pace, left: uncounted}
	if pace != nil {
		o.local = pace.Limit()
	}
	return o
}

// uncounted is the left of an origin that limits nothing.
const uncounted = -1

// reserve takes a turn of the local pace, and says how long until it comes.
func (o *origin) reserve(now time.Time) (turn *rate.Reservation, wait time.Duration) {
	if o.pace == nil {
		return nil, 0
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.slowed.IsZero() && !now.Before(o.slowed) {
		o.pace.SetLimitAt(now, o.local)
		o.slowed = time.Time{}
	}
	turn = o.pace.ReserveN(now, 1)
	return turn, turn.DelayFrom(now)
}

// enter lets a request go, for answered to be called once it has been answered.
// Otherwise it says how long until it can be asked again, zero where only a change
// can help, and what is closed at the next change.
func (o *origin) enter(now time.Time) (ok bool, wait time.Duration, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if wait = o.until.Sub(now); wait > 0 {
		return false, wait, nil
	}
	if o.left > 0 && !o.lapse.IsZero() && !now.Before(o.lapse) {
		o.left = uncounted
	}
	if o.left == 0 && !o.lapse.IsZero() && !now.Before(o.lapse) {
		o.probe()
	}
	if o.left != 0 {
		if o.left > 0 {
			o.left--
		}
		o.flying++
		return true, 0, nil
	}
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	if !o.lapse.IsZero() {
		wait = o.lapse.Sub(now)
	}
	return false, wait, o.changed
}

// probe lets one request go: its answer says how many more may.
func (o *origin) probe() { o.left, o.lapse = 1, time.Time{} }

// answered takes in what the answer to a request says. The zero bound is that of an
// answer that says nothing.
func (o *origin) answered(now time.Time, b bound) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flying--
	switch {
	case b.wait > 0:
		o.shut(now.Add(b.wait))
	case b.counted && b.left <= 0:
		o.shut(now.Add(b.reset))
	case b.counted && !now.Before(o.until): // otherwise it is older than what has shut
		left := max(b.left-o.flying, 0)
		if o.flying > 0 && o.left >= 0 && now.Before(o.lapse) {
			left = min(left, o.left) // answers overtake each other
		}
		o.left, o.lapse = left, now.Add(b.reset)
		o.slow(now, b)
	case o.lapse.IsZero() && !now.Before(o.until):
		o.left = uncounted
	}
	if o.left == 0 && o.flying == 0 {
		o.probe()
	}
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}

// shut lets nobody go until a time, and then one. It never opens sooner than it
// would have.
func (o *origin) shut(until time.Time) {
	if until.After(o.until) {
		o.until = until
	}
	o.probe()
}

// slow spreads what is left over the time until there is more, where the local pace
// would use it up sooner. More than a minute is not looked ahead: what is left of a
// day would otherwise be spread over the day.
func (o *origin) slow(now time.Time, b bound) {
	if o.pace == nil || b.reset <= 0 {
		return
	}
	told := rate.Limit(float64(b.left) / min(b.reset, time.Minute).Seconds())
	o.slowed = now.Add(b.reset)
	o.pace.SetLimitAt(now, min(told, o.local))
}

// idle reports whether a new origin would do: there is nothing to wait for.
func (o *origin) idle(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.flying > 0 || now.Before(o.until) || now.Before(o.lapse) || now.Before(o.slowed) {
		return false
	}
	return o.pace == nil || o.pace.TokensAt(now) >= float64(o.pace.Burst())
}
