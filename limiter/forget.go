package limiter

// How many records are looked at when a new one is wanted, and when there is no
// room for it. Each new account so pays for the search after idle ones, and none
// pays much.
const (
	looksForOne  = 2
	looksForRoom = 16
)

// earlier is the instant as the latest caller may have read the clock: nobody is
// forgotten who is not idle for each of them.
func earlier(at instant) instant {
	return instant{sub(at.tick, tolerance), sub(at.wall, tolerance), at.steady}
}

// crowded looks for accounts, or portfolios, to forget, and reports whether there
// is no room for another. A peek looks for as many and forgets none. It requires
// s.mu, and for accounts no portfolio's lock.
func (l *Limiter) crowded(s *shard, scope int, at instant, peek bool) bool {
	shards, count := &l.shards, &l.accounts
	if scope == ofPortfolio {
		shards, count = &l.portfolios, &l.groups
	}
	at = earlier(at)
	if count.Load() < l.most {
		if !peek {
			count.Add(-l.forget(s, scope, at, looksForOne, false))
		}
		return false
	}
	idle := l.forget(s, scope, at, looksForRoom, peek)
	// A shard that is in use is left alone: to wait for it could be for ever.
	for looks, n := looksForRoom, 0; count.Load()-idle >= l.most && looks > 0 && n < shardCount; n++ {
		other := &shards[l.search.Add(1)%shardCount]
		if other == s || !other.mu.TryLock() {
			continue
		}
		looks -= min(looks, other.accounts.index.used)
		idle += l.forget(other, scope, at, looksForRoom, peek)
		other.mu.Unlock()
	}
	if peek {
		return count.Load()-idle >= l.most
	}
	return count.Add(-idle) >= l.most
}

// forget looks at some accounts, or portfolios, and returns how many of them were
// idle, and are forgotten where it is no peek. It requires s.mu, and for accounts no
// portfolio's lock.
func (l *Limiter) forget(s *shard, scope int, at instant, looks int, peek bool) (idle int64) {
	if scope == ofAccount && !peek {
		l.tidy(s, at, looks)
	}
	t := &s.accounts
	looks = min(looks, int(t.n()))
	for k := range looks {
		i := (t.hand + uint32(k)) % t.n()
		if t.at(i).flight != 0 && !peek {
			l.lapse(s, i, at)
		}
		a := t.at(i)
		if !s.idle(l.plan, scope, i, at) {
			continue
		}
		key := t.key(a.name)
		if l.plan.draws && a.dice != l.dice.Account(key) {
			continue // a key that was restored cannot be made again
		}
		idle++
		if !peek {
			s.clearRests(owner{account: i})
			s.release(l.plan, scope, i, a.row)
			l.forgetLookback(s, i)
			t.remove(l.hash.of(key), i)
		}
	}
	if looks > 0 && !peek {
		t.hand = (t.hand + uint32(looks)) % t.n()
	}
	return idle
}

// tidy looks for recipients to forget. It requires s.mu and no portfolio's lock.
func (l *Limiter) tidy(s *shard, at instant, looks int) {
	t := &s.pairs
	for range min(looks, int(t.slab.n)) {
		i := t.hand
		t.hand = (i + 1) % t.slab.n
		p := t.at(i)
		if p.account == 0 {
			continue
		}
		a := s.accounts.at(p.account - 1)
		if a.flight != 0 {
			l.lapse(s, p.account-1, at)
		}
		pl := l.planOf(a)
		who := owner{p.account - 1, p.recipient}
		if a.flight != 0 || !s.blank(pl, ofRecipient, 0, p.row, at) || !s.rested(who, at) {
			continue
		}
		s.clearRests(who)
		s.release(pl, ofRecipient, 0, p.row)
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
	if rules&q.plan.far != 0 {
		account.record.row = s.widen(q.plan, ofAccount, account.record.row)
		account.words = s.mine(q.plan, ofAccount, account.number, account.record)
	}
	s.serial++
	account.serial = s.serial
	account.record.saw(account.at)
	if q.others != nil {
		l.admitOthers(q, req, rules)
	}
}

// admitOthers is admit for the recipient and the portfolio.
func (l *Limiter) admitOthers(q *query, req *Request, rules set) {
	s, account := q.shard, &q.account
	if rules&q.plan.in[ofRecipient] != 0 {
		recipient := &q.others.recipient
		if !recipient.known {
			recipient.number, recipient.known = s.pairs.add(account.number, recipient.recipient), true
			p := s.pairs.at(recipient.number)
			p.row = s.allot(q.plan.fresh[ofRecipient])
			recipient.words = s.words(q.plan, ofRecipient, 0, p.row)
			// A row that is added can move rows of the same size.
			account.words = s.mine(q.plan, ofAccount, account.number, account.record)
			account.record.pairs++
		}
		recipient.serial, recipient.ends = s.serial, account.ends
	}
	if rules&q.plan.in[ofPortfolio] != 0 {
		portfolio, other := &q.others.portfolio, q.others.shard
		if !portfolio.known {
			l.open(portfolio, other, q.plan, ofPortfolio, q.others.hash, req.Portfolio)
			l.groups.Add(1)
		}
		other.serial++
		portfolio.serial, portfolio.ends = other.serial, account.ends
		portfolio.record.saw(portfolio.at)
	}
}
