package limiter

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
)

// A meaning says what a rule counts, whatever it is called: rules of one meaning
// are one budget, also when a policy takes another's place.
type meaning struct {
	scope   int
	actions string
	family  family
	period  time.Duration
}

// A family is the kinds of limit that count the same thing.
type family uint8

const (
	nothing    family = iota
	charges           // what is charged in a period
	audience          // distinct recipients in a period
	strangers         // new contacts in a period
	pauses            // requests, from pause to pause
	unfinished        // what is in flight
)

// A spending is what was charged at a tick.
type spending struct {
	tick   int64
	amount int64
}

func meaningOf(r policy.Rule, m meter) meaning {
	var actions []string
	for _, a := range r.Actions {
		actions = append(actions, string(a))
	}
	slices.Sort(actions)
	family, period := m.counts()
	return meaning{scopeOf(r.Scope), strings.Join(slices.Compact(actions), "\x00"), family, period}
}

// A rest is what a holder had spent under a rule that no rule of its policy
// carries on. It is kept for a policy that does.
type rest struct {
	meaning
	rule    policy.Rule
	meter   meter
	words   []int64
	surplus bool // a rule of its name counts on and cannot hold it
}

// An owner is whose a rest is: an account, or its recipient.
type owner struct {
	account   uint32
	recipient uint64
}

// from is, for each rule of the plan, the rule of the old plan that has its
// meaning, or -1. A rule of the old plan is carried on once: of several by the one
// that keeps the same record, and of those by the one of its name.
func (pl *plan) from(old *plan) []int {
	from := make([]int, len(pl.rules))
	for i := range from {
		from[i] = -1
	}
	taken := make([]bool, len(old.rules))
	for _, alike := range []func(r, o rule) bool{
		func(r, o rule) bool { return r.same(o.meter) && r.name == o.name },
		func(r, o rule) bool { return r.same(o.meter) },
		func(rule, rule) bool { return true },
	} {
		for i, r := range pl.rules {
			want := meaningOf(pl.policy.Rules[i], r.meter)
			for j, o := range old.rules {
				if from[i] < 0 && !taken[j] && meaningOf(old.policy.Rules[j], o.meter) == want && alike(r, o) {
					from[i], taken[j] = j, true
				}
			}
		}
	}
	return from
}

// copied is, for a rule of the new plan that carries none of the old plan on, one of
// its meaning that another carries on, or -1.
func (m *change) copied(want meaning) int {
	for j, o := range m.old.rules {
		counts := want.family == charges || want.family == audience || want.family == strangers
		if counts && meaningOf(m.old.policy.Rules[j], o.meter) == want {
			return j
		}
	}
	return -1
}

// A change moves an account from one plan to another.
type change struct {
	shard    *shard
	old, new *plan
	from     []int
	home     bool // new is the limiter's own
	at       instant
	pause    int64 // the end of a pause that runs and that no rule carries on

	// before are the surpluses of the holder that is moved, by the names of the old
	// rules, after those by the names of the new ones.
	before, after surpluses
}

// move gives a holder a row for the new plan, with what it had spent, in the place
// of its old one.
func (m *change) move(scope int, who owner, key dice.Account, row uint32) (moved uint32) {
	s := m.shard
	if scope != ofRecipient && m.home {
		moved = s.widen(m.new, scope, s.house(m.new, scope, who.account))
	} else {
		moved = s.allot(m.new.fresh[scope])
	}
	fresh := s.words(m.new, scope, who.account, moved)
	old := s.words(m.old, scope, who.account, row)
	s.draw(m.old, scope, old, key)
	m.before, m.after = s.takeSurpluses(who), nil
	carried := set(0)
	for rules := m.new.in[scope]; rules != 0; rules &= rules - 1 {
		i := rules.first()
		r := &m.new.rules[i]
		to := cells{fresh.of(r), &s.stock}
		if m.from[i] >= 0 {
			continue // what others copy has to be there still
		}
		j := m.copied(m.meaning(i))
		if j < 0 {
			m.recall(who, i, to)
			continue
		}
		m.copy(who, i, j, to, cells{old.of(&m.old.rules[j]), &s.stock})
	}
	for rules := m.new.in[scope]; rules != 0; rules &= rules - 1 {
		i := rules.first()
		if j := m.from[i]; j >= 0 {
			o := &m.old.rules[j]
			carried |= 1 << j
			m.carry(i, o.meter, m.takeSurplus(j), cells{old.of(o), &s.stock}, cells{fresh.of(&m.new.rules[i]), &s.stock})
		}
	}
	for rules := m.old.in[scope] &^ carried; rules != 0; rules &= rules - 1 {
		j := rules.first()
		o := &m.old.rules[j]
		m.lay(who, j, cells{old.of(o), &s.stock}, fresh)
	}
	s.keep(who, slices.Concat(s.rests[who], m.before, m.after))
	if s.rested(who, m.at) {
		s.clearRests(who)
	}
	s.give(m.old, scope, row)
	return moved
}

// meaning is the meaning of rule i of the new plan.
func (m *change) meaning(i int) meaning {
	return meaningOf(m.new.policy.Rules[i], m.new.rules[i].meter)
}

// carry moves what a holder has spent under one rule, and that rule's surplus, to
// rule i of the new plan, of the same meaning. Where the meters keep the same record
// it stays as it is. Otherwise charges are told again, and what is only known as a
// sum counts as charged now.
func (m *change) carry(i int, from meter, surplus *rest, old, fresh cells) {
	if r := &m.new.rules[i]; r.same(from) {
		copy(fresh.words, old.words)
		if surplus != nil {
			surplus.rule.Name = r.name
			m.after = append(m.after, *surplus)
		}
		return
	}
	spent := m.told(from, old, surplus)
	old.stock.discard(from.layout(), old.words)
	if surplus != nil {
		old.stock.discard(surplus.meter.layout(), surplus.words)
	}
	m.inherit(i, fresh, spent)
}

// copy has rule i, which is new, count what rule j of the old plan has counted, of the
// same meaning, and what it had counted itself under an earlier policy, some of it
// perhaps twice.
func (m *change) copy(who owner, i, j int, fresh, old cells) {
	to, from := m.new.rules[i].meter, m.old.rules[j].meter
	surplus := m.surplusOf(j)
	m.recall(who, i, fresh)
	family, _ := to.counts()
	if family == audience || to.idle(fresh, m.at) && to.same(from) && surplus == nil {
		fresh.stock.discard(to.layout(), fresh.words)
		to.fresh(fresh.words)
		save(from, old, 0).load(to, fresh, 0)
		return
	}
	mine := m.regain(i)
	spent := append(m.told(to, fresh, mine), m.told(from, old, surplus)...)
	slices.SortStableFunc(spent, earliest)
	fresh.stock.discard(to.layout(), fresh.words)
	if mine != nil {
		fresh.stock.discard(mine.meter.layout(), mine.words)
	}
	to.fresh(fresh.words)
	m.inherit(i, fresh, spent)
}

// recall gives a rule the rest of its meaning, if there is one: of several the one
// that keeps the same record, and of those the one of its name.
func (m *change) recall(who owner, i int, fresh cells) {
	r := &m.new.rules[i]
	want := m.meaning(i)
	rests := m.shard.rests[who]
	for _, alike := range []func(rest) bool{
		func(o rest) bool { return r.same(o.meter) && r.name == o.rule.Name },
		func(o rest) bool { return r.same(o.meter) },
		func(o rest) bool { return !m.wanted(o, i) },
	} {
		k := slices.IndexFunc(rests, func(o rest) bool { return o.meaning == want && alike(o) })
		if k >= 0 {
			o := rests[k]
			m.carry(i, o.meter, nil, cells{o.words, fresh.stock}, fresh)
			m.shard.keep(who, slices.Delete(rests, k, k+1))
			return
		}
	}
}

// wanted reports whether a rest is the record of another rule than i.
func (m *change) wanted(o rest, i int) bool {
	for k := range m.new.rules {
		r := &m.new.rules[k]
		if k != i && m.from[k] < 0 && r.same(o.meter) && m.meaning(k) == o.meaning {
			return true
		}
	}
	return false
}

// lay puts aside what rule j leaves that is not carried on. A pause that runs goes on
// in a gap on the same actions, or stops the account; a recipient is only known by a
// hash, so its pause waits in the rest.
func (m *change) lay(who owner, j int, old cells, fresh words) {
	from, of := &m.old.rules[j], m.old.policy.Rules[j]
	if surplus := m.takeSurplus(j); surplus != nil {
		all := m.aside(of, m.told(from.meter, old, surplus))
		old.stock.discard(from.layout(), old.words)
		old.stock.discard(surplus.meter.layout(), surplus.words)
		m.shard.keep(who, append(m.shard.rests[who], all))
		return
	}
	if from.idle(old, m.at) {
		old.stock.discard(from.layout(), old.words)
		return
	}
	r := rest{meaning: meaningOf(of, from.meter), rule: of, meter: from.meter, words: slices.Clone(old.words)}
	if r.family == unfinished {
		return
	}
	if _, ok := from.meter.(*gap); ok {
		r.words[1] &= mostSends // what is in flight is charged again to a gap that comes
		due := old.words[0]
		if due == inFlight || of.Shadow || m.goOn(from.scope, r.actions, due, fresh) {
			r.words[0] = math.MinInt64 // the count is kept
		}
	}
	m.shard.keep(who, append(m.shard.rests[who], r))
}

// goOn has a pause of a rule that is gone run until a tick, and reports whether it
// will.
func (m *change) goOn(scope int, actions string, due int64, fresh words) bool {
	if due <= m.at.tick {
		return true
	}
	for rules := m.new.in[scope] &^ m.new.shadow; rules != 0; rules &= rules - 1 {
		i := rules.first()
		r := &m.new.rules[i]
		if _, ok := r.meter.(*gap); ok && meaningOf(m.new.policy.Rules[i], r.meter).actions == actions {
			end := &fresh.of(r)[0]
			*end = max(*end, due)
			return true
		}
	}
	if scope == ofAccount {
		m.pause = max(m.pause, due)
	}
	return scope == ofAccount
}

// rested reports whether an owner's rests are, from the instant on, as good as none.
func (s *shard) rested(who owner, at instant) bool {
	return !slices.ContainsFunc(s.rests[who], func(r rest) bool {
		return !r.meter.idle(cells{r.words, &s.stock}, at)
	})
}

// clearRests forgets the rests of an owner.
func (s *shard) clearRests(who owner) {
	for _, r := range s.rests[who] {
		s.stock.discard(r.meter.layout(), r.words)
	}
	s.keep(who, nil)
}

// keep replaces the rests of an owner.
func (s *shard) keep(who owner, rests []rest) {
	switch {
	case len(rests) == 0:
		delete(s.rests, who)
	case s.rests == nil:
		s.rests = map[owner][]rest{who: rests}
	default:
		s.rests[who] = rests
	}
}

// tells reports whether a meter's record tells charges apart, so that one can be
// taken out of it though it was moved from another such record.
func tells(m meter) bool {
	switch m := m.(type) {
	case *slidingWindow, *chunkedWindow:
		return true
	case newContacts:
		return tells(m.meter)
	}
	return false
}

// whole reports whether a record that was moved to rule i of the new plan has surely
// kept every charge: an exact window that is full may have left some out.
func (m *change) whole(a *account, f *flight, i int) bool {
	r := &m.new.rules[i]
	to := r.meter
	if counts, ok := to.(newContacts); ok {
		to = counts.meter
	}
	exact, ok := to.(*slidingWindow)
	if !ok {
		return true
	}
	if r.scope == ofPortfolio {
		return true // never moved
	}
	words := m.of(a, f, r)
	if words == nil {
		return false
	}
	l := m.shard.stock.logs.at(words[0])
	return l != nil && int64(l.len()) < exact.max
}

// of are the words of a rule of the new plan for the account of a permit in flight, or
// its recipient. They are nil where that has no record.
func (m *change) of(a *account, f *flight, r *rule) []int64 {
	row := a.row
	if r.scope == ofRecipient {
		if f.pair == 0 {
			return nil
		}
		row = m.shard.pairs.at(f.pair - 1).row
	}
	w := m.shard.words(m.new, r.scope, f.account, row)
	return w.of(r)
}

// flights makes the account's permits in flight count under the new rules.
func (m *change) flights(a *account) {
	for f := range m.shard.flying(a) {
		var rules, owed set
		for i, j := range m.from {
			if j >= 0 {
				rules |= f.rules >> j & 1 << i
				if r, o := m.new.rules[i], m.old.rules[j]; r.same(o.meter) || tells(r.meter) && tells(o.meter) && m.whole(a, f, i) {
					owed |= f.owed >> j & 1 << i
				}
			} else if m.join(a, f, i) {
				rules |= 1 << i
				owed |= 1 << i
			}
		}
		f.rules, f.owed = rules, owed
	}
}

// join charges a permit in flight to a new rule that watches what is in flight.
func (m *change) join(a *account, f *flight, i int) bool {
	r := &m.new.rules[i]
	family, _ := r.counts()
	if family != pauses && family != unfinished || !m.new.policy.Rules[i].Covers(f.action) {
		return false
	}
	words := m.of(a, f, r)
	if words == nil {
		return false
	}
	return r.charge(cells{words, &m.shard.stock}, &claim{demand: f.demand, at: m.at, serial: f.serial})
}
