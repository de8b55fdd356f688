package queue

import (
	"context"
	"slices"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A march is the way of a lane in which messages go one at a time and none waits for
// anything of its own, so that it is known beforehand which goes after which. Most
// lanes are like that most of the time, and their futures take little to step.
type march struct {
	queue     *Queue
	account   string
	portfolio string
	marks     []mark
	campaigns []contender  // of the marks
	key       dice.Account // of the typing times
	start     time.Time
	ahead     *mark           // it is on the wire, or was; nil where none is
	began     time.Time       // when that was put there
	shown     time.Time       // until when typing is shown for the first of the order, zero where it is not
	order     []int32         // of the marks, up to the message that is asked for
	typing    []time.Duration // of each, -1 where it is not known yet
	end       time.Time       // when the first message comes that waits for a time of its own
	nights    *nights         // nil where no two days are alike
	dawn      *dawn           // the last one, nil where there was none
}

// plain is the march of a foresight, nil where something waits for something of its
// own: it has to be stepped as the lane is.
func (f *foresight) plain() *march {
	if f.queue.width != 1 || f.link != nil || f.target < 0 || len(f.claimed) > 1 {
		return nil
	}
	m := &march{
		queue: f.queue, account: f.record.Account, portfolio: f.portfolio, marks: f.marks, campaigns: f.campaigns,
		key: f.key, start: f.now, end: forever(),
	}
	if len(f.claimed) == 1 && !m.leads(f.sketch, f.claimed[0]) {
		return nil
	}
	if !m.line(f.sketch) {
		return nil
	}
	*f.tempo.likely = make([]time.Duration, 0, len(m.order))
	p := f.limiter.PolicyOf(f.record.Account)
	m.nights = nightsOf(&p, f.now)
	if m.queue.typist != nil {
		m.typing = make([]time.Duration, len(m.order))
		for i := range m.typing {
			m.typing[i] = -1
		}
	}
	return m
}

// leads takes in the message that is on its way. It is false where that may come back.
func (m *march) leads(s *sketch, i int32) bool {
	first := &s.marks[i]
	switch first.phase {
	case starting, onWire:
	case typing:
		m.shown = s.stayOf(first).until
		m.order = append(m.order, i)
		return true
	case saving, recording:
		if s.stayOf(first).again != nil {
			return false
		}
	case waiting, behind, delayed, parked, doomed, checking:
		return false
	}
	m.ahead, m.began = first, s.stayOf(first).began
	return i != s.target
}

// A turn is the messages of one campaign that may go, in order.
type turn struct {
	contender
	places []place
}

func (t *turn) less(other *turn) bool {
	switch {
	case t.priority != other.priority:
		return t.priority > other.priority
	case t.pass != other.pass:
		return t.pass < other.pass
	}
	return t.places[0] < other.places[0]
}

func (*turn) seat(int) {} // none is taken out before its time

// A place is where a mark stands among the others: its message's order, as far as it is
// before or after that of the one that is asked for, and then its number. It is small,
// as many are sorted.
type place uint64

const (
	placeBits = 24
	mostApart = 1 << (64 - placeBits - 1)
)

// placeOf is the place of mark i of a march up to a message of some order. It is false
// where it has none.
func (m *march) placeOf(i int, order uint64) (p place, ok bool) {
	apart := m.marks[i].seq - order + mostApart
	return place(apart<<placeBits | uint64(i)), apart < 2*mostApart && i < 1<<placeBits
}

// mark is the mark of a place.
func (p place) mark() int32 { return int32(p & (1<<placeBits - 1)) }

// line puts the messages of a sketch in order, up to the one that is asked for. It is
// false where that cannot be known.
func (m *march) line(s *sketch) bool {
	turns := make([]turn, len(s.campaigns))
	for i := range turns {
		turns[i].contender = s.campaigns[i]
	}
	target := &s.marks[s.target]
	least, found := s.campaigns[target.campaign].priority, false
	var head *mark
	for i := range s.marks {
		it := &s.marks[i]
		if !it.behind {
			head = it
		} else if it.seq < s.marks[i-1].seq {
			return false
		}
		t := &turns[it.campaign]
		switch {
		case head.phase == parked:
			return false
		case it.phase.claimed():
			found = found || it == target
		case t.priority < least, it.campaign == target.campaign && it.seq > target.seq: // it goes later
		case head.phase == delayed:
			if it == target {
				return false
			}
			m.end = earliest(m.end, s.stayOf(head).until)
		case !m.ready(it, s.stayOf(it).typed), !m.shown.IsZero() && m.before(it, &m.marks[m.order[0]]):
			return false
		default:
			p, ok := m.placeOf(i, target.seq)
			if !ok {
				return false
			}
			if t.places == nil {
				t.places = make([]place, 0, t.n)
			}
			t.places = append(t.places, p)
		}
	}
	var next heap[*turn]
	for i := range turns {
		if t := &turns[i]; len(t.places) > 0 {
			slices.Sort(t.places)
			if i >= s.ready {
				t.pass = max(t.pass, passOf(s.passed, t.priority))
			}
			next.push(t)
		}
	}
	m.order = slices.Grow(m.order, len(s.marks))
	for !found {
		t := next.pop()
		for alone := len(next) == 0; !found; {
			i := t.places[0].mark()
			m.order = append(m.order, i)
			found = i == s.target
			t.pass++
			if t.places = t.places[1:]; len(t.places) == 0 {
				break
			}
			if !alone {
				next.push(t)
				break
			}
		}
	}
	return true
}

// ready reports whether a message has only to wait for its turn. Where typing was shown
// for it in vain, it depends on when that comes whether it is shown again.
func (m *march) ready(it *mark, typed time.Time) bool {
	q, to, terms := m.queue, it.to, it.terms
	if q.typist != nil && m.start.Sub(typed) < retypeAfter || it.behind && terms != nil && (terms.notBefore.After(m.start) || terms.retryAt.After(m.start)) {
		return false
	}
	if q.verifier == nil || it.verified || !isPhone(to) {
		return true
	}
	known, ok := q.answers.of(to, m.start)
	if !ok || !known.registered || known.to != to {
		return false
	}
	m.end = earliest(m.end, known.at.Add(q.options.Verify.Yes))
	return true
}

// before reports whether one message goes before another whatever the turns are.
func (m *march) before(a, b *mark) bool {
	if p, other := m.campaigns[a.campaign].priority, m.campaigns[b.campaign].priority; p != other {
		return p > other
	}
	return a.campaign == b.campaign && a.seq < b.seq
}

// run steps a future until the message goes and returns when that is. It fails where
// one waits on the way for something of its own.
func (m *march) run(ctx context.Context, l *limiter.Limiter, t *tempo) (at time.Time, ok bool, err error) {
	now, first := m.start, 0
	if m.dawn != nil {
		now, first = m.dawn.at, m.dawn.next
	} else if it := m.ahead; it != nil {
		switch it.phase {
		case starting:
			now = now.Add(t.left(0, &t.sends))
		case onWire:
			now = now.Add(t.left(now.Sub(m.began), &t.sends))
		default:
		}
		_ = l.Abandon(now, m.account) // its time is one that the lane's clock has shown
	}
	var permit limiter.Permit // of the message before, which is over by now
	for i := first; i < len(m.order); i++ {
		if i%1024 == 0 && ctx.Err() != nil {
			return at, false, context.Cause(ctx)
		}
		if t.calls >= mostCalls {
			return t.beyond(now, len(m.order)-1-i), true, nil
		}
		if permit, now, ok = m.launch(l, permit, i, now, t); !ok {
			return at, false, nil
		}
		took := t.next(now, &t.sends)
		if i == len(m.order)-1 {
			return now, true, nil
		}
		now = now.Add(took)
	}
	return at, false, nil
}

// launch settles the permit of the message before, if there is one, puts a message on the
// wire, as soon as the limiter lets it, and returns when that is.
func (m *march) launch(l *limiter.Limiter, last limiter.Permit, i int, now time.Time, t *tempo) (p limiter.Permit, at time.Time, ok bool) {
	it := &m.marks[m.order[i]]
	c := &m.campaigns[it.campaign]
	req := limiter.Request{
		Account: m.account, Action: policy.SendMessage, Recipient: it.to, Campaign: c.name, NewContact: it.contact && !it.behind, Portfolio: m.portfolio,
	}
	if c.priority <= 0 {
		req.Keep = m.queue.options.KeepForUrgent
	}
	if last != (limiter.Permit{}) {
		if p, at, ok = m.follow(last, i, now, req, t); ok {
			return p, at, true
		}
	}
	types, typed := m.queue.typist != nil, now.Add(-retypeAfter)
	opened, over := false, false // it may be typed; that is over
	if i == 0 && !m.shown.IsZero() {
		typed, now, over = now, latest(now, m.shown), true
	}
	for now.Before(m.end) && !it.expired(now) {
		var d limiter.Decision
		switch shows := types && !over && now.Sub(typed) >= retypeAfter; {
		case !shows:
			if p, d = l.Take(now, req); d.Answer == limiter.Allowed {
				return p, now, true
			}
		case !opened:
			d = l.Check(now, req)
		default:
			typed, now, over = now, now.Add(m.typingOf(i)), true
			continue
		}
		if d.Narrow || d.Answer != limiter.Allowed && d.Answer != limiter.Later {
			break
		}
		if n := m.nights; n != nil && t.lean == 0 && n.see(d, now, len(m.order)-i, t) {
			if m.dawn, ok = m.dawnOf(l, i, now, d, t); !ok {
				break
			}
		}
		now = now.Add(d.RetryAfter)
		opened, over = true, false
	}
	return p, now, false
}

// follow is launch where the limiter knows at once when that is, as it mostly does. Where
// it does not, the permit is settled all the same.
func (m *march) follow(last limiter.Permit, i int, now time.Time, req limiter.Request, t *tempo) (p limiter.Permit, at time.Time, ok bool) {
	before, typing := m.end, time.Duration(0)
	if m.queue.typist != nil {
		typing = m.typingOf(i)
	}
	if end, ends := m.marks[m.order[i]].expires(); ends {
		before = earliest(before, end)
	}
	n := m.nights
	looks := n != nil && n.rule != "" && t.lean == 0
	if looks {
		before = earliest(before, now.Add(n.memory+typing+1)) // a wait for a dawn is longer
	}
	p, at, rule, ok := last.Next(now, req, typing, before)
	if ok && looks && rule == n.rule {
		n.rule = "" // the day was full just before its end: from here on they are not alike
	}
	return p, at, ok
}

// dawnOf is the dawn at which a message goes that has to wait from now on.
func (m *march) dawnOf(l *limiter.Limiter, i int, now time.Time, d limiter.Decision, t *tempo) (*dawn, bool) {
	stands, err := l.Checkpoint(now, m.account, m.portfolio)
	return &dawn{next: i, at: now.Add(d.RetryAfter), stands: stands, tempo: *t}, err == nil
}

// typingOf is how long typing is shown for a message.
func (m *march) typingOf(i int) time.Duration {
	if m.typing[i] < 0 {
		m.typing[i] = m.queue.options.Typing.draw(m.key, &m.marks[m.order[i]].core)
	}
	return m.typing[i]
}
