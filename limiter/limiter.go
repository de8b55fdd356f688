package limiter

import (
	"fmt"
	"hash/maphash"
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
	return &Limiter{plan: newPlan(p), dice: dice.New(o.Seed), hash: maphash.MakeSeed()}, nil
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
	var q query
	if problem := l.ask(&q, now, &req); problem != nil {
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
	var q query
	if problem := l.ask(&q, now, &req); problem != nil {
		return []Gate{wrong(problem).Gate}
	}
	defer q.shard.mu.Unlock()
	return q.gates()
}

// take decides and charges. Without keep the request ends where it begins, and
// there is no permit.
func (l *Limiter) take(now time.Time, req *Request, keep bool) (Permit, Decision) {
	var q query
	if problem := l.ask(&q, now, req); problem != nil {
		return Permit{}, wrong(problem)
	}
	s := q.shard
	defer s.mu.Unlock()
	d := q.decide()
	if d.Answer != Allowed || q.rules == 0 {
		return Permit{}, d
	}
	if !q.known {
		l.open(&q, req.Account)
	}
	s.serial++
	s.table.account(q.account).saw(q.at)
	if !keep {
		for rules := q.rules; rules != 0; rules &= rules - 1 {
			r := &q.plan.rules[rules.first()]
			r.spend(q.cells(r), q.at, q.cost, s.serial)
		}
		return Permit{}, d
	}
	for rules := q.rules; rules != 0; rules &= rules - 1 {
		r := &q.plan.rules[rules.first()]
		r.charge(q.cells(r), q.at, q.cost, s.serial)
	}
	number := s.launch(q.account, receipt{at: q.at, cost: q.cost, serial: s.serial}, q.rules)
	return Permit{l, s.serial, uint32(q.hash % shardCount), number}, d
}
