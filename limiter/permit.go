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
// call it when the send has ended; a time that no request may have, such as the
// zero one, reads as the latest of the account. Only the first Settle of a permit
// counts. All may call it at once.
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
	a := s.table.account(s.flights.one(p.flight).account)
	end := l.instant(now)
	switch {
	case !end.known():
		end = instant{a.last, a.last, a.steady}
	case end.tick < a.last:
		end = l.overtaken(s, a, end)
	}
	f := *s.flights.one(p.flight) // read now: overtaken may have marked it stale
	s.land(p.flight)
	words := s.words.at(a.words)
	for rules := f.rules; rules != 0; rules &= rules - 1 {
		r := &l.plan.rules[rules.first()]
		r.settle(cells{words[r.from:r.to], &s.logs, a.dice}, f.receipt, end, o)
	}
	a.saw(end)
}
