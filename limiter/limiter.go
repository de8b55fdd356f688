package limiter

import (
	"fmt"
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

	// PermitTTL is how long a permit may stay unsettled. One that is older counts
	// as sent when it ran out. Default 5 min; negative: for ever.
	PermitTTL time.Duration

	// MaxAccounts is how many accounts, and how many portfolios, the limiter
	// keeps; callers who come at once may each find the last room. A new one
	// above that is refused by the rule "capacity" until an old one has been as
	// good as new for a second, and is forgotten. Where pauses are random, or due
	// after some sends, one never is, and neither is an account with a policy of
	// its own. SetPolicy and Restore find room even above that, because what they
	// are given must not be lost; what they keep counts as the rest does. Default
	// 10,000,000; a negative MaxAccounts is an error.
	MaxAccounts int
}

// A Limiter decides when accounts may act under a policy. It keeps one budget per
// account and rule, and starts nothing. All may use it at once.
type Limiter struct {
	plan       *plan  // the limiter's own
	plans      *plans // which forks share
	dice       dice.Dice
	hash       hasher
	ttl        int64 // never for permits that do not run out
	most       int64 // accounts, and portfolios
	origin     atomic.Pointer[origin]
	accounts   atomic.Int64  // how many there are
	groups     atomic.Int64  // how many portfolios there are
	search     atomic.Uint32 // the shard that was last searched for room
	holds      holds
	awaiting   atomic.Int64 // how many accounts somebody waits for
	lines      [shardCount]lines
	shards     [shardCount]shard
	portfolios [shardCount]shard
}

const shardCount = 64

// mostAccounts is how many accounts a limiter keeps unless it is told otherwise.
const mostAccounts = 10_000_000

// New returns a limiter under p, with every budget full. The error joins all that
// [policy.Policy.Validate] finds, or names the option that cannot be.
func New(p policy.Policy, o *Options) (*Limiter, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("limiter: %w", err)
	}
	var options Options
	if o != nil {
		options = *o
	}
	l := &Limiter{
		dice:  dice.New(options.Seed),
		hash:  newHasher(),
		plans: &plans{},
		ttl:   int64(options.PermitTTL),
		most:  int64(options.MaxAccounts),
	}
	switch {
	case l.most < 0:
		return nil, fmt.Errorf("limiter: max accounts %d: use 1 or more, or 0 for the default", l.most)
	case l.most == 0:
		l.most = mostAccounts
	}
	switch {
	case l.ttl < 0:
		l.ttl = never
	case l.ttl == 0:
		l.ttl = int64(5 * time.Minute)
	}
	if _, err := l.plans.number(p); err != nil {
		return nil, err
	}
	l.plan = l.plans.numbered(0)
	l.furnish()
	return l, nil
}

// furnish makes room in the records of a new limiter for what its plan keeps.
func (l *Limiter) furnish() {
	mine, _ := roomFor(l.plan.near[ofAccount])
	shared, _ := roomFor(l.plan.near[ofPortfolio])
	for i := range l.shards {
		l.shards[i].accounts.room, l.portfolios[i].accounts.room = mine, shared
	}
}

// planOf is the plan that an account is under.
func (l *Limiter) planOf(a *account) *plan {
	if a.plan == 0 {
		return l.plan
	}
	return l.plans.numbered(a.plan)
}

// Allow takes what the request costs if every rule allows it, and nothing
// otherwise. It is [Limiter.Take] for a request that ends as it begins: gaps count
// from now, and concurrency is never used up.
func (l *Limiter) Allow(now time.Time, req Request) (d Decision) {
	l.decide(nil, &d, now, &req, false)
	return d
}

// Take takes what the request costs if every rule allows it, and nothing
// otherwise. Where it is allowed, settle the permit when the request has ended.
func (l *Limiter) Take(now time.Time, req Request) (p Permit, d Decision) {
	l.decide(&p, &d, now, &req, false)
	return p, d
}

// Check is what [Limiter.Take] would answer. It takes nothing, so now may be ahead
// of the times of other calls, or long past.
func (l *Limiter) Check(now time.Time, req Request) (d Decision) {
	l.decide(nil, &d, now, &req, true)
	return d
}

// Gates is how every rule that covers the request stands for it now, first the
// one that frees last, then those that allow it, the scarcest first. It takes
// nothing. It is nil where no rule covers the request, and a single gate where the
// request itself is wrong, named "request", or where there is no room for a new
// account, named "capacity".
func (l *Limiter) Gates(now time.Time, req Request) []Gate {
	if !req.sound() {
		return []Gate{wrong(req.problem()).Gate}
	}
	f := found{at: l.instant(now)}
	if !f.at.known() {
		return []Gate{wrong(timeProblem(now)).Gate}
	}
	l.find(&f, req.Account)
	q := query{peek: true}
	if problem := l.begin(&q, &f, &req); problem != nil {
		return []Gate{wrong(problem).Gate}
	}
	defer q.end()
	return q.gates()
}

// decide decides and, unless it is a peek, charges. It writes its results where they
// are wanted, because they are large to pass on. Without a permit the request ends
// where it begins.
func (l *Limiter) decide(p *Permit, d *Decision, now time.Time, req *Request, peek bool) {
	if !req.sound() {
		*d = wrong(req.problem())
		return
	}
	f := found{at: l.instant(now)}
	if !f.at.known() {
		*d = wrong(timeProblem(now))
		return
	}
	// As find does it, which is not inlined.
	var name name
	name, f.hash = l.hash.named(req.Account)
	f.shard = &l.shards[f.hash%shardCount]
	f.shard.mu.Lock()
	f.number, f.account, f.home = f.shard.accounts.look(f.hash, name, req.Account)
	if a := f.account; a != nil && f.at.tick >= a.last && l.holds.count.Load() == 0 && (a.flight == 0 || !l.overdue(&f)) {
		pl := l.planOf(a)
		if c := pl.covered(req.Action); c != nil && c.plain {
			if c.bucket != nil {
				l.single(p, d, &f, req, c, peek)
			} else {
				l.straight(p, d, &f, req, pl, c, peek)
			}
			f.shard.mu.Unlock()
			return
		}
	}
	l.around(p, d, &f, req, peek)
}

// find looks for an account and leaves its shard locked.
func (l *Limiter) find(f *found, account string) {
	var name name
	name, f.hash = l.hash.named(account)
	f.shard = &l.shards[f.hash%shardCount]
	f.shard.mu.Lock()
	f.number, f.account, f.home = f.shard.accounts.look(f.hash, name, account)
}

// around decides and charges whatever the request needs, and unlocks the shard.
func (l *Limiter) around(p *Permit, d *Decision, f *found, req *Request, peek bool) {
	q := query{peek: peek}
	if problem := l.begin(&q, f, req); problem != nil {
		*d = wrong(problem)
		return
	}
	if q.decide(d); d.Answer == Allowed && !peek {
		l.charge(&q, p, req)
	}
	q.end()
}

// charge takes what an allowed request costs. It requires the query's locks.
func (l *Limiter) charge(q *query, p *Permit, req *Request) {
	rules := q.rules
	if q.shadows != 0 {
		rules |= q.willing()
	}
	if rules == 0 {
		return
	}
	q.account.ends = p == nil
	l.admit(q, req, rules)
	owed := set(0)
	for left := rules; left != 0; left &= left - 1 {
		i := left.first()
		r := &q.plan.rules[i]
		h := q.holder(r.scope)
		if charge(r.meter, h.cells(r), &h.claim) {
			owed |= 1 << i
		}
	}
	if p != nil {
		*p = l.permit(q, req.Action, rules, owed)
	}
}
