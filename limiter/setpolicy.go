package limiter

import (
	"fmt"
	"time"

	"github.com/wapace/wapace/policy"
)

// SetPolicy puts an account under a policy of its own, from now on and for good.
// What it has spent is carried on by what rules mean, not by their names: a rule
// with the same actions, scope and period as an old one goes on with the old one's
// count, also where the two count in different ways; where the old record is
// coarser, it counts as spent now, and what has come back to a token bucket is not
// counted. What no rule carries on is kept for a later policy that does. A pause
// that runs goes on, where no gap on the same actions is left as a hold of the
// account; a pause of a recipient goes on where its rule comes back. Holds stay, and
// permits in flight count under the new rules; one that is then unsent gives back what
// a rule of another kind counts of it only if both keep every charge, as sliding
// windows do.
//
// Rules with portfolio scope are the limiter's own and stay as they are: p may
// leave them out or repeat them, but not change them. Errors: an account that no
// request can have, a time that no request may have, what
// [policy.Policy.Validate] finds, a changed portfolio rule.
func (l *Limiter) SetPolicy(now time.Time, account string, p policy.Policy) error {
	if problem := (&Request{Account: account, Action: policy.SendMessage}).problem(); problem != nil {
		return problem
	}
	if problem := nulProblem("account", account); problem != nil {
		return problem
	}
	at := l.instant(now)
	if !at.known() {
		return timeProblem(now)
	}
	if err := p.Validate(); err != nil {
		return fmt.Errorf("limiter: %w", err)
	}
	whole, err := l.withPortfolioRules(p)
	if err != nil {
		return err
	}
	number, err := l.plans.number(whole)
	if err != nil {
		return err
	}
	hash := l.hash.of(account)
	s := &l.shards[hash%shardCount]
	s.mu.Lock()
	i, known := s.accounts.find(hash, account)
	if !known {
		var h holder
		l.open(&h, s, l.plan, ofAccount, hash, account)
		l.accounts.Add(1)
		i = h.number
	}
	l.renew(s, i, number, at)
	l.changed(account)
	s.mu.Unlock()
	return nil
}

// PolicyOf is the policy that an account is under, with the limiter's portfolio
// rules: the limiter's own for all that [Limiter.SetPolicy] was not called for.
func (l *Limiter) PolicyOf(account string) policy.Policy {
	hash := l.hash.of(account)
	s := &l.shards[hash%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, known := s.accounts.find(hash, account); known {
		return l.planOf(s.accounts.at(i)).policy
	}
	return l.plan.policy
}

// withPortfolioRules is the policy with the limiter's own portfolio rules, in their
// order, in the place of its own.
func (l *Limiter) withPortfolioRules(p policy.Policy) (policy.Policy, error) {
	own := make(map[string]policy.Rule)
	for _, r := range l.plan.policy.Rules {
		if r.Scope == policy.ScopePortfolio {
			own[r.Name] = r
		}
	}
	whole := p
	whole.Rules = nil
	for i, r := range p.Rules {
		mine, ok := own[r.Name]
		if r.Scope != policy.ScopePortfolio && !ok {
			whole.Rules = append(whole.Rules, r)
			continue
		}
		alike := fingerprint(policy.Policy{Rules: []policy.Rule{r}}) == fingerprint(policy.Policy{Rules: []policy.Rule{mine}})
		if !ok || !alike {
			return p, fmt.Errorf("limiter: policy %q: rules[%d] %q: portfolio rules are the limiter's own; leave it out or repeat it as it is",
				p.Slug, i, r.Name)
		}
	}
	for _, r := range l.plan.policy.Rules {
		if r.Scope == policy.ScopePortfolio {
			whole.Rules = append(whole.Rules, r)
		}
	}
	if err := whole.Validate(); err != nil {
		return p, fmt.Errorf("limiter: with the limiter's portfolio rules: %w", err)
	}
	return whole, nil
}

// renew puts account i under another plan. It requires s.mu.
func (l *Limiter) renew(s *shard, i uint32, number uint16, at instant) {
	a := s.accounts.at(i)
	old := l.planOf(a)
	at = l.reach(s, i, old, ofAccount, at)
	l.lapse(s, i, at)
	a.plan = number
	pl := l.planOf(a)
	if pl == old {
		return
	}
	m := change{shard: s, old: old, new: pl, from: pl.from(old), home: pl == l.plan, at: at, pause: at.tick}
	l.apply(&m, i)
	a.saw(at)
}

// apply moves account i, its recipients and its permits in flight. It requires the
// shard's lock.
func (l *Limiter) apply(m *change, i uint32) {
	s, at := m.shard, m.at
	a := s.accounts.at(i)
	a.row = m.move(ofAccount, owner{account: i}, a.dice, a.row)
	for n := uint32(0); a.pairs > 0 && n < s.pairs.slab.n; n++ {
		if p := s.pairs.at(n); p.account == i+1 {
			p.row = m.move(ofRecipient, owner{i, p.recipient}, pairKey(p.recipient), p.row)
		}
	}
	m.flights(a)
	if m.pause > at.tick {
		pause := &stop{until: add(at.wall, sub(m.pause, at.tick)), reason: "a pause of the policy before"}
		l.pin(&s.holds, Target{Account: s.accounts.key(a.name)}, pause, at.wall)
	}
}
