package queue_test

import (
	"errors"
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// full reports whether what was sent and what waits uses a day of a message's account
// up, and whether it is known. It requires w.mu.
func (w *world) full(m *queue.Message) (full, known bool) {
	if w.option.DayFull != queue.Reject || !w.steps() || w.failing > 0 || w.lives > 0 || w.trembles || w.swayed[m.Account] {
		return false, false
	}
	now := w.now()
	used := int64(0)
	if m.Priority <= 0 {
		used = w.option.KeepForUrgent
	}
	for _, other := range w.order {
		if other.Account == m.Account && other.status == queue.Queued {
			used++
		}
	}
	for _, r := range w.policy.Rules {
		var since time.Time
		var most int64
		switch l := r.Limit.(type) {
		case policy.CalendarWindow:
			if l.Unit == policy.Day {
				since, most = now.Truncate(24*time.Hour), l.Max // in UTC
			}
		case policy.SlidingWindow:
			if l.Window >= 24*time.Hour {
				since, most = now.Add(1-l.Window), l.Max
			}
		}
		if most == 0 || !r.Covers(policy.SendMessage) {
			continue
		}
		sum := used
		for _, c := range w.ledger {
			if c.Account == m.Account && r.Covers(c.Action) && !c.Unsent && !c.At.Before(since) {
				sum++
			}
		}
		full = full || sum >= most
	}
	return full, true
}

// told holds what an Enqueue said about the day against what is known of it. It
// requires w.mu.
func (w *world) told(m *queue.Message, err error, full, known bool) {
	var day *queue.DayFullError
	switch said := errors.As(err, &day); {
	case said && w.option.DayFull != queue.Reject:
		w.faultf("Enqueue says that the day is full: %v", err)
	case said && (day.Code != queue.DailyLimitReached || !day.Frees.After(w.clock.Now())):
		w.faultf("Enqueue says that the day is full, and %+v", day)
	case known && said && !full:
		w.faultf("Enqueue for %s says that the day is full, and it is not: %v", m.Account, err)
	case known && full && err == nil && m.Key == "":
		w.faultf("Enqueue for %s takes a message for a day that is full", m.Account)
	}
}
