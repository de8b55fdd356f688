package queue

import (
	"context"
	"math"
	"time"

	"github.com/wapace/wapace/limiter"
)

// awake is the alarm of a Run that is about to look when the next lane is due.
const awake = int64(math.MinInt64)

// Where more than fewLanes wait, Run wakes at most once in a grain: lanes that are due
// so soon after others wait that long, and are served together.
const (
	fewLanes = 1000
	grain    = 250 * time.Microsecond
)

// lull is for how long Run does not wake where little is due: more than twice as long as
// the millisecond that a sleep takes at least on most systems, however soon it is to end.
const lull = 2500 * time.Microsecond

// keepTime calls a worker whenever a lane becomes due, until ctx is done. It sleeps
// on one timer meanwhile.
func (q *Queue) keepTime(ctx context.Context, c *crew) {
	var timer alarm
	var rang, before time.Time // when it last did, and the time before
	for ctx.Err() == nil {
		now := q.clock.Now()
		tick := q.tick(now)
		_, due := q.first()
		switch {
		case due <= tick && q.steady(before, rang, now) && !c.busy() && timer.set(q.clock, rang.Add(grain)):
			c.call() // the alarm is as good as awake: what is due after this is seen when it rings
		case due <= tick:
			q.alarm.Store(never) // the workers will say what is due after this
			c.call()
		case due == never:
			q.alarm.Store(never)
		case !timer.set(q.clock, q.together(now.Add(time.Duration(due-tick)), rang, now)):
			continue
		default:
			q.alarm.Store(min(due, q.tick(timer.rings))) // what is due after that is seen when it rings
		}
		if _, sooner := q.first(); due > tick && sooner < q.alarm.Load() {
			continue // it came too late to see the alarm
		}
		select {
		case <-q.wake:
		case <-timer.channel:
			timer, before, rang = alarm{}, rang, q.clock.Now()
		case account, open := <-q.news:
			q.heard(account, open)
		case <-ctx.Done():
		}
		q.alarm.Store(awake)
	}
}

// together is when to wake for a lane that is due, where Run woke before.
func (q *Queue) together(due, woke, now time.Time) time.Time {
	if since := now.Sub(woke); since < 0 || since >= grain || q.scheduled() <= fewLanes {
		return due
	}
	return latest(due, woke.Add(grain))
}

// steady reports whether Run, which woke twice by now, is likely to wake again in a grain.
// It then sets its alarm before it calls a worker: one that is set later has the runtime
// wake a thread which sleeps already.
func (q *Queue) steady(before, woke, now time.Time) bool {
	return woke.Sub(before) < lull && q.together(now, woke, now) != now
}

// watch sees to it that the lane which is due first is looked at in time.
func (q *Queue) watch() {
	_, due := q.first()
	q.attend(due, q.latest.Load())
}

// attend sees to it that a lane which is due at a tick is looked at in time, once the
// schedules show it. The clock has shown now, or a later one.
func (q *Queue) attend(due, now int64) {
	c := q.crew.Load()
	if c == nil {
		return // Step looks by itself
	}
	if due <= now {
		c.call()
		return
	}
	for set := q.alarm.Load(); due < set; set = q.alarm.Load() {
		if q.alarm.CompareAndSwap(set, awake) {
			select {
			case q.wake <- struct{}{}:
			default:
			}
			return
		}
	}
}

// An alarm is the one timer of a Run. It is kept while it rings soon enough, so
// that a queue which is woken often does not leave a timer behind each time. The
// zero alarm never rings.
type alarm struct {
	due     time.Time // when it was to ring
	rings   time.Time // at the latest
	channel <-chan time.Time
}

// slack is how much later than wanted an alarm may ring because the clock moved
// while it was set.
const slack = time.Millisecond

// set makes the alarm ring at due, or before. It reports false where due has come,
// or where the clock was moved meanwhile so that the alarm may ring late. One that was to
// ring later than due is not kept for its slack.
func (a *alarm) set(c limiter.Clock, due time.Time) bool {
	latest := due.Add(slack)
	if a.channel != nil && (!a.rings.After(due) || !a.due.After(due) && !a.rings.After(latest)) {
		return true
	}
	d := due.Sub(c.Now())
	if d <= 0 {
		return false
	}
	channel := c.After(d)
	*a = alarm{due, c.Now().Add(d), channel}
	return !a.rings.After(latest)
}
