package limiter

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
)

// write puts a picture into bytes. Each meter's record is written as its own
// layout says, so the rules come first.
func (p *picture) write() ([]byte, error) {
	rules, err := json.Marshal(policy.Policy{
		ID: p.policy.ID, Name: p.policy.Name, Slug: p.policy.Slug, Description: p.policy.Description, Rules: p.policy.Rules,
	})
	if err != nil {
		return nil, fmt.Errorf("limiter: snapshot: %w", err)
	}
	w := newWriter(p.kind)
	w.text(p.key)
	w.fixed(uint64(p.dice))
	w.int(p.last)
	w.flag(p.own)
	w.text(string(rules))
	pl := newPlan(p.policy)
	scope := ofAccount
	if p.kind == ofOnePortfolio {
		scope = ofPortfolio
	}
	w.records(pl, scope, p.records)
	w.count(len(p.pairs))
	for _, pair := range p.pairs {
		w.fixed(pair.recipient)
		w.records(pl, ofRecipient, pair.records)
	}
	w.count(len(p.flights))
	for _, f := range p.flights {
		w.text(string(f.action))
		w.int(f.at.tick)
		w.int(f.at.wall)
		w.int(f.demand.cost)
		w.int(f.demand.keep)
		w.fixed(f.demand.recipient)
		w.fixed(uint64(f.rules))
		w.count(f.pair)
	}
	w.count(len(p.rests))
	for _, r := range p.rests {
		rule, err := json.Marshal(policy.Policy{Rules: []policy.Rule{r.rule}})
		if err != nil {
			return nil, fmt.Errorf("limiter: snapshot: %w", err)
		}
		w.text(string(rule))
		w.fixed(r.recipient)
		w.flag(r.surplus)
		w.saved(newPlan(policy.Policy{Rules: []policy.Rule{r.rule}}).rules[0].meter, r.record)
	}
	w.count(len(p.stops))
	for _, s := range p.stops {
		w.text(s.target.Recipient)
		w.text(s.target.Campaign)
		w.flag(s.target.NewContacts)
		w.int(s.stop.until)
		w.text(s.stop.reason)
	}
	return w.seal(), nil
}

func (w *writer) records(pl *plan, scope int, records []saved) {
	w.flag(records != nil)
	if records == nil {
		return
	}
	for rules := pl.in[scope]; rules != 0; rules &= rules - 1 {
		w.saved(pl.rules[rules.first()].meter, records[0])
		records = records[1:]
	}
}

// readPicture is the picture in a snapshot, and the plan of its policy.
func readPicture(b []byte) (p picture, pl *plan, err error) {
	r, kind, err := newReader(b)
	if err != nil {
		return p, nil, err
	}
	p.kind = kind
	scope := ofAccount
	switch kind {
	case ofOneAccount, ofAllHolds:
	case ofOnePortfolio:
		scope = ofPortfolio
	default:
		return p, nil, badSnapshot("it is of kind %q, which this library does not know", kind)
	}
	p.key = r.text()
	p.dice = dice.Account(r.fixed())
	p.last = r.int()
	p.own = r.flag()
	if p.policy = r.policy(); r.bad != nil {
		return p, nil, r.bad
	}
	if problem := keyFits(p.key); kind != ofAllHolds && problem != "" {
		return p, nil, badSnapshot("its key %s", problem)
	}
	pl = newPlan(p.policy)
	if p.records = r.records(pl, scope); p.records == nil && kind != ofAllHolds {
		r.fail("it has no records")
	}
	p.pairs = make([]pairPicture, r.count(9))
	for i := range p.pairs {
		p.pairs[i] = pairPicture{r.fixed(), r.records(pl, ofRecipient)}
		if r.bad == nil && (p.pairs[i].records == nil || i > 0 && p.pairs[i].recipient <= p.pairs[i-1].recipient) {
			r.fail("recipients are out of order")
		}
	}
	p.flights = make([]flightPicture, r.count(20))
	for i := range p.flights {
		p.flights[i] = r.flight(pl, len(p.pairs))
	}
	p.rests = make([]restPicture, r.count(11))
	for i := range p.rests {
		p.rests[i] = r.rest()
	}
	p.stops = make([]stopPicture, r.count(5))
	for i := range p.stops {
		t := Target{Account: p.key, Recipient: r.text(), Campaign: r.text(), NewContacts: r.flag()}
		p.stops[i] = stopPicture{t, stop{until: r.int(), reason: r.text()}}
		if err := t.problem(); err != nil {
			r.fail("%v", err)
		}
	}
	p.last = max(p.last, r.newest)
	if r.bad == nil && !p.agrees(pl) {
		r.fail("its parts do not go together")
	}
	alone := kind == ofOneAccount || len(p.pairs) == 0 && len(p.flights) == 0 && p.own
	if r.bad == nil && (!alone || kind == ofAllHolds && p.key != "" || kind == ofOnePortfolio && len(p.stops) > 0) {
		r.fail("it holds what its kind cannot have")
	}
	return p, pl, r.end()
}

// agrees reports whether the records count the permits in flight that there are, none
// of which was taken after the last, and whether all that is left of old policies is
// the account's or that of a recipient it has.
func (p *picture) agrees(pl *plan) bool {
	type counted struct{ pair, rule int }
	flying := map[counted]int64{}
	for _, f := range p.flights {
		for rules := f.rules; rules != 0; rules &= rules - 1 {
			pair := 0
			if i := rules.first(); pl.rules[i].scope == ofRecipient {
				pair = f.pair
			}
			flying[counted{pair, rules.first()}]++
		}
		if f.at.tick > p.last {
			return false
		}
	}
	sound := func(scope, pair int, records []saved) bool {
		for rules := pl.in[scope]; len(records) > 0; rules &= rules - 1 {
			n, first := flying[counted{pair, rules.first()}], records[0].words
			switch pl.rules[rules.first()].meter.(type) {
			case *concurrency:
				if first[0] != n {
					return false
				}
			case *gap:
				if first[0] == inFlight && n == 0 {
					return false
				}
			}
			records = records[1:]
		}
		return true
	}
	known := map[uint64]bool{0: true}
	for i, pair := range p.pairs {
		known[pair.recipient] = true
		if !sound(ofRecipient, i+1, pair.records) {
			return false
		}
	}
	for _, rest := range p.rests {
		if !known[rest.recipient] {
			return false
		}
	}
	return p.kind != ofOneAccount || sound(ofAccount, 0, p.records)
}

func keyFits(key string) string {
	switch {
	case key == "":
		return "is empty"
	case len(key) > MaxKey:
		return "is too long"
	case nulProblem("", key) != nil:
		return "has NUL bytes"
	}
	return ""
}

func (r *reader) policy() (p policy.Policy) {
	text := r.text()
	if r.bad != nil {
		return p
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		r.fail("its policy: %v", err)
	}
	return p
}

// records reads a holder's records, nil where it had none.
func (r *reader) records(pl *plan, scope int) []saved {
	if !r.flag() {
		return nil
	}
	records := []saved{}
	for rules := pl.in[scope]; rules != 0; rules &= rules - 1 {
		records = append(records, r.saved(pl.rules[rules.first()].meter))
	}
	return records
}

func (r *reader) flight(pl *plan, pairs int) (f flightPicture) {
	f.action = policy.Action(r.text())
	f.at = instant{tick: r.int(), wall: r.int()}
	f.demand = demand{cost: r.int(), keep: r.int(), recipient: r.fixed()}
	f.rules = set(r.fixed())
	f.pair = int(min(r.uint(), math.MaxInt32))
	all := pl.in[ofAccount] | pl.in[ofRecipient]
	if f.rules&^all != 0 || f.pair > pairs || f.rules&pl.in[ofRecipient] != 0 && f.pair == 0 || f.demand.cost < 1 {
		r.fail("a permit in flight is impossible")
	}
	return f
}

func (r *reader) rest() (rest restPicture) {
	p := r.policy()
	rest.recipient = r.fixed()
	rest.surplus = r.flag()
	if r.bad == nil && len(p.Rules) != 1 {
		r.fail("what is left of an old policy has %d rules", len(p.Rules))
	}
	if r.bad != nil {
		return rest
	}
	rest.rule = p.Rules[0]
	m := newPlan(p).rules[0].meter
	if family, _ := m.counts(); rest.surplus && family != charges && family != strangers {
		r.fail("a rule has more than it can hold, and holds nothing")
	}
	rest.record = r.saved(m)
	return rest
}
