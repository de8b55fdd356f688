package limiter

import (
	"math"
	"sync/atomic"
	"time"
)

// tolerance is how far back a time without a monotonic reading may step and still
// read as the latest time of its account.
const tolerance = int64(time.Second)

// An instant is one moment on the two time scales of a limiter, in nanoseconds.
// Waits are measured in ticks, calendar windows on the wall.
type instant struct {
	// tick is Unix time that follows the monotonic clock where times have one,
	// so that it does not step when the wall clock is set.
	tick int64

	// wall is Unix time as the wall clock shows it.
	wall int64

	// steady says that tick follows the monotonic clock. Of two steady instants
	// the lesser one is older, however much: it comes from a caller that was
	// overtaken, not from a clock that was set back.
	steady bool
}

// known reports whether the instant lies in the years that ticks can count, 1678
// to 2261.
func (i instant) known() bool { return i.wall != math.MinInt64 && i.wall != math.MaxInt64 }

// origin ties the monotonic clock to Unix time.
type origin struct {
	at   time.Time
	unix int64
}

func (l *Limiter) instant(now time.Time) instant { return place(&l.origin, now) }

// place puts now on both scales. The first time with a monotonic reading becomes
// the origin of the ticks.
func place(from *atomic.Pointer[origin], now time.Time) instant {
	// In leaves a monotonic reading out, as Round(0) does, and is inlined.
	if steady := now != now.In(now.Location()); !steady {
		wall := unixNano(now)
		return instant{tick: wall, wall: wall}
	}
	wall := now.UnixNano() // those times are of the years 1885 to 2157
	o := from.Load()
	if o == nil {
		from.CompareAndSwap(nil, &origin{now, wall})
		o = from.Load()
	}
	return instant{add(o.unix, int64(now.Sub(o.at))), wall, true}
}

// setBack reports whether an instant that is before the latest comes from a clock
// that was set back, and not from a caller that was overtaken or a clock that
// trembles.
func (i instant) setBack(last int64, steady bool) bool {
	return since(last, i.tick) > uint64(tolerance) && (!i.steady || !steady)
}

// unixNano is t in nanoseconds since 1970, saturated outside the years 1678 to
// 2262.
func unixNano(t time.Time) int64 {
	const least, most = math.MinInt64 / int64(time.Second), math.MaxInt64 / int64(time.Second)
	switch s := t.Unix(); {
	case s >= most:
		return math.MaxInt64
	case s <= least:
		return math.MinInt64
	default:
		return s*int64(time.Second) + int64(t.Nanosecond())
	}
}

// add is a + b, saturated.
func add(a, b int64) int64 {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}

// sub is a - b, saturated.
func sub(a, b int64) int64 {
	diff := a - b
	switch {
	case a >= 0 && b < 0 && diff < 0:
		return math.MaxInt64
	case a < 0 && b >= 0 && diff >= 0:
		return math.MinInt64
	}
	return diff
}

// since is now - then for a then that is not later, without overflow.
func since(now, then int64) uint64 { return uint64(now) - uint64(then) }

// ahead is the tick that is so far after now, or never where that lies beyond the end of
// time.
func ahead(now int64, ticks uint64) int64 { return now + int64(min(ticks, since(never, now))) }
