package limiter

import (
	"time"

	"github.com/wapace/wapace/policy"
)

// An Outcome says what became of an admitted request.
type Outcome uint8

// The three outcomes. Any other value counts as Sent.
const (
	// Sent: it went out, or may have gone out.
	Sent Outcome = iota + 1

	// Refused: the other side was asked and said no. What was taken stays taken,
	// but for a recipient who was counted for the first time: nobody was reached.
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
	default:
		return "sent"
	}
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
// counts, and none after Options.PermitTTL. All may call it at once.
func (p Permit) Settle(now time.Time, o Outcome) {
	if p.serial == 0 {
		return
	}
	l, s := p.limiter, &p.limiter.shards[p.shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flights.one(p.flight).serial != p.serial {
		return
	}
	number := s.flights.one(p.flight).account
	a := s.accounts.at(number)
	given := l.instant(now)
	end := l.reach(s, number, l.planOf(a), ofAccount, given)
	l.lapse(s, number, end)
	if s.flights.one(p.flight).serial == p.serial {
		l.settle(s, p.flight, end, given, o)
	}
	if l.awaiting.Load() > 0 {
		l.wake(s.accounts.key(a.name))
	}
}

// permit records what was charged as in flight. It requires the query's locks.
func (l *Limiter) permit(q *query, action policy.Action, rules, owed set) Permit {
	account := &q.account
	f := flight{
		receipt: receipt{claim: account.claim},
		action:  action, rules: rules, owed: owed,
		account: account.number, turn: account.record.turn,
	}
	if q.others == nil {
		return Permit{l, f.serial, uint32(q.hash % shardCount), q.shard.launch(&f)}
	}
	if recipient := &q.others.recipient; recipient.known {
		f.pair = recipient.number + 1
	}
	if portfolio := &q.others.portfolio; portfolio.known {
		a := portfolio.record
		a.pairs++
		f.portfolio = deposit{
			receipt: receipt{claim: portfolio.claim},
			shard:   uint32(q.others.hash%shardCount) + 1,
			account: portfolio.number,
			turn:    a.turn,
		}
	}
	return Permit{l, f.serial, uint32(q.hash % shardCount), q.shard.launch(&f)}
}

// settle gives every rule that a permit was charged to its outcome, at the instant
// end of the account. For a portfolio, whose clock is its own, it is the given one;
// that of a permit that ends as sent is not asked for. It requires s.mu.
func (l *Limiter) settle(s *shard, number uint32, end, given instant, o Outcome) {
	f := *s.flights.one(number)
	s.land(number)
	a := s.accounts.at(f.account)
	pl := l.planOf(a)
	f.stale = f.turn != a.turn
	f.key = a.dice
	w := s.mine(pl, ofAccount, f.account, a)
	if f.rules&^pl.in[ofAccount] == 0 && f.portfolio.shard == 0 { // as most are, which need no holders
		for rules := f.told(o); rules != 0; rules &= rules - 1 {
			r := &pl.rules[rules.first()]
			r.settle(cells{w.of(r), &s.stock}, f.receipt, end, o)
		}
	} else {
		l.spread(s, &f, pl, w, end, given, o)
	}
	if end.tick >= a.last { // it may have run out before, by the limiter it was restored to
		a.saw(end)
	}
}

// told are the rules that are told the outcome of a permit.
func (f *flight) told(o Outcome) set {
	if o == Unsent || o == Refused {
		return f.rules & f.owed
	}
	return f.rules
}

// spread is settle for a permit that was charged to others than the account, whose words
// are w.
func (l *Limiter) spread(s *shard, f *flight, pl *plan, w words, end, given instant, o Outcome) {
	holders := [scopes]holder{ofAccount: {words: w, stock: &s.stock}}
	holders[ofAccount].at = end
	receipts := [scopes]receipt{ofAccount: f.receipt, ofRecipient: f.receipt}
	if f.pair != 0 {
		p := s.pairs.at(f.pair - 1)
		holders[ofRecipient] = holder{
			words: s.words(pl, ofRecipient, 0, p.row), stock: &s.stock,
		}
		holders[ofRecipient].at = end
		receipts[ofRecipient].key = pairKey(p.recipient)
	}
	if d := f.portfolio; d.shard != 0 {
		other := &l.portfolios[d.shard-1]
		other.mu.Lock()
		defer other.mu.Unlock()
		b := other.accounts.at(d.account)
		b.pairs--
		at := b.latest()
		if o == Unsent || o == Refused {
			at = l.reach(other, d.account, l.plan, ofPortfolio, given)
			b.saw(at)
		}
		d.stale = d.turn != b.turn
		receipts[ofPortfolio] = d.receipt
		holders[ofPortfolio] = holder{
			words: other.mine(pl, ofPortfolio, d.account, b), stock: &other.stock,
		}
		holders[ofPortfolio].at = at
	}
	for rules := f.told(o); rules != 0; rules &= rules - 1 {
		r := &pl.rules[rules.first()]
		h := &holders[r.scope]
		r.settle(h.cells(r), receipts[r.scope], h.at, o)
	}
}

// lapse settles the permits of account i that have run out by the instant at, each
// as sent when it did. It requires s.mu.
func (l *Limiter) lapse(s *shard, i uint32, at instant) {
	for {
		a := s.accounts.at(i)
		if a.flight == 0 {
			return
		}
		end, out := l.runsOut(s.flights.one(a.flight-1), at)
		if !out {
			return
		}
		l.settle(s, a.flight-1, end, end, Sent)
	}
}

// runsOut is when a permit ran out, if it did by the instant at.
func (l *Limiter) runsOut(f *flight, at instant) (end instant, out bool) {
	if out := add(f.at.tick, l.ttl); out > at.tick || l.ttl == never || out == never {
		return end, false
	}
	age := clamp(since(at.tick, f.at.tick)) - l.ttl
	return instant{sub(at.tick, age), sub(at.wall, age), at.steady}, true
}

// foresee is lapse for a query that takes nothing: it settles what has run out in
// copies of the words that the query looks at. A permit that ends as sent changes
// nothing else, and nothing of a portfolio's. It requires the query's locks.
func (l *Limiter) foresee(q *query) {
	s, account := q.shard, &q.account
	copied := false
	for f := range s.flying(account.record) {
		if account.back != nil {
			later := *f
			later.at = account.back.to
			f = &later
		}
		end, out := l.runsOut(f, account.at)
		if !out {
			return
		}
		if !copied {
			copied = true
			account.words = account.words.clone()
			if q.others != nil {
				q.others.recipient.words = q.others.recipient.words.clone()
			}
		}
		for rules := f.rules; rules != 0; rules &= rules - 1 {
			r := &q.plan.rules[rules.first()]
			h := account
			if r.scope != ofAccount {
				if q.others == nil || r.scope == ofPortfolio || !q.others.recipient.known || f.pair != q.others.recipient.number+1 {
					continue
				}
				h = &q.others.recipient
			}
			receipt := f.receipt
			receipt.key = h.key
			r.settle(h.cells(r), receipt, end, Sent)
		}
	}
}
