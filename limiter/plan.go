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
	other  covered // the rules that cover an action which is not named
	vague  bool    // some patterns may cover it as well

	// size is how many words a holder of each scope keeps, fresh what they are
	// while it has done nothing.
	size  [scopes]int
	fresh [scopes][]int64

	// near is how many of them are near where an account has its words at home, which
	// are all but those of the rules in far.
	near [scopes]int
	far  set

	// in are the rules of each scope.
	in [scopes]set

	shadow     set // rules that never refuse
	contacts   set // rules that count only new contacts
	recipients set // rules that need to know the recipient
	shutting   set // rules that shut again by themselves
	gaps       set
	draws      bool // some gap's pauses are random

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
	limit    int64
	name     string
	alone    set  // the rule alone
	narrow   bool // it tells recipients apart
}

// A set of rules, by their index. policy.MaxRules is its size.
type set uint64

// covered are the rules that cover an action.
type covered struct {
	action policy.Action
	rules  set

	// plain says that the rules ask for nothing but the account, do not shut again by
	// themselves and have near words alone or far ones; in are they, one after the
	// other in memory.
	plain bool
	in    []rule

	// tight is the first gap or concurrency among rules that are nothing else but windows,
	// if it allows one at a time. Whenever all are open it leaves nothing, so it is the one
	// that binds, and only a permit can tell when it gives more.
	tight *rule

	// bucket is the meter of the only rule, where that is a near one and small.
	bucket *tokenBucket

	far bool // the words of the plain rules are far ones, and in counts from the first of those
}

func newPlan(p policy.Policy) *plan {
	pl := &plan{policy: p, held: rule{meter: held{}, name: "hold"}}
	for i, r := range p.Rules {
		added := rule{meter: compile(r.Limit, r.Name), scope: scopeOf(r.Scope), name: r.Name}
		one := set(1) << i
		added.limit, added.alone = added.size(), one
		switch r.Limit.(type) {
		case policy.NewContacts, policy.UniqueRecipients:
			added.narrow = true
		default:
			added.narrow = added.scope == ofRecipient
		}
		pl.rules = append(pl.rules, added)

		pl.in[added.scope] |= one
		if r.Shadow {
			pl.shadow |= one
		}
		if added.scope == ofRecipient {
			pl.recipients |= one
		}
		switch limit := r.Limit.(type) {
		case policy.NewContacts:
			pl.contacts |= one
		case policy.UniqueRecipients:
			pl.recipients |= one
			pl.shutting |= one // once the recipient no longer counts
		case policy.ActiveHours:
			pl.shutting |= one
		case policy.Gap:
			pl.gaps |= one
			pl.draws = pl.draws || limit.Min < limit.Max
		}
	}
	pl.place()
	for scope, size := range pl.size {
		pl.fresh[scope] = make([]int64, size)
	}
	for _, r := range pl.rules {
		r.fresh(pl.fresh[r.scope][r.from:r.to])
	}
	for i, r := range p.Rules {
		for _, a := range r.Actions {
			pl.named = append(pl.named, pl.cover(a, pl.match(a)))
			pl.vague = pl.vague || a.IsPath() || strings.HasSuffix(string(a), "*")
		}
		if len(r.Actions) == 0 {
			pl.other.rules |= 1 << i
		}
	}
	pl.other = pl.cover("", pl.other.rules)
	return pl
}

// place gives each rule its words. Those of an account's rules that do not cover a
// send are far: most accounts do nothing else.
func (pl *plan) place() {
	sends := pl.match(policy.SendMessage)
	if pl.far = pl.in[ofAccount] &^ sends; pl.far == pl.in[ofAccount] {
		pl.far = 0
	}
	all := set(1)<<len(pl.rules) - 1
	for _, part := range [...]set{all &^ pl.far, pl.far} {
		pl.near = pl.size
		for ; part != 0; part &= part - 1 {
			r := &pl.rules[part.first()]
			r.from = pl.size[r.scope]
			r.to = r.from + len(r.layout())
			pl.size[r.scope] = r.to
		}
	}
	near, _ := roomFor(pl.near[ofAccount])
	if room, ok := roomFor(pl.size[ofAccount]); ok && room == near {
		pl.near, pl.far = pl.size, 0
	}
}

func (pl *plan) cover(a policy.Action, rules set) covered {
	c := covered{action: a, rules: rules, far: rules&pl.far != 0}
	more := pl.in[ofRecipient] | pl.in[ofPortfolio] | pl.shadow | pl.contacts | pl.recipients | pl.shutting
	if c.plain = rules&more == 0 && (!c.far || rules&^pl.far == 0); c.plain {
		for ; rules != 0; rules &= rules - 1 {
			r := pl.rules[rules.first()]
			if c.far {
				r.from -= pl.near[ofAccount]
				r.to -= pl.near[ofAccount]
			}
			c.in = append(c.in, r)
		}
		if len(c.in) == 1 && !c.far && c.in[0].from == 0 {
			if m, ok := c.in[0].meter.(*tokenBucket); ok && m.small() {
				c.bucket = m
			}
		}
		c.tight = tight(c.in)
	}
	return c
}

// tight is covered.tight of the rules.
func tight(rules []rule) (first *rule) {
	for i := range rules {
		switch rules[i].meter.(type) {
		case *gap, *concurrency:
			if first == nil {
				first = &rules[i]
			}
		case *calendarWindow, *slidingWindow:
		default:
			return nil
		}
	}
	if first == nil || first.limit != 1 {
		return nil
	}
	return first
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
	if c := pl.covered(a); c != nil {
		return c.rules
	}
	return pl.match(a)
}

// covered are the rules that cover the action, nil where they have to be matched.
func (pl *plan) covered(a policy.Action) *covered {
	for i := range pl.named {
		if pl.named[i].action == a {
			return &pl.named[i]
		}
	}
	if pl.vague {
		return nil
	}
	return &pl.other
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
