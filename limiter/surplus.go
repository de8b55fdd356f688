package limiter

import (
	"cmp"
	"slices"

	"github.com/wapace/wapace/policy"
)

// surpluses are rests beside rules that count on. A surplus is what a rule's record
// cannot hold of what it was told, though a later rule may count it: the oldest charges
// where a window has become too small for them, and those of another day where a
// calendar window has taken a sliding one's place.
type surpluses []rest

func (s surpluses) find(name string, of meaning) int {
	return slices.IndexFunc(s, func(r rest) bool { return r.rule.Name == name && r.meaning == of })
}

// take takes out the surplus of a rule, nil where it has none.
func (s *surpluses) take(name string, of meaning) *rest {
	k := s.find(name, of)
	if k < 0 {
		return nil
	}
	taken := (*s)[k]
	*s = slices.Delete(*s, k, k+1)
	return &taken
}

// takeSurpluses takes an owner's surpluses out of its rests.
func (s *shard) takeSurpluses(who owner) (taken surpluses) {
	var others []rest
	for _, r := range s.rests[who] {
		if r.surplus {
			taken = append(taken, r)
		} else {
			others = append(others, r)
		}
	}
	if len(taken) > 0 {
		s.keep(who, others)
	}
	return taken
}

// surplusOf is the surplus of rule j of the old plan, nil where it has none.
func (m *change) surplusOf(j int) *rest {
	r := &m.old.rules[j]
	if k := m.before.find(r.name, meaningOf(m.old.policy.Rules[j], r.meter)); k >= 0 {
		return &m.before[k]
	}
	return nil
}

// takeSurplus is surplusOf for who moves it.
func (m *change) takeSurplus(j int) *rest {
	r := &m.old.rules[j]
	return m.before.take(r.name, meaningOf(m.old.policy.Rules[j], r.meter))
}

// regain takes back the surplus that rule i of the new plan has left.
func (m *change) regain(i int) *rest {
	return m.after.take(m.new.rules[i].name, m.meaning(i))
}

// told is what is known of the charges to a record, with its surplus, oldest first.
func (m *change) told(of meter, c cells, surplus *rest) []spending {
	spent := of.spent(c, m.at)
	if surplus != nil {
		spent = append(spent, surplus.meter.spent(cells{surplus.words, c.stock}, m.at)...)
		slices.SortStableFunc(spent, earliest)
	}
	return spent
}

func earliest(a, b spending) int { return cmp.Compare(a.tick, b.tick) }

// inherit tells rule i of the new plan what was spent, and keeps what it cannot hold.
func (m *change) inherit(i int, fresh cells, spent []spending) {
	if over := m.new.rules[i].inherit(fresh, m.at, spent); len(over) > 0 {
		surplus := m.aside(m.new.policy.Rules[i], over)
		surplus.surplus = true
		m.after = append(m.after, surplus)
	}
}

// aside is a rest of what was charged to a rule, in a window that holds all of it.
func (m *change) aside(rule policy.Rule, spent []spending) rest {
	total := int64(exactWindow + 1) // so that it keeps chunks
	for _, s := range spent {
		total = add(total, s.amount)
	}
	of := meaningOf(rule, compile(rule.Limit, rule.Name))
	if rule.Limit = policy.Limit(policy.SlidingWindow{Max: total, Window: of.period}); of.family == strangers {
		rule.Limit = policy.NewContacts{Max: total, Window: of.period}
	}
	r := rest{meaning: of, rule: rule, meter: compile(rule.Limit, rule.Name)}
	r.words = make([]int64, len(r.meter.layout()))
	r.meter.fresh(r.words)
	r.meter.inherit(cells{r.words, &m.shard.stock}, m.at, spent)
	return r
}
