package limiter

import (
	"math"
	"slices"
	"time"

	"github.com/wapace/wapace/policy"
)

// Restore puts back what a snapshot holds, in the place of what the limiter knows
// of that account or portfolio; holds are only added or made longer. The running
// pauses and the coming ones are those of the snapshot. A snapshot that was taken
// under another policy is carried on as by [Limiter.SetPolicy]. Permits of before
// can no longer be settled: those that were in flight count as sent once
// Options.PermitTTL has passed since they were taken. All that is restored is kept,
// also above Options.MaxAccounts. Errors: a time that no request may have; a snapshot
// that is damaged, cut off or of a newer version, which wrap [ErrSnapshot]. Nothing is
// changed then.
func (l *Limiter) Restore(now time.Time, snapshot []byte) error {
	at := l.instant(now)
	if !at.known() {
		return timeProblem(now)
	}
	p, pl, err := readPicture(snapshot)
	if err != nil {
		return err
	}
	if p.kind == ofAllHolds {
		for i := range p.stops {
			l.pinAll(&p.stops[i])
		}
		l.changed("")
		return nil
	}
	number := uint16(0)
	if !p.own {
		whole, err := l.withPortfolioRules(withoutPortfolioRules(p.policy))
		if err != nil {
			return err
		}
		if number, err = l.plans.number(whole); err != nil {
			return err
		}
	}
	alike := fingerprint(p.policy) == fingerprint(l.plans.numbered(number).policy)
	l.put(&p, pl, number, alike, at)
	return nil
}

// pinAll puts back a hold that names no account.
func (l *Limiter) pinAll(s *stopPicture) {
	mu, all := l.where(&s.target)
	mu.Lock()
	defer mu.Unlock()
	l.pin(all, s.target, s.again(), math.MinInt64)
}

// put puts back the picture of an account or portfolio that was taken under plan pl, in
// the place of what is known of that, and carries it on to the plan of a number, which
// may decide alike.
func (l *Limiter) put(p *picture, pl *plan, number uint16, alike bool, at instant) {
	target := l.plans.numbered(number)
	shards, count, scope := &l.shards, &l.accounts, ofAccount
	if p.kind == ofOnePortfolio {
		shards, count, scope = &l.portfolios, &l.groups, ofPortfolio
	}
	hash := l.hash.of(p.key)
	s := &shards[hash%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	defer l.changed(p.key)
	for i := range p.stops {
		l.pin(&s.holds, p.stops[i].target, p.stops[i].again(), math.MinInt64)
	}
	i, known := s.accounts.find(hash, p.key)
	if known {
		l.clear(s, l.planOf(s.accounts.at(i)), scope, i)
	} else {
		i = s.accounts.add(hash, p.key)
		count.Add(1)
	}
	p.install(s, pl, scope, i, at, alike && target == l.plan)
	a := s.accounts.at(i)
	a.plan = number
	at = l.reach(s, i, pl, scope, at)
	if !alike {
		l.rehome(s, i, scope, pl, target, at)
	}
}

// withoutPortfolioRules is the policy of an account's snapshot without what the
// limiter that it was taken from had of its own.
func withoutPortfolioRules(p policy.Policy) policy.Policy {
	p.Rules = slices.DeleteFunc(slices.Clone(p.Rules), func(r policy.Rule) bool { return r.Scope == policy.ScopePortfolio })
	return p
}

func (s *stopPicture) again() *stop { return &stop{s.stop.until, s.stop.reason, s.target.narrow()} }

// clear empties an account's record and voids its permits. It requires s.mu.
func (l *Limiter) clear(s *shard, pl *plan, scope int, i uint32) {
	l.forgetLookback(s, i)
	a := s.accounts.at(i)
	for a.flight != 0 {
		if d := s.flights.one(a.flight - 1).portfolio; d.shard != 0 {
			other := &l.portfolios[d.shard-1]
			other.mu.Lock()
			other.accounts.at(d.account).pairs--
			other.mu.Unlock()
		}
		s.land(a.flight - 1)
	}
	for n := uint32(0); a.pairs > 0 && scope == ofAccount && n < s.pairs.slab.n; n++ {
		if p := s.pairs.at(n); p.account == i+1 {
			s.release(pl, ofRecipient, 0, p.row)
			s.clearRests(owner{i, p.recipient})
			s.pairs.remove(n)
			a.pairs--
		}
	}
	s.clearRests(owner{account: i})
	s.release(pl, scope, i, a.row)
	a.turn++ // what was taken before can no longer be told from what is restored
}

// install fills in a cleared account's record from a picture, with its words at home
// or not. It requires s.mu.
func (p *picture) install(s *shard, pl *plan, scope int, i uint32, at instant, home bool) {
	shift := sub(at.wall, at.tick)
	a := s.accounts.at(i)
	a.dice, a.last, a.steady = p.dice, move(p.last, -shift), false
	if home {
		a.row = s.widen(pl, scope, s.house(pl, scope, i))
	} else {
		a.row = s.allot(pl.fresh[scope])
	}
	s.fill(pl, scope, s.mine(pl, scope, i, a), p.records, shift)
	pairs := make([]uint32, len(p.pairs))
	for k, pair := range p.pairs {
		pairs[k] = s.pairs.add(i, pair.recipient)
		r := s.pairs.at(pairs[k])
		r.row = s.allot(pl.fresh[ofRecipient])
		s.fill(pl, ofRecipient, s.words(pl, ofRecipient, 0, r.row), pair.records, shift)
		a.pairs++
	}
	for _, f := range p.flights {
		s.serial++
		again := flight{
			receipt: receipt{stale: true, claim: claim{
				demand: f.demand, serial: s.serial,
				at: instant{tick: move(f.at.tick, -shift), wall: f.at.wall},
			}},
			action: f.action, rules: f.rules, account: i, turn: a.turn,
		}
		if f.pair > 0 {
			again.pair = pairs[f.pair-1] + 1
		}
		s.launch(&again)
	}
	s.recount(pl, i)
	for _, r := range p.rests {
		m := compile(r.rule.Limit, r.rule.Name)
		words := make([]int64, len(m.layout()))
		m.fresh(words)
		r.record.load(m, cells{words, &s.stock}, shift)
		who := owner{i, r.recipient}
		s.keep(who, append(s.rests[who], rest{meaningOf(r.rule, m), r.rule, m, words, r.surplus}))
	}
}

// recount has the gaps of a restored account know how many of its permits are in
// flight under them.
func (s *shard) recount(pl *plan, i uint32) {
	a := s.accounts.at(i)
	gaps := func(visit func(m *gap, c cells)) {
		for f := range s.flying(a) {
			for rules := f.rules & pl.gaps; rules != 0; rules &= rules - 1 {
				r := &pl.rules[rules.first()]
				var w words
				if r.scope == ofAccount {
					w = s.mine(pl, ofAccount, i, a)
				} else if f.pair != 0 {
					w = s.words(pl, ofRecipient, 0, s.pairs.at(f.pair-1).row)
				} else {
					continue
				}
				if m, ok := r.meter.(*gap); ok {
					visit(m, cells{w.of(r), &s.stock})
				}
			}
		}
	}
	gaps(func(_ *gap, c cells) { c.words[1] += 1 << crowdBits })
	gaps(func(m *gap, c cells) { m.fly(c, c.words[1]>>crowdBits) })
}

func (s *shard) fill(pl *plan, scope int, w words, records []saved, shift int64) {
	for rules := pl.in[scope]; rules != 0; rules &= rules - 1 {
		r := &pl.rules[rules.first()]
		words := w.of(r)
		records[0].load(r.meter, cells{words, &s.stock}, shift)
		records = records[1:]
		for k, what := range r.layout() {
			if what == aSerial {
				words[k] = int64(s.serial + 1) // later than any permit of before
			}
		}
	}
}

// rehome carries what was restored under one plan on to another. It requires s.mu.
func (l *Limiter) rehome(s *shard, i uint32, scope int, from, to *plan, at instant) {
	m := change{shard: s, old: from, new: to, from: to.from(from), home: to == l.plan, at: at, pause: at.tick}
	a := s.accounts.at(i)
	if scope == ofPortfolio {
		a.row = m.move(scope, owner{account: i}, a.dice, a.row)
		return
	}
	l.apply(&m, i)
}
