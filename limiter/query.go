package limiter

import (
	"math"
	"math/bits"
	"sort"
	"time"

	"github.com/wapace/wapace/policy"
)

// A query is one request in front of the rules, with the locks that it needs.
type query struct {
	plan    *plan
	rules   set // those that may refuse
	shadows set // those that only count
	account holder
	others  *others // nil where no rule needs them
	asked   int64   // the tick that was given, which a holder's may be ahead of
	peek    bool    // it takes nothing, and what ends by its time ends for it alone
	full    bool    // the account or portfolio is new and there is no room for it
	blind   set     // shadow rules that cannot be asked: the request lacks a key
	stop    *stop   // the hold on the request that ends last

	hash  uint64
	shard *shard // the account's
}

// others are the holders besides the account. They are kept in the account's shard
// while it is locked: most requests need none, and a query is made for each.
type others struct {
	recipient holder
	portfolio holder
	hash      uint64 // the portfolio's
	shard     *shard // the portfolio's; nil where no rule needs it
}

// holder is whose budget a rule of the scope draws on.
func (q *query) holder(scope int) *holder {
	switch scope {
	case ofRecipient:
		return &q.others.recipient
	case ofPortfolio:
		return &q.others.portfolio
	default:
		return &q.account
	}
}

// begin finds the rules and whose budgets they are, in the shard of the account, which
// is locked. Unless it finds a problem it leaves that and a portfolio's locked, for
// end to unlock.
func (l *Limiter) begin(q *query, f *found, req *Request) *RequestError {
	at, s, a := f.at, f.shard, f.account
	q.plan, q.asked, q.hash, q.shard = l.plan, at.tick, f.hash, s
	account := &q.account
	if account.number, account.record = f.number, a; a != nil {
		q.plan = l.planOf(a)
	}
	pl := q.plan
	l.hold(account, s, pl, ofAccount, at, q.peek)
	account.cost, account.keep = max(req.Cost, 1), req.Keep
	rules := pl.covering(req.Action)
	if !req.NewContact {
		rules &^= pl.contacts
	}
	q.rules, q.shadows = rules&^pl.shadow, rules&pl.shadow
	if a == nil {
		if p := nulProblem("account", req.Account); p != nil {
			q.end()
			return p
		}
		if rules != 0 && l.crowded(s, ofAccount, at, q.peek) {
			q.fill(rules)
		}
	} else if a.flight != 0 && !q.peek {
		l.lapse(s, f.number, account.at)
	}
	if q.asking()&(pl.recipients|pl.in[ofPortfolio]) != 0 {
		if p := l.involve(q, req, at); p != nil {
			q.end()
			return p
		}
	}
	if l.holds.count.Load() > 0 {
		q.stop = l.stopped(s, req, account.at.wall)
	}
	if q.peek && a != nil && a.flight != 0 {
		l.foresee(q)
	}
	return nil
}

// asking are the rules that are asked.
func (q *query) asking() set { return q.rules | q.shadows }

// fill says that there is no room for what the rules would keep. Shadow rules
// refuse nothing: they go without.
func (q *query) fill(rules set) {
	q.full = q.full || rules&q.rules != 0
	q.shadows &^= rules
}

// lacks looks for a problem with a key that rules need. It is none where they are
// all shadow rules: those go without.
func (q *query) lacks(field, key string, rules set) *RequestError {
	if rules&q.rules != 0 {
		return keyProblem(field, key, q.plan.firstOf(rules&q.rules))
	}
	if keyProblem(field, key, q.plan.firstOf(rules)) != nil {
		q.shadows &^= rules
		q.blind |= rules
	}
	return nil
}

// involve finds the recipient and the portfolio where rules ask for them.
func (l *Limiter) involve(q *query, req *Request, at instant) *RequestError {
	account, o := &q.account, &q.shard.others
	*o = others{}
	q.others = o
	if mine := q.asking() & q.plan.recipients; mine != 0 {
		if p := q.lacks("recipient", req.Recipient, mine); p != nil {
			return p
		}
		key := account.key
		if !account.known {
			key = l.dice.Account(req.Account)
		}
		account.recipient = key.Hash(req.Recipient)
	}
	if q.asking()&q.plan.in[ofRecipient] != 0 {
		recipient := &o.recipient
		recipient.demand = account.demand
		if recipient.meet(q.shard, q.plan, account, account.recipient); !recipient.known && !q.peek {
			l.tidy(q.shard, earlier(at), looksForOne)
		}
	}
	if mine := q.asking() & q.plan.in[ofPortfolio]; mine != 0 {
		if p := q.lacks("portfolio", req.Portfolio, mine); p != nil {
			return p
		}
		if mine &= q.asking(); mine == 0 {
			return nil
		}
		var name name
		name, o.hash = l.hash.named(req.Portfolio)
		o.shard = &l.portfolios[o.hash%shardCount]
		o.shard.mu.Lock() // always after an account's shard
		portfolio := &o.portfolio
		portfolio.number, portfolio.record, _ = o.shard.accounts.look(o.hash, name, req.Portfolio)
		l.hold(portfolio, o.shard, q.plan, ofPortfolio, at, q.peek)
		portfolio.cost, portfolio.keep = account.cost, account.keep
		if mine&q.plan.recipients != 0 {
			key := portfolio.key
			if !portfolio.known {
				key = l.dice.Account(req.Portfolio)
			}
			portfolio.recipient = key.Hash(req.Recipient)
		}
		if !portfolio.known && l.crowded(o.shard, ofPortfolio, at, q.peek) {
			q.fill(mine)
		}
	}
	return nil
}

// end unlocks what begin has locked.
func (q *query) end() {
	if q.others != nil && q.others.shard != nil {
		q.others.shard.mu.Unlock()
	}
	q.shard.mu.Unlock()
}

func (q *query) ask(r *rule) gate {
	h := q.holder(r.scope)
	return ask(r.meter, h.cells(r), &h.claim)
}

// by is the instant once the caller's clock is at tick, unless it is there already.
func (i instant) by(tick int64) instant {
	if tick <= i.tick {
		return i
	}
	return instant{tick, add(i.wall, clamp(since(tick, i.tick))), i.steady}
}

// worst asks every rule of the set how it stands at tick, and returns the one that
// binds, nil where the set is empty.
func (q *query) worst(rules set, tick int64) (binds *rule, worst gate) {
	for ; rules != 0; rules &= rules - 1 {
		r := &q.plan.rules[rules.first()]
		h := q.holder(r.scope)
		now := &h.claim
		if tick > now.at.tick {
			then := h.claim
			then.at = then.at.by(tick)
			now = &then
		}
		if g := ask(r.meter, h.cells(r), now); binds == nil || g.binds(r.limit, worst, binds.limit) {
			binds, worst = r, g
		}
	}
	return binds, worst
}

// binding is what binds at tick of the rules that may refuse and the hold.
func (q *query) binding(tick int64) (*rule, gate) {
	binds, worst := q.worst(q.rules, tick)
	if q.stop != nil {
		if g := q.stop.gate(q.account.at.by(tick)); g.answer != Allowed && (binds == nil || g.binds(0, worst, binds.limit)) {
			return &q.plan.held, g
		}
	}
	return binds, worst
}

// capacity is the rule that refuses new accounts and portfolios when there is no
// room for them.
const capacity = "capacity"

// decide asks every rule and reports the one that binds.
func (q *query) decide(d *Decision) {
	if q.full {
		d.Rule, d.Answer = capacity, Busy
		return
	}
	binds, worst := q.binding(q.asked)
	switch {
	case binds == nil:
		d.Answer, d.Limit, d.Remaining = Allowed, math.MaxInt64, math.MaxInt64
	case worst.answer == Later && q.rules&q.plan.shutting != 0:
		q.rounds(&d.Gate, binds, worst)
	default:
		q.show(&d.Gate, binds, worst)
		if worst.answer == Busy {
			d.RetryAfter = q.wait()
		}
	}
	if q.shadows != 0 {
		if r, g := q.worst(q.shadows, q.asked); g.answer != Allowed {
			d.ShadowRule = r.name
		}
	}
	if q.blind != 0 {
		d.ShadowRule = q.plan.rules[q.blind.first()].name
	}
}

// mostRounds is how often the rules are asked again before hours and rules are
// taken to have no instant in common. Hours come round every week.
const mostRounds = 1000

// rounds asks the rules again from the latest instant found until none moves it,
// because some may have shut again by then.
func (q *query) rounds(out *Gate, binds *rule, worst gate) {
	narrow := false
	for range mostRounds {
		q.show(out, binds, worst)
		narrow = narrow || out.Narrow // until then others may go
		out.Narrow = narrow
		binds, worst = q.binding(worst.free)
		if worst.answer == Allowed {
			return
		}
	}
	out.Answer, out.RetryAfter, out.Reset = Never, 0, 0
}

// wait is how long the rules that know their time ask to wait.
func (q *query) wait() time.Duration {
	free := q.asked
	for rules := q.rules; rules != 0; rules &= rules - 1 {
		r := &q.plan.rules[rules.first()]
		if g := q.ask(r); g.waits() {
			free = max(free, g.free)
		}
	}
	if q.stop != nil {
		if g := q.stop.gate(q.account.at); g.answer == Later {
			free = max(free, g.free)
		}
	}
	return until(free, q.asked)
}

func (q *query) gates() []Gate {
	if q.full {
		return []Gate{{Rule: capacity, Answer: Busy}}
	}
	var (
		gates []Gate
		raw   []gate
	)
	for rules := q.rules | q.shadows; rules != 0; rules &= rules - 1 {
		i := rules.first()
		r := &q.plan.rules[i]
		g := q.ask(r)
		shown := Gate{Shadow: q.shadows&(1<<i) != 0}
		q.show(&shown, r, g)
		raw, gates = append(raw, g), append(gates, shown)
	}
	if q.stop != nil {
		g := q.stop.gate(q.account.at)
		var shown Gate
		q.show(&shown, &q.plan.held, g)
		raw, gates = append(raw, g), append(gates, shown)
	}
	for rules := q.blind; rules != 0; rules &= rules - 1 {
		raw = append(raw, gate{answer: Never})
		gates = append(gates, Gate{Rule: q.plan.rules[rules.first()].name, Answer: Never, Shadow: true})
	}
	sort.Stable(byBinding{gates, raw})
	return gates
}

// show puts a rule's answer in the caller's terms.
func (q *query) show(out *Gate, r *rule, g gate) {
	g.show(out, r, q.asked)
	out.hold = nil
	if r == &q.plan.held {
		out.hold, out.Narrow = q.stop, q.stop.narrow
	}
}

// show puts a rule's answer in the caller's terms, who has asked for a tick.
func (g gate) show(out *Gate, r *rule, asked int64) {
	out.Rule, out.Answer, out.Limit, out.Remaining = r.name, g.answer, r.limit, max(g.remaining, 0)
	out.RetryAfter, out.Reset, out.Narrow = 0, 0, r.narrow
	if g.answer == Later {
		out.RetryAfter = until(g.free, asked)
	}
	if g.reset != never {
		out.Reset = until(g.reset, asked)
	}
}

// waits reports whether the answer cannot change before a tick that is known.
func (g gate) waits() bool { return g.answer == Later || g.answer == Busy && g.free != never }

// until is how long it is to a tick from the one that was asked for.
func until(tick, asked int64) time.Duration {
	if tick <= asked {
		return 0
	}
	return time.Duration(clamp(since(tick, asked)))
}

// binds reports whether g, of a rule with that limit, binds more than h: the
// stronger refusal, the later time, the smaller share left.
func (g gate) binds(limit int64, h gate, itsLimit int64) bool {
	if g.answer != h.answer {
		return g.answer > h.answer
	}
	switch g.answer {
	case Later:
		return g.free > h.free
	case Allowed:
		ghi, glo := bits.Mul64(uint64(g.remaining), uint64(itsLimit))
		hhi, hlo := bits.Mul64(uint64(h.remaining), uint64(limit))
		return ghi < hhi || ghi == hhi && glo < hlo
	case Busy, Never:
	}
	return false
}

// byBinding sorts gates, shadow rules last.
type byBinding struct {
	gates []Gate
	raw   []gate
}

func (b byBinding) Len() int { return len(b.raw) }

func (b byBinding) Less(i, j int) bool {
	if b.gates[i].Shadow != b.gates[j].Shadow {
		return b.gates[j].Shadow
	}
	return b.raw[i].binds(b.gates[i].Limit, b.raw[j], b.gates[j].Limit)
}

func (b byBinding) Swap(i, j int) {
	b.raw[i], b.raw[j] = b.raw[j], b.raw[i]
	b.gates[i], b.gates[j] = b.gates[j], b.gates[i]
}

func (s set) first() int { return bits.TrailingZeros64(uint64(s)) }

// willing are the shadow rules that allow the request. Only those count it: had
// they been in force, it would not have gone otherwise.
func (q *query) willing() (rules set) {
	for shadows := q.shadows; shadows != 0; shadows &= shadows - 1 {
		i := shadows.first()
		if q.ask(&q.plan.rules[i]).answer == Allowed {
			rules |= 1 << i
		}
	}
	return rules
}

// firstOf is the first rule of a set that is not empty.
func (pl *plan) firstOf(s set) policy.Rule { return pl.policy.Rules[s.first()] }
