package queue

import (
	"errors"
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A DayFull is what a queue does with a new message that finds the account's budget
// of the day used up.
type DayFull string

// The two ways.
const (
	// Defer takes the message in. It waits for the next day.
	Defer DayFull = "defer"

	// Reject refuses it with a [*DayFullError]. Of what waits only the messages of its
	// own account count, also where the budget is a portfolio's.
	Reject DayFull = "reject"
)

// ErrDayFull is wrapped by every [DayFullError].
var ErrDayFull = errors.New("queue: the day is full")

// A DayFullError says that a message was not taken in because the account's budget
// of the day is used up by what was sent and what waits. It wraps [ErrDayFull].
type DayFullError struct {
	// Code is [DailyLimitReached].
	Code Code

	// Rule is the name of the rule that is full, and Limit its size.
	Rule  string
	Limit int64

	// Frees is when the rule gives more.
	Frees time.Time
}

// Error names the rule and when it frees.
func (e *DayFullError) Error() string {
	return fmt.Sprintf("%v: rule %q lets %d through, which are sent or wait; it frees at %s",
		ErrDayFull, e.Rule, e.Limit, e.Frees.Format(time.RFC3339))
}

// Unwrap makes errors.Is(err, [ErrDayFull]) true.
func (e *DayFullError) Unwrap() error { return ErrDayFull }

// foretell is what can be said of a new message before it is taken in: that the day
// is full, or that it will expire first.
func (q *Queue) foretell(m *Message, from origin, now time.Time) error {
	if q.options.DayFull != Reject && m.ExpiresAt.IsZero() {
		return nil
	}
	p := q.limiter.PolicyOf(m.Account)
	all, before := q.queued(m)
	if q.options.DayFull == Reject {
		for _, g := range q.limiter.Gates(now, q.requestOf(m, from)) {
			if !ofDay(p, g.Rule) || g.Shadow || g.Answer == limiter.Never {
				continue
			}
			if g.Answer != limiter.Allowed || g.Remaining < int64(all) {
				return &DayFullError{DailyLimitReached, g.Rule, g.Limit, now.Add(max(g.Reset, g.RetryAfter))}
			}
		}
	}
	if m.ExpiresAt.IsZero() {
		return nil
	}
	begin := latest(now, m.NotBefore)
	d := q.limiter.Check(now, q.requestOf(m, from))
	if d.Answer == limiter.Later && !now.Add(d.RetryAfter).Before(m.ExpiresAt) ||
		int64(before) >= p.WorstCase(m.ExpiresAt.Sub(begin)) && int64(before) >= p.WorstCase(m.ExpiresAt.Sub(now)) {
		return &MessageError{
			"expires at", m.ExpiresAt.Format(time.RFC3339), fmt.Sprintf("it cannot be sent by then, %d messages are before it", before),
			"give it more time or a higher priority",
		}
	}
	return nil
}

// queued is how many messages of a new one's account wait, and how many of those
// surely go before it.
func (q *Queue) queued(m *Message) (all, before int) {
	s := q.shardOf(m.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes.find(m.Account)
	if l == nil {
		return 0, 0
	}
	all = int(l.line.n)
	for _, it := range l.claimed {
		if it.campaign != nil && it.phase >= starting {
			all--
		}
	}
	for _, c := range l.line.heard() {
		if p := int(c.priority); p > m.Priority || p == m.Priority && c.name == m.Campaign {
			before += len(c.ready.items())
		}
	}
	return all, before
}

// ofDay reports whether a rule of the policy counts over a day or longer.
func ofDay(p policy.Policy, name string) bool {
	for _, r := range p.Rules {
		if r.Name != name {
			continue
		}
		switch limit := r.Limit.(type) {
		case policy.CalendarWindow:
			return limit.Unit != policy.Minute && limit.Unit != policy.Hour
		case policy.SlidingWindow:
			return limit.Window >= 24*time.Hour
		}
	}
	return false
}
