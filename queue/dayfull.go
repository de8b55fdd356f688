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

	// Reject refuses it with a [*DayFullError], unless its NotBefore is when the rule
	// frees or later. Of what waits count the messages that may go before that: those
	// of its portfolio's accounts where the budget is the portfolio's, and those to
	// its recipient where it is a recipient's. Where several are taken in at once, each
	// may find the last room; the others wait for the next day then.
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
	if q.options.DayFull == Reject {
		if err := q.dayFull(m, &p, q.requestOf(m, from), now); err != nil {
			return err
		}
	}
	if m.ExpiresAt.IsZero() {
		return nil
	}
	before := q.before(m)
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

// dayFull is an error where what was sent and what waits leaves nothing of a day for a
// new message.
func (q *Queue) dayFull(m *Message, p *policy.Policy, req limiter.Request, now time.Time) error {
	for _, g := range q.limiter.Gates(now, req) {
		r, ok := ofDay(p, g.Rule)
		if !ok || g.Shadow || g.Answer == limiter.Never {
			continue
		}
		frees := now.Add(max(g.Reset, g.RetryAfter))
		if m.NotBefore.IsZero() || m.NotBefore.Before(frees) {
			if g.Answer != limiter.Allowed || g.Remaining-req.Keep < q.waitFor(m, r.Scope, req.Portfolio, frees) {
				return &DayFullError{DailyLimitReached, g.Rule, g.Limit, frees}
			}
		}
	}
	return nil
}

// waitFor is how many messages wait that draw on the same budget as a new one, by the
// scope of that, and may go before a time.
func (q *Queue) waitFor(m *Message, scope policy.Scope, portfolio string, before time.Time) (n int64) {
	accounts := []string{m.Account}
	if scope == policy.ScopePortfolio {
		accounts = q.families.of(portfolio)
	}
	for _, account := range accounts {
		s := q.shardOf(account)
		s.mu.Lock()
		switch l := s.lanes.find(account); {
		case l == nil:
		case scope == policy.ScopeRecipient:
			n += l.waitForRecipient(m.To, before)
		default:
			n += l.wait(before)
		}
		s.mu.Unlock()
	}
	return n
}

// wait is how many messages of a lane wait that may go before a time.
func (l *lane) wait(before time.Time) int64 {
	n := int64(l.line.size())
	for _, it := range l.claimed {
		if it.campaign != nil && it.phase >= starting {
			n--
		}
	}
	for it := range l.line.rare.later.all() {
		for late := !it.until().Before(before); late && it != nil; it = it.next {
			n--
		}
	}
	return n
}

// waitForRecipient is how many of them are to a recipient.
func (l *lane) waitForRecipient(to string, before time.Time) (n int64) {
	all, _ := l.line.contenders()
	for _, c := range all {
		chain := int64(0)
		for it := l.line.last(c.campaign, to); it != nil; it = it.prev {
			if it.phase < starting {
				chain++
			}
			if it.phase == delayed && !it.until().Before(before) {
				chain = 0 // it is the first one
			}
		}
		n += chain
	}
	return n
}

// before is how many messages surely go before a new one.
func (q *Queue) before(m *Message) (n int) {
	s := q.shardOf(m.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes.find(m.Account)
	if l == nil {
		return 0
	}
	all, _ := l.line.contenders()
	for _, c := range all {
		if p := int(c.priority); p > m.Priority || p == m.Priority && c.name == m.Campaign {
			n += c.ready.len()
		}
	}
	return n
}

// ofDay is the rule of a name in a policy, if it counts over a day or longer.
func ofDay(p *policy.Policy, name string) (r policy.Rule, ok bool) {
	for _, r := range p.Rules {
		if r.Name != name {
			continue
		}
		switch limit := r.Limit.(type) {
		case policy.CalendarWindow:
			return r, limit.Unit != policy.Minute && limit.Unit != policy.Hour
		case policy.SlidingWindow:
			return r, limit.Window >= 24*time.Hour
		}
	}
	return r, false
}
