package limiter

import (
	"fmt"
	"hash/maphash"
	"math"
	"math/bits"
	"sort"
	"sync/atomic"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
)

// Options tunes a [Limiter]. A nil *Options means all defaults.
type Options struct {
	// Seed decides every random pause: limiters with one policy and seed draw
	// the same ones. Zero means a secret seed, drawn afresh.
	Seed uint64
}

// A Limiter decides when accounts may act under a policy. It keeps one budget per
// account and rule, and starts nothing. All may use it at once.
type Limiter struct {
	plan   *plan
	dice   dice.Dice
	hash   maphash.Seed
	origin atomic.Pointer[origin]
	shards [shardCount]shard
}

const shardCount = 64

// New returns a limiter under p, with every budget full. The error joins all that
// [policy.Policy.Validate] finds.
func New(p policy.Policy, o *Options) (*Limiter, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("limiter: %w", err)
	}
	if o == nil {
		o = &Options{}
	}
	d := dice.New(o.Seed)
	return &Limiter{plan: newPlan(p, d), dice: d, hash: maphash.MakeSeed()}, nil
}

// Allow takes what the request costs if every rule allows it, and nothing
// otherwise. It is [Limiter.Take] for a request that ends as it begins: gaps count
// from now, and concurrency is never used up.
func (l *Limiter) Allow(now time.Time, req Request) Decision {
	_, d := l.take(now, &req, false)
	return d
}

// Take takes what the request costs if every rule allows it, and nothing
// otherwise. Where it is allowed, settle the permit when the request has ended.
func (l *Limiter) Take(now time.Time, req Request) (Permit, Decision) {
	return l.take(now, &req, true)
}

// Check is what [Limiter.Take] would answer. It takes nothing.
func (l *Limiter) Check(now time.Time, req Request) Decision {
	q, problem := l.ask(now, &req)
	if problem != nil {
		return wrong(problem)
	}
	defer q.shard.mu.Unlock()
	return q.decide()
}

// Gates is how every rule that covers the request stands for it now, first the
// one that frees last, then those that allow it, the scarcest first. It takes
// nothing. It is nil where no rule covers the request, and a single gate named
// "request" where the request itself is wrong.
func (l *Limiter) Gates(now time.Time, req Request) []Gate {
	q, problem := l.ask(now, &req)
	if problem != nil {
		return []Gate{wrong(problem).Gate}
	}
	defer q.shard.mu.Unlock()
	return q.gates()
}

func (l *Limiter) take(now time.Time, req *Request, keep bool) (Permit, Decision) {
	q, problem := l.ask(now, req)
	if problem != nil {
		return Permit{}, wrong(problem)
	}
	s := q.shard
	defer s.mu.Unlock()
	d := q.decide()
	if d.Answer != Allowed || q.rules == 0 {
		return Permit{}, d
	}
	if !q.known {
		q.account, q.words, q.name = l.open(s, q.hash, req.Account)
	}
	s.serial++
	for rules := q.rules; rules != 0; rules &= rules - 1 {
		r := &l.plan.rules[rules.first()]
		r.charge(q.cells(r), q.at, q.cost, s.serial)
	}
	s.table.account(q.account).last = q.at.tick
	rc := receipt{at: q.at, cost: q.cost, serial: s.serial}
	if !keep {
		l.settle(s, q.account, q.rules, rc, q.at, Sent)
		return Permit{}, d
	}
	number := s.launch(q.account, rc, q.rules)
	return Permit{l, s.serial, uint32(q.hash % shardCount), number}, d
}

// A query is one request in front of the rules, with its shard's lock held.
type query struct {
	plan    *plan
	shard   *shard
	hash    uint64
	account uint32
	known   bool
	words   []int64
	name    uint64
	rules   set
	at      instant
	asked   int64 // the tick that was given, which at may be ahead of
	cost    int64
}

// ask finds the account and the rules. Unless it finds a problem it leaves the
// shard locked.
func (l *Limiter) ask(now time.Time, req *Request) (query, *RequestError) {
	if p := req.problem(); p != nil {
		return query{}, p
	}
	hash := maphash.String(l.hash, req.Account)
	q := query{plan: l.plan, shard: &l.shards[hash%shardCount], hash: hash, cost: max(req.Cost, 1)}
	q.rules = l.plan.covering(req.Action)
	q.shard.mu.Lock()
	if q.account, q.known = q.shard.table.find(hash, req.Account); q.known {
		q.asked = l.instant(now).tick
		q.at = l.enter(q.shard, q.account, now)
		q.words, q.name = q.shard.cells(q.account)
		return q, nil
	}
	if p := keyProblem("account", req.Account); p != nil {
		q.shard.mu.Unlock()
		return query{}, p
	}
	q.at, q.words = l.instant(now), l.plan.fresh
	q.asked = q.at.tick
	return q, nil
}

// open makes an account that has done nothing. It requires s.mu.
func (l *Limiter) open(s *shard, hash uint64, key string) (i uint32, words []int64, name uint64) {
	i = s.table.add(hash, key)
	if s.words.row == 0 {
		s.words.row = l.plan.size
	}
	a := s.table.account(i)
	a.words, a.name, a.last = s.words.take(), l.dice.Name(key), math.MinInt64
	words = s.words.at(a.words)
	copy(words, l.plan.fresh)
	return i, words, a.name
}

// cells are an account's words and its name to the dice. It requires s.mu.
func (s *shard) cells(i uint32) (words []int64, name uint64) {
	a := s.table.account(i)
	return s.words.at(a.words), a.name
}

// enter is now as account i sees it: never before the last time something was
// taken or settled. A clock that was set back starts the account's waits again.
// It requires s.mu.
func (l *Limiter) enter(s *shard, i uint32, now time.Time) instant {
	at := l.instant(now)
	a := s.table.account(i)
	behind := since(a.last, at.tick)
	if at.tick >= a.last {
		return at
	}
	if behind <= uint64(tolerance) || l.trusted(now) {
		return instant{a.last, add(at.wall, clamp(behind))}
	}
	words, name := s.cells(i)
	for k := range l.plan.rules {
		r := &l.plan.rules[k]
		r.rewind(cells{words[r.from:r.to], &s.logs, name}, a.last, at.tick)
	}
	s.stale(a)
	a.last = at.tick
	return at
}

// stale marks the permits in flight of an account whose clock was set back.
func (s *shard) stale(a *account) {
	if a.flight == 0 {
		return
	}
	head := a.flight - 1
	for n := head; ; {
		f := s.flights.one(n)
		f.stale = true
		if n = f.next; n == head {
			return
		}
	}
}

func (q *query) cells(r *rule) cells {
	return cells{q.words[r.from:r.to], &q.shard.logs, q.name}
}

// decide asks every rule and reports the one that binds.
func (q *query) decide() Decision {
	var (
		binds *rule
		worst gate
	)
	for rules := q.rules; rules != 0; rules &= rules - 1 {
		r := &q.plan.rules[rules.first()]
		if g := r.ask(q.cells(r), q.at, q.cost); binds == nil || g.binds(worst) {
			binds, worst = r, g
		}
	}
	if binds == nil {
		return Decision{Gate: Gate{Answer: Allowed, Limit: math.MaxInt64, Remaining: math.MaxInt64}}
	}
	d := Decision{Gate: q.gate(binds, worst)}
	if worst.answer == Busy {
		d.RetryAfter = q.wait()
	}
	return d
}

// wait is how long the rules that know their time ask to wait.
func (q *query) wait() time.Duration {
	free := q.asked
	for rules := q.rules; rules != 0; rules &= rules - 1 {
		r := &q.plan.rules[rules.first()]
		if g := r.ask(q.cells(r), q.at, q.cost); g.answer == Later {
			free = max(free, g.free)
		}
	}
	return q.until(free)
}

func (q *query) gates() []Gate {
	var (
		gates []Gate
		raw   []gate
	)
	for rules := q.rules; rules != 0; rules &= rules - 1 {
		r := &q.plan.rules[rules.first()]
		g := r.ask(q.cells(r), q.at, q.cost)
		raw, gates = append(raw, g), append(gates, q.gate(r, g))
	}
	sort.Stable(byBinding{gates, raw})
	return gates
}

// gate is a rule's answer in the caller's terms.
func (q *query) gate(r *rule, g gate) Gate {
	out := Gate{Rule: r.name, Answer: g.answer, Limit: g.limit, Remaining: g.remaining}
	if g.answer == Later {
		out.RetryAfter = q.until(g.free)
	}
	if g.answer != Never {
		if reset := r.reset(q.cells(r), q.at, q.cost, g); reset != never {
			out.Reset = q.until(reset)
		}
	}
	return out
}

// until is how long it is from the time that was asked for to a tick.
func (q *query) until(tick int64) time.Duration {
	return time.Duration(max(sub(tick, q.asked), 0))
}

// binds reports whether g binds more than h: the stronger refusal, the later
// time, the smaller share left.
func (g gate) binds(h gate) bool {
	if g.answer != h.answer {
		return g.answer > h.answer
	}
	switch g.answer {
	case Later:
		return g.free > h.free
	case Allowed:
		ghi, glo := bits.Mul64(uint64(g.remaining), uint64(h.limit))
		hhi, hlo := bits.Mul64(uint64(h.remaining), uint64(g.limit))
		return ghi < hhi || ghi == hhi && glo < hlo
	}
	return false
}

type byBinding struct {
	gates []Gate
	raw   []gate
}

func (b byBinding) Len() int           { return len(b.raw) }
func (b byBinding) Less(i, j int) bool { return b.raw[i].binds(b.raw[j]) }
func (b byBinding) Swap(i, j int) {
	b.raw[i], b.raw[j] = b.raw[j], b.raw[i]
	b.gates[i], b.gates[j] = b.gates[j], b.gates[i]
}

func (s set) first() int { return bits.TrailingZeros64(uint64(s)) }
