package limiter

import "time"

// An Outcome says what became of an admitted request.
type Outcome uint8

// The three outcomes. Any other value counts as Sent.
const (
	// Sent: it went out, or may have gone out.
	Sent Outcome = iota + 1

	// Refused: the other side was asked and said no. What was taken stays taken.
	Refused

	// Unsent: it surely never went out. What was taken is given back, and never
	// more than if it had not been asked for.
	Unsent
)

// String is the outcome in lower case.
func (o Outcome) String() string {
	switch o {
	case Refused:
		return "refused"
	case Unsent:
		return "unsent"
	}
	return "sent"
}

// A Permit is what an admitted request holds until it is settled. It is a value;
// copies are the same permit. The zero Permit holds nothing.
type Permit struct {
	limiter *Limiter
	serial  uint64
	shard   uint32
	flight  uint32
}

// Settle says at time now what became of the request. Gaps count from now, so
// call it when the send has ended. Only the first Settle of a permit counts. All
// may call it at once.
func (p Permit) Settle(now time.Time, o Outcome) {
	if p.serial == 0 {
		return
	}
	l, s := p.limiter, &p.limiter.shards[p.shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.flights.one(p.flight); f.serial != p.serial {
		return
	}
	i := s.flights.one(p.flight).account
	end := l.enter(s, i, now)
	f := *s.flights.one(p.flight)
	s.land(p.flight)
	l.settle(s, i, f.rules, f.receipt, end, o)
	s.table.account(i).last = end.tick
}

// settle tells every rule of the set what became of a charge. It requires s.mu.
func (l *Limiter) settle(s *shard, i uint32, rules set, r receipt, end instant, o Outcome) {
	words, name := s.cells(i)
	for ; rules != 0; rules &= rules - 1 {
		r0 := &l.plan.rules[rules.first()]
		r0.settle(cells{words[r0.from:r0.to], &s.logs, name}, r, end, o)
	}
}
