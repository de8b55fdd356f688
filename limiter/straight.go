package limiter

import (
	"math"
	"time"
)

// A found is an account that was looked for, at an instant.
type found struct {
	at      instant
	hash    uint64
	shard   *shard // where it is, or would be
	number  uint32
	account *account // nil where it has no record
	home    []int64  // the room for words in the record
}

// straight decides and charges under rules that need nothing but the account, which
// has a record and no permit that has run out. Most requests are like that, and need
// neither a query nor its holders. It requires the shard's lock.
func (l *Limiter) straight(p *Permit, d *Decision, f *found, req *Request, pl *plan, cover *covered, peek bool) {
	rules := cover.in
	if len(rules) == 0 {
		d.Answer, d.Limit, d.Remaining = Allowed, math.MaxInt64, math.MaxInt64
		return
	}
	s, a, words, stock := f.shard, f.account, f.home, &f.shard.stock
	if a.row < atHome || cover.far {
		words = f.part(pl, cover.far)
	}
	var r claim
	r.cost, r.keep, r.key, r.at, r.ends = max(req.Cost, 1), req.Keep, a.dice, f.at, p == nil
	all := set(1)<<len(rules) - 1
	shut := all
	if cover.tight != nil {
		shut = closed(rules, words, stock, &r)
	}
	if shut == 0 {
		d.allow(cover.tight, 0, 0)
	} else {
		binds, worst, free := bind(rules, shut, words, stock, &r)
		if worst.answer == Allowed && shut != all {
			binds, worst, free = bind(rules, all, words, stock, &r)
		}
		worst.show(&d.Gate, binds, r.at.tick)
		if worst.answer == Busy {
			d.RetryAfter = until(free, r.at.tick)
		}
	}
	if d.Answer != Allowed || peek {
		return
	}
	if cover.far && a.row == atHome {
		a.row = s.widen(pl, ofAccount, a.row)
		words = f.part(pl, true)
	}
	s.serial++
	r.serial = s.serial
	a.saw(f.at)
	var owed set
	if shut == 0 {
		owed = pass(rules, words, stock, &r)
	} else {
		owed = spend(rules, words, stock, &r)
	}
	if p != nil {
		*p = l.fly(f, req, &r, cover.rules, owed)
	}
}

// single is straight for a token bucket alone, which many limiters are.
func (l *Limiter) single(p *Permit, d *Decision, f *found, req *Request, cover *covered, peek bool) {
	s, a, w := f.shard, f.account, f.home
	if a.row < atHome {
		w = f.part(l.planOf(a), false)
	}
	rule, m, now := &cover.in[0], cover.bucket, f.at.tick
	cost, keep := max(req.Cost, 1), req.Keep
	debt := m.debt(w, now)
	after, need, ok := m.lend(debt, now, cost, keep)
	if !ok {
		if !need.exceeds(m.full) || need.up() >= since(never, now) {
			m.refuse(debt, need, now).show(&d.Gate, rule, now)
			return
		}
		left := int64(0)
		if !debt.exceeds(m.full) {
			left = m.whole(debt)
		}
		d.refuse(rule, left, time.Duration(clamp(m.above(need))), debt.duration())
		return
	}
	if !peek {
		s.serial++
		a.saw(f.at)
		m.owe(w, now, after, s.serial)
		if p != nil {
			r := claim{demand{cost: cost, keep: keep, key: a.dice}, f.at, s.serial, false}
			*p = l.fly(f, req, &r, cover.rules, cover.rules)
		}
	}
	d.allow(rule, m.whole(after), after.duration())
}

// allow is show for a fresh gate of a rule that allows the request.
func (g *Gate) allow(r *rule, remaining int64, reset time.Duration) {
	g.Rule, g.Answer, g.Limit, g.Remaining, g.Reset = r.name, Allowed, r.limit, remaining, reset
}

// refuse is show for a fresh gate of a rule that allows it later.
func (g *Gate) refuse(r *rule, remaining int64, wait, reset time.Duration) {
	g.Rule, g.Answer, g.Limit, g.Remaining, g.RetryAfter, g.Reset = r.name, Later, r.limit, remaining, wait, reset
}

// overdue reports whether a permit of the account has run out: the oldest, if any. It
// requires the shard's lock and that there is one.
func (l *Limiter) overdue(f *found) bool {
	_, out := l.runsOut(f.shard.flights.one(f.account.flight-1), f.at)
	return out
}

// closed are the rules that may not allow the claim, or leave nothing but are not made
// to. The others are open: that is seen without working out more.
func closed(rules []rule, words []int64, stock *stock, r *claim) (shut set) {
	for i := range rules {
		rule := &rules[i]
		c, ok := cells{words[rule.from:], stock}, false
		switch m := rule.meter.(type) {
		case *gap:
			ok = m.open(c, r) || m.between(c, r)
		case *calendarWindow:
			ok = m.open(c, r)
		case *concurrency:
			ok = m.open(c, r)
		case *slidingWindow:
			ok = m.open(c, r)
		}
		if !ok {
			shut |= 1 << i
		}
	}
	return shut
}

// pass charges rules for a claim that they are open to.
func pass(rules []rule, words []int64, stock *stock, r *claim) (owed set) {
	for i := range rules {
		rule := &rules[i]
		c, owes := cells{words[rule.from:], stock}, true
		switch m := rule.meter.(type) {
		case *gap:
			owes = m.count(c, r)
		case *calendarWindow:
			m.count(c, r)
		case *concurrency:
			owes = m.charge(c, r)
		case *slidingWindow:
			owes = m.charge(c, r)
		}
		if owes {
			owed |= rule.alone
		}
	}
	return owed
}

// spend charges rules for a claim that they allow.
func spend(rules []rule, words []int64, stock *stock, r *claim) (owed set) {
	for i := range rules {
		rule := &rules[i]
		if charge(rule.meter, cells{words[rule.from:rule.to], stock}, r) {
			owed |= rule.alone
		}
	}
	return owed
}

// bind asks those of the rules and returns the one that binds, and when those that know
// it free.
func bind(rules []rule, asked set, words []int64, stock *stock, r *claim) (binds *rule, worst gate, free int64) {
	free = r.at.tick
	for ; asked != 0; asked &= asked - 1 {
		i := asked.first()
		rule := &rules[i]
		c := cells{words[rule.from:rule.to], stock}
		var g gate
		switch m := rule.meter.(type) {
		case *tokenBucket:
			g = m.ask(c, r)
		case *gap:
			g = m.drawn(c, r)
		case *calendarWindow:
			g = m.ask(c, r)
		case *slidingWindow:
			g = m.ask(c, r)
		default:
			g = ask(m, c, r)
		}
		if g.waits() {
			free = max(free, g.free)
		}
		if binds == nil || g.binds(rule.limit, worst, binds.limit) {
			binds, worst = rule, g
		}
	}
	return binds, worst, free
}

// fly is the permit of a claim that was charged.
func (l *Limiter) fly(f *found, req *Request, r *claim, rules, owed set) Permit {
	taken := flight{receipt: receipt{claim: *r}, action: req.Action, rules: rules, owed: owed, account: f.number, turn: f.account.turn}
	return Permit{l, r.serial, uint32(f.hash % shardCount), f.shard.launch(&taken)}
}
