package limiter_test

import (
	"fmt"
	"math/big"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// modelCall is one admitted request in the memory of the model, which forgets
// nothing and looks through all of it each time it is asked.
type modelCall struct {
	at     time.Time
	cost   int64
	flying bool
	unsent bool // settled as such, and given back
}

// modelRule is one rule of one account.
type modelRule struct {
	name  string
	limit policy.Limit
	calls []*modelCall
	due   time.Time // when the pause of a gap is over, as the limiter was seen to say
	sends int64     // sends of a gap that have ended
}

// modelGate is what the model says of a rule.
type modelGate struct {
	answer    limiter.Answer
	free      time.Time // when a Later rule frees; zero where the model can only judge
	remaining int64
}

func (m *modelRule) ask(now time.Time, cost int64) modelGate {
	switch limit := m.limit.(type) {
	case policy.SlidingWindow:
		return m.askWindow(limit, now, cost)
	case policy.TokenBucket:
		return m.askBucket(limit, now, cost)
	case policy.CalendarWindow:
		used := m.used(func(c *modelCall) bool { return windowName(limit, c.at) == windowName(limit, now) })
		return counted(limit.Max, used, cost)
	case policy.Gap:
		every := max(1, limit.Every)
		switch {
		case m.flying() > 0:
			return modelGate{answer: limiter.Busy}
		case m.due.After(now):
			return modelGate{answer: limiter.Later, free: m.due}
		}
		return modelGate{answer: limiter.Allowed, remaining: every - 1 - m.sends%every}
	case policy.Concurrency:
		switch n := m.flying(); {
		case limit.Max == 0:
			return modelGate{answer: limiter.Never}
		case n >= limit.Max:
			return modelGate{answer: limiter.Busy}
		default:
			return modelGate{answer: limiter.Allowed, remaining: limit.Max - n - 1}
		}
	}
	panic(fmt.Sprintf("no model of %T", m.limit))
}

func (m *modelRule) used(in func(*modelCall) bool) (sum int64) {
	for _, c := range m.calls {
		if !c.unsent && in(c) {
			sum += c.cost
		}
	}
	return sum
}

func (m *modelRule) flying() (n int64) {
	for _, c := range m.calls {
		if c.flying {
			n++
		}
	}
	return n
}

func counted(most, used, cost int64) modelGate {
	switch {
	case cost > most:
		return modelGate{answer: limiter.Never, remaining: most - used}
	case used+cost > most:
		return modelGate{answer: limiter.Later, remaining: most - used}
	}
	return modelGate{answer: limiter.Allowed, remaining: most - used - cost}
}

func (m *modelRule) askWindow(w policy.SlidingWindow, now time.Time, cost int64) modelGate {
	usedAt := func(t time.Time) int64 {
		return m.used(func(c *modelCall) bool { return c.at.Add(w.Window).After(t) })
	}
	g := counted(w.Max, usedAt(now), cost)
	if g.answer != limiter.Later {
		return g
	}
	for _, c := range m.calls {
		if end := c.at.Add(w.Window); !c.unsent && usedAt(end)+cost <= w.Max && (g.free.IsZero() || end.Before(g.free)) {
			g.free = end
		}
	}
	return g
}

// askBucket pours the whole history through the bucket. What is owed is counted in
// nanoseconds times Max, so that a token is Per.
func (m *modelRule) askBucket(b policy.TokenBucket, now time.Time, cost int64) modelGate {
	big64 := big.NewInt
	per, rate := big64(int64(b.Per)), big64(b.Max)
	owed, at := new(big.Int), now
	if len(m.calls) > 0 {
		at = m.calls[0].at
	}
	refill := func(t time.Time) {
		owed.Sub(owed, new(big.Int).Mul(rate, big64(int64(t.Sub(at)))))
		if owed.Sign() < 0 {
			owed.SetInt64(0)
		}
		at = t
	}
	for _, c := range m.calls {
		if !c.unsent {
			refill(c.at)
			owed.Add(owed, new(big.Int).Mul(per, big64(c.cost)))
		}
	}
	refill(now)
	size := max(1, b.Burst)
	room := new(big.Int).Mul(per, big64(size))
	room.Sub(room, owed)
	price := new(big.Int).Mul(per, big64(cost))
	lacks := new(big.Int).Sub(price, room)
	switch {
	case b.Max == 0:
		return modelGate{answer: limiter.Never}
	case cost > size:
		return modelGate{answer: limiter.Never, remaining: room.Div(room, per).Int64()}
	case lacks.Sign() > 0:
		wait := lacks.Add(lacks, rate).Sub(lacks, big64(1))
		wait.Div(wait, rate)
		return modelGate{limiter.Later, now.Add(time.Duration(wait.Int64())), room.Div(room, per).Int64()}
	}
	room.Sub(room, price)
	return modelGate{answer: limiter.Allowed, remaining: room.Div(room, per).Int64()}
}

// windowName names the calendar window that holds t, for zones whose local date
// never goes back.
func windowName(w policy.CalendarWindow, t time.Time) string {
	t = t.In(w.Zone())
	switch w.Unit {
	case policy.Minute:
		return t.Format("2006-01-02 15:04 -07:00")
	case policy.Hour:
		return t.Format("2006-01-02 15 -07:00")
	case policy.Day:
		return t.Format("2006-01-02")
	case policy.Week:
		return fmt.Sprint(t.ISOWeek())
	}
	return t.Format("2006-01")
}

// judge says whether a calendar rule may free at the instant that the limiter
// named: the first one of another window.
func (m *modelRule) judge(now, free time.Time) bool {
	w, ok := m.limit.(policy.CalendarWindow)
	return ok && windowName(w, free.Add(-1)) == windowName(w, now) && windowName(w, free) != windowName(w, now)
}

// settle says what became of a call, and reports whether a pause begins.
func (m *modelRule) settle(c *modelCall, o limiter.Outcome) (pause bool) {
	c.flying = false
	switch limit := m.limit.(type) {
	case policy.TokenBucket:
		c.unsent = o == limiter.Unsent && c == m.calls[len(m.calls)-1]
	case policy.Gap:
		if o == limiter.Unsent {
			return false
		}
		m.sends++
		return m.sends%max(1, limit.Every) == 0
	default:
		c.unsent = o == limiter.Unsent
	}
	return false
}
