package limiter

import (
	"strings"

	"github.com/wapace/wapace/policy"
)

// A plan is a policy made ready for deciding. It is immutable.
type plan struct {
	policy policy.Policy
	rules  []rule
	named  []covered
	other  set  // the rules that cover an action which is not named
	vague  bool // some patterns may cover it as well

	// size is how many words a holder of each scope keeps, fresh what they are
	// while it has done nothing.
	size  [scopes]int
	fresh [scopes][]int64

	// in are the rules of each scope.
	in [scopes]set

	shadow     set // rules that never refuse
	contacts   set // rules that count only new contacts
	recipients set // rules that need to know the recipient
	shutting   set // rules that shut again by themselves

	held rule // stands for a hold
}

// The scopes, as indexes.
const (
	ofAccount = iota
	ofRecipient
	ofPortfolio
	scopes
)

// A rule is one meter and where a holder's words for it are.
type rule struct {
	meter
	scope    int
	from, to int
	name     string
	narrow   bool // it tells recipients apart
}

// A set of rules, by their index. policy.MaxRules is its size.
type set uint64

// covered are the rules that cover an action which the policy names.
type covered struct {
	action policy.Action
	rules  set
}

func newPlan(p policy.Policy) *plan {
	pl := &plan{policy: p, held: rule{meter: held{}, name: "hold"}}
	for i, r := range p.Rules {
		added := rule{meter: compile(r.Limit, r.Name), scope: scopeOf(r.Scope), name: r.Name}
		switch r.Limit.(type) {
		case policy.NewContacts, policy.UniqueRecipients:
			added.narrow = true
		default:
			added.narrow = added.scope == ofRecipient
		}
		added.from = pl.size[added.scope]
		added.to = added.from + len(added.layout())
		pl.size[added.scope] = added.to
		pl.rules = append(pl.rules, added)

		one := set(1) << i
		pl.in[added.scope] |= one
		if r.Shadow {
			pl.shadow |= one
		}
		if added.scope == ofRecipient {
			pl.recipients |= one
		}
		switch r.Limit.(type) {
		case policy.NewContacts:
			pl.contacts |= one
		case policy.UniqueRecipients:
			pl.recipients |= one
			pl.shutting |= one // once the recipient no longer counts
		case policy.ActiveHours:
			pl.shutting |= one
		}
	}
	for scope, size := range pl.size {
		pl.fresh[scope] = make([]int64, size)
	}
	for _, r := range pl.rules {
		r.fresh(pl.fresh[r.scope][r.from:r.to])
	}
	for i, r := range p.Rules {
		for _, a := range r.Actions {
			pl.named = append(pl.named, covered{a, pl.match(a)})
			pl.vague = pl.vague || a.IsPath() || strings.HasSuffix(string(a), "*")
		}
		if len(r.Actions) == 0 {
			pl.other |= 1 << i
		}
	}
	return pl
}

func scopeOf(s policy.Scope) int {
	switch s {
	case policy.ScopeRecipient:
		return ofRecipient
	case policy.ScopePortfolio:
		return ofPortfolio
	default:
		return ofAccount
	}
}

// covering is the set of rules that cover the action.
func (pl *plan) covering(a policy.Action) set {
	for i := range pl.named {
		if pl.named[i].action == a {
			return pl.named[i].rules
		}
	}
	if pl.vague {
		return pl.match(a)
	}
	return pl.other
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
