package queue

import (
	"math"
	"time"
)

// never is the tick that does not come.
const never = int64(math.MaxInt64)

// always is before all ticks.
const always = int64(math.MinInt64)

// tick is a time as the schedules count it: in nanoseconds since the queue's epoch,
// which follow the monotonic clock where times have one. It saturates before never.
func (q *Queue) tick(t time.Time) int64 {
	return min(int64(t.Sub(q.epoch)), never-1)
}

// due is the tick at which a clock that shows now will show t, also where the wall
// clock was set since the epoch and t has no monotonic reading: then the two are as
// far apart as the wall says.
func (q *Queue) due(t, now time.Time) int64 {
	tick, ahead := q.tick(now), int64(t.Sub(now))
	switch sum := tick + ahead; {
	case tick < 0 && ahead < 0 && sum >= 0:
		return always
	case tick > 0 && ahead > 0 && sum < 0:
		return never - 1
	default:
		return min(sum, never-1)
	}
}

// epochOf is the time that ticks count from, on a clock that shows now. Where the
// clock's times have no monotonic reading it is 1970, so that all times that a
// limiter knows have a tick of their own.
func epochOf(now time.Time) time.Time {
	if now != now.Round(0) {
		return now
	}
	return time.Unix(0, 0)
}
