package limiter

import (
	"hash/maphash"
	"sync/atomic"
)

// How many records are looked at when a new one is wanted, and when there is no
// room for it. Each new account so pays for the search after idle ones, and none
// pays much.
const (
	looksForOne  = 2
	looksForRoom = 16
)

// crowded looks for accounts, or portfolios, to forget, and reports whether there
// is no room for another. A peek forgets none. It requires s.mu.
func (l *Limiter) crowded(s *shard, count *atomic.Int64, scope int, at instant, peek bool) bool {
	looks := looksForOne
	switch {
	case count.Load() >= l.most:
		looks = looksForRoom
	case peek:
		return false
	}
	t := &s.accounts
	idle := int64(0)
	for k := range min(looks, int(t.slab.n)) {
		i := (t.hand + uint32(k)) % t.slab.n
		a := t.at(i)
		if !s.idle(l.plan, scope, i, at) || a.dice != l.dice.Account(a.key) {
			continue // a key that was restored cannot be made again
		}
		idle++
		if !peek {
			s.release(l.plan, scope, a.words)
			t.remove(maphash.String(l.hash, a.key), i)
		}
	}
	if peek {
		return count.Load()-idle >= l.most
	}
	if t.slab.n > 0 {
		t.hand = (t.hand + uint32(looks)) % t.slab.n
	}
	return count.Add(-idle) >= l.most
}

// tidy looks for recipients to forget. It requires s.mu.
func (l *Limiter) tidy(s *shard, at instant) {
	t := &s.pairs
	for range min(looksForOne, int(t.slab.n)) {
		i := t.hand
		t.hand = (i + 1) % t.slab.n
		p := t.at(i)
		if p.account == 0 {
			continue
		}
		a := s.accounts.at(p.account - 1)
		pl := l.planOf(a)
		if a.flight != 0 || at.tick < a.last || !s.blank(pl, ofRecipient, p.words, pairKey(p.recipient), at) {
			continue
		}
		s.release(pl, ofRecipient, p.words)
		t.remove(i)
		a.pairs--
	}
}

// admit gives everybody whose budget is about to be charged a record, and the
// charge a serial. It requires the query's locks.
func (l *Limiter) admit(q *query, req *Request, rules set) {
	s := q.shard
	account := &q.account
	if !account.known {
		l.open(account, s, q.plan, ofAccount, q.hash, req.Account)
		l.accounts.Add(1)
	}
	s.serial++
	account.serial = s.serial
	s.accounts.at(account.number).saw(account.at)
	if rules&q.plan.in[ofRecipient] != 0 {
		recipient := &q.others.recipient
		if !recipient.known {
			l.tidy(s, account.at)
			recipient.number, recipient.known = s.pairs.add(account.number, recipient.demand.recipient), true
			p := s.pairs.at(recipient.number)
			p.words = s.allot(q.plan.fresh[ofRecipient])
			recipient.words = s.words(p.words, q.plan.size[ofRecipient])
			a := s.accounts.at(account.number)
			a.pairs++
			account.words = s.words(a.words, q.plan.size[ofAccount]) // the new row may have moved them
		}
		recipient.serial = s.serial
	}
	if rules&q.plan.in[ofPortfolio] != 0 {
		portfolio, other := &q.others.portfolio, q.others.shard
		if !portfolio.known {
			l.open(portfolio, other, q.plan, ofPortfolio, q.others.hash, req.Portfolio)
			l.groups.Add(1)
		}
		other.serial++
		portfolio.serial = other.serial
		other.accounts.at(portfolio.number).saw(portfolio.at)
	}
}
