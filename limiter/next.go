package limiter

import (
	"time"

	"github.com/wapace/wapace/policy"
)

// Next is for whoever plays an account's requests ahead of the clock, one at a time. It
// settles the permit as sent at time now, and has the account take what req costs as soon
// as it may, and lead after that. It does in one call what Settle, [Limiter.Check] and
// [Limiter.Take] do at these times: at is when it has taken it, and rule what it waited
// for, empty where it did not.
//
// Where that takes more than the rules' answer at now, it only settles the permit, and ok
// is false. So it is for a permit that is settled already or not the only one of its
// account, for rules that need more than the account, such as those of recipients, or
// shut again by themselves, for a hold, for a request of another account, and where at
// would not be before the time of that name. Then ask, and take, step by step.
func (p Permit) Next(now time.Time, req Request, lead time.Duration, before time.Time) (next Permit, at time.Time, rule string, ok bool) {
	if p.serial == 0 {
		return Permit{}, now, "", false
	}
	s, from := &p.limiter.shards[p.shard], p.limiter.instant(now)
	s.mu.Lock()
	n := sequel{shard: s, flight: p.flight}
	if !n.follows(p, from, &req) {
		s.mu.Unlock()
		p.Settle(now, Sent)
		return Permit{}, now, "", false
	}
	defer s.mu.Unlock()
	n.end(from)
	n.cost, n.keep, n.key, n.at = max(req.Cost, 1), req.Keep, n.account.dice, from
	binds, g, shut := n.ask()
	if g.answer == Later {
		rule, n.at = binds.name, n.at.by(g.free)
	}
	if g.answer != Busy && g.answer != Never {
		n.at = n.at.by(add(n.at.tick, int64(lead)))
	}
	if n.at.tick > from.tick {
		_, g, shut = n.ask()
	}
	at = now.Add(until(n.at.tick, from.tick))
	if g.answer != Allowed || !n.at.known() || !at.Before(before) {
		s.land(p.flight)
		return Permit{}, now, "", false
	}
	n.take(req.Action, shut)
	return Permit{p.limiter, n.serial, p.shard, p.flight}, at, rule, true
}

// A sequel is a request that follows another one of its account, in place of which it is
// in flight.
type sequel struct {
	claim
	shard   *shard
	flight  uint32
	account *account
	cover   *covered
	words   []int64
}

// follows reports whether the request of a permit is the only one in flight of the
// account, and the rules need nothing but that for either of the two. It requires the
// shard's lock.
func (n *sequel) follows(p Permit, at instant, req *Request) bool {
	l, s := p.limiter, n.shard
	was := s.flights.one(p.flight)
	if was.serial != p.serial || was.next != p.flight || !at.known() || !req.sound() || l.holds.count.Load() > 0 || l.awaiting.Load() > 0 {
		return false
	}
	a, home := s.accounts.record(was.account)
	_, out := l.runsOut(was, at)
	if out || at.tick < a.last || was.turn != a.turn || !s.accounts.is(a.name, named(req.Account), req.Account) {
		return false
	}
	pl := l.planOf(a)
	c := pl.covered(req.Action)
	if c == nil || !c.plain || was.rules != c.rules {
		return false
	}
	n.account, n.cover, n.words = a, c, home
	if a.row < atHome || c.far {
		f := found{shard: s, number: was.account, account: a, home: home}
		n.words = f.part(pl, c.far)
	}
	return true
}

// end settles the request before it as sent.
func (n *sequel) end(at instant) {
	was := n.shard.flights.one(n.flight).receipt
	was.key = n.account.dice
	for i := range n.cover.in {
		r := &n.cover.in[i]
		r.settle(cells{n.words[r.from:r.to], &n.shard.stock}, was, at, Sent)
	}
	n.account.saw(at)
}

// ask is the rule that binds at the instant of the request, as far as more than a look
// at it is needed, and which rules need that.
func (n *sequel) ask() (binds *rule, g gate, shut set) {
	rules, stock := n.cover.in, &n.shard.stock
	if shut = set(1)<<len(rules) - 1; n.cover.tight != nil {
		shut = closed(rules, n.words, stock, &n.claim)
	}
	if shut == 0 {
		return nil, gate{answer: Allowed}, 0
	}
	binds, g, _ = bind(rules, shut, n.words, stock, &n.claim)
	return binds, g, shut
}

// take charges the rules, which allow the request, and has it in flight.
func (n *sequel) take(action policy.Action, shut set) {
	s, rules := n.shard, n.cover.in
	s.serial++
	n.serial = s.serial
	n.account.saw(n.at)
	f := s.flights.one(n.flight)
	if shut == 0 {
		f.owed = pass(rules, n.words, &s.stock, &n.claim)
	} else {
		f.owed = spend(rules, n.words, &s.stock, &n.claim)
	}
	f.receipt, f.action = receipt{claim: n.claim}, action
}
