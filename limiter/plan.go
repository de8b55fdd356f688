package limiter

import "github.com/wapace/wapace/policy"

// A plan is a policy made ready for deciding. It is immutable.
type plan struct {
	policy policy.Policy
	rules  []rule
	size   int     // words that an account keeps
	fresh  []int64 // what they are for an account that has done nothing
	named  []covered
}

// A rule is one meter and where an account's words for it are.
type rule struct {
	meter
	from, to int
	name     string
}

// A set of rules, by their index. policy.MaxRules is its size.
type set uint64

// covered are the rules that cover an action which the policy names.
type covered struct {
	action policy.Action
	rules  set
}

func newPlan(p policy.Policy) *plan {
	pl := &plan{policy: p}
	for _, r := range p.Rules {
		m := compile(r.Limit, r.Name)
		pl.rules = append(pl.rules, rule{m, pl.size, pl.size + m.size(), r.Name})
		pl.size += m.size()
	}
	pl.fresh = make([]int64, pl.size)
	for _, r := range pl.rules {
		r.fresh(pl.fresh[r.from:r.to])
	}
	for _, r := range p.Rules {
		for _, a := range r.Actions {
			pl.named = append(pl.named, covered{a, pl.match(a)})
		}
	}
	return pl
}

// covering is the set of rules that cover the action.
func (pl *plan) covering(a policy.Action) set {
	for i := range pl.named {
		if pl.named[i].action == a {
			return pl.named[i].rules
		}
	}
	return pl.match(a)
}

func (pl *plan) match(a policy.Action) set {
	var s set
	for i := range pl.policy.Rules {
		if pl.policy.Rules[i].Covers(a) {
			s |= 1 << i
		}
	}
	return s
}
