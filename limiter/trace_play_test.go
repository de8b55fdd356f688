package limiter_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// A player plays a trace and writes down what went out, for an audit.
type player struct {
	trace   *trace
	limiter *limiter.Limiter
	act     int           // that is being done
	now     time.Time     // what the clock shows
	elapsed time.Duration // how much time has passed in truth: a clock that is set back takes none of it away
	epoch   int           // how often the clock was set back
	shown   []time.Time   // what it showed at each act
	retry   time.Duration // what the last refusal said
	books   map[string]*book
	shared  []*entry // of all accounts, for the rules of a portfolio
	open    []pending
	holds   map[limiter.Target]time.Time
	saved   []copied
	tally   *tally
}

// A book is what an account has done, and under which policies.
type book struct {
	reigns  []reign // of the policies it has been under
	entries []entry
	lifted  bool // a hold of it was released, which may have been a pause of a gap that was gone
}

// A reign is a time under one policy.
type reign struct {
	policy int // its number
	act    int // with which it began
	at     time.Time
}

// An entry is a call, with its times in truth.
type entry struct {
	queuetest.Call
	wall  time.Time // what the clock showed
	vague bool      // it may have read as a later time, up to a second
	epoch int
	reign int  // in the book's reigns
	ended int  // the act that settled it, or never
	pair  bool // some rule was charged for its recipient
}

// pending is a permit that was not settled.
type pending struct {
	permit  limiter.Permit
	account string
	at      int    // in the account's book
	shared  *entry // the same in the log of all
}

// copied are the snapshots of an account and a portfolio, the account's book and the
// log of all then.
type copied struct {
	account, portfolio string
	mine, ours         []byte
	book               book
	shared             []*entry
}

// tally is what a run of traces has met, so that a run that meets nothing fails.
type tally struct {
	verbs   [verbs]int
	answers [limiter.Never + 1]int
	bound   map[string]int // by kind and scope of the rule that bound
	calls   int
}

func newTally() *tally { return &tally{bound: map[string]int{}} }

// play plays the trace and says what went wrong, or nothing.
func (tr *trace) play(met *tally) (wrong string) {
	p := &player{
		trace: tr, now: tr.start, tally: met,
		books: map[string]*book{alice: {}, bob: {}},
		holds: map[limiter.Target]time.Time{},
	}
	defer func() {
		if v := recover(); v != nil {
			wrong = fmt.Sprintf("act %d: panic: %v", p.act, v)
		}
	}()
	p.begin(alice, 0)
	p.begin(bob, 0)
	if p.limiter, wrong = p.fresh(); wrong != "" {
		return wrong
	}
	for i := range tr.acts {
		p.act = i
		if wrong = p.do(&tr.acts[i]); wrong != "" {
			return fmt.Sprintf("act %d: %s", i, wrong)
		}
	}
	return p.audit()
}

func (p *player) fresh() (*limiter.Limiter, string) {
	l, err := limiter.New(p.trace.policies[0], &limiter.Options{Seed: 7, PermitTTL: p.trace.ttl, MaxAccounts: p.trace.most})
	return l, saying(err)
}

func saying(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (p *player) do(a *act) (wrong string) {
	p.pass(a)
	p.tally.verbs[a.verb]++
	switch a.verb {
	case doTake, doAllow:
		return p.ask(a)
	case doSettle:
		p.settle(a)
	case doSet:
		p.begin(a.req.Account, a.n)
		return saying(p.limiter.SetPolicy(p.now, a.req.Account, p.trace.policies[a.n]))
	case doHold:
		until := p.now.Add(time.Duration(a.n) * time.Second)
		if until.After(p.holds[a.target]) {
			p.holds[a.target] = until
		}
		return saying(p.limiter.Hold(p.now, a.target, until, "for a test"))
	case doRelease:
		held := p.holds[a.target].After(p.now)
		delete(p.holds, a.target)
		released := p.limiter.Release(p.now, a.target)
		if held && !released {
			return "there was no hold to release"
		}
		if b := p.books[a.target.Account]; b != nil && released && a.target == (limiter.Target{Account: a.target.Account}) {
			b.lifted = true
		}
	case doKeep:
		return p.keep(a.req)
	case doRestore:
		return p.restore(a.n)
	case doRestart:
		return p.restart()
	case verbs:
	}
	return ""
}

func (p *player) pass(a *act) {
	by := a.by
	switch a.pass {
	case asTold:
		by = p.retry
	case nearly:
		by = max(0, p.retry-1)
	case byItself:
	}
	if by < 0 {
		p.epoch++
	}
	p.now = p.now.Add(by)
	p.elapsed += max(by, 0)
	p.shown = append(p.shown, p.now)
}

// vague reports whether the clock is just before a time that it has shown.
func (p *player) vague() bool {
	return slices.ContainsFunc(p.shown, func(t time.Time) bool { return t.After(p.now) && t.Sub(p.now) <= time.Second })
}

// truth is the time that has passed in truth.
func (p *player) truth() time.Time { return p.trace.start.Add(p.elapsed) }

// ask is one Take or Allow, and what Check foretells of it.
func (p *player) ask(a *act) (wrong string) {
	foretold := p.limiter.Check(p.now, a.req)
	var permit limiter.Permit
	var d limiter.Decision
	if a.verb == doTake {
		permit, d = p.limiter.Take(p.now, a.req)
	} else {
		d = p.limiter.Allow(p.now, a.req)
	}
	p.tally.answers[d.Answer]++
	p.retry = d.RetryAfter
	if d != foretold {
		return fmt.Sprintf("Check foretold %+v, and it was %+v", foretold, d)
	}
	if kind, _, ok := strings.Cut(d.Rule, "/"); ok && d.Answer != limiter.Allowed {
		p.tally.bound[kind]++
	}
	if d.Answer == limiter.Later && d.RetryAfter > 0 {
		if g := p.limiter.Check(p.now.Add(d.RetryAfter), a.req); g.Answer != limiter.Allowed {
			return fmt.Sprintf("%+v, and refused then: %+v", d, g)
		}
		if g := p.limiter.Check(p.now.Add(d.RetryAfter-1), a.req); g.Answer == limiter.Allowed {
			return fmt.Sprintf("%+v, and allowed 1ns before: %+v", d, g)
		}
	}
	if d.Answer != limiter.Allowed {
		return ""
	}
	if p.held(a.req) {
		return fmt.Sprintf("allowed though it is held: %+v", p.holds)
	}
	p.write(a, permit)
	return ""
}

// held reports whether a hold stops a request, for sure.
func (p *player) held(req limiter.Request) bool {
	now := p.now
	if p.trace.clock != forward {
		now = now.Add(time.Second) // it may read as a later time
	}
	for t, until := range p.holds {
		stops := t.Account == "" || t.Account == req.Account
		stops = stops && (t.Recipient == "" || t.Recipient == req.Recipient)
		stops = stops && (t.Campaign == "" || t.Campaign == req.Campaign)
		stops = stops && (!t.NewContacts || req.NewContact)
		if stops && until.After(now) {
			return true
		}
	}
	return false
}

// write writes down what was allowed. A permit that is never settled ends when it
// runs out.
func (p *player) write(a *act, permit limiter.Permit) {
	p.tally.calls++
	b := p.books[a.req.Account]
	e := entry{
		Call: queuetest.Call{
			Account: a.req.Account, Action: a.req.Action, Recipient: a.req.Recipient, Portfolio: a.req.Portfolio,
			NewContact: a.req.NewContact, Cost: a.req.Cost, At: p.truth(),
		},
		wall: p.now, vague: p.vague(), epoch: p.epoch, reign: len(b.reigns) - 1, ended: math.MaxInt,
	}
	for _, r := range p.policy(b, e.reign).Rules {
		e.pair = e.pair || !r.Shadow && r.Scope == policy.ScopeRecipient && r.Covers(e.Action)
	}
	switch {
	case permit == limiter.Permit{}: // it ends where it begins
		e.Done, e.ended = e.At, p.act
	case p.trace.ttl >= 0:
		e.Done = e.At.Add(p.trace.ttl)
	}
	b.entries = append(b.entries, e)
	p.shared = append(p.shared, &e)
	if e.ended > p.act {
		p.open = append(p.open, pending{permit, a.req.Account, len(b.entries) - 1, &e})
	}
}

// settle settles one of the permits that were not yet, and one that runs out by
// itself too late.
func (p *player) settle(a *act) {
	if len(p.open) == 0 {
		return
	}
	i := a.n % len(p.open)
	f := p.open[i]
	p.open = append(p.open[:i], p.open[i+1:]...)
	f.permit.Settle(p.now, a.outcome)
	e := &p.books[f.account].entries[f.at]
	if ranOut := !e.Done.IsZero() && !e.Done.After(p.truth()); ranOut {
		return
	}
	for _, e := range []*entry{e, f.shared} {
		e.Done, e.Unsent, e.Refused = p.truth(), a.outcome == limiter.Unsent, a.outcome == limiter.Refused
		e.ended = p.act
	}
}

// void forgets the permits of an account that can no longer be settled.
func (p *player) void(account string) {
	kept := p.open[:0]
	for _, f := range p.open {
		if f.account != account {
			kept = append(kept, f)
		}
	}
	p.open = kept
}

// keep takes snapshots of an account and a portfolio.
func (p *player) keep(req limiter.Request) string {
	mine, err := p.limiter.Snapshot(p.now, req.Account)
	if err != nil {
		return err.Error()
	}
	ours, err := p.limiter.SnapshotPortfolio(p.now, req.Portfolio)
	p.saved = append(p.saved, copied{
		req.Account, req.Portfolio, mine, ours, p.books[req.Account].clone(), slices.Clone(p.shared),
	})
	return saying(err)
}

// restore puts an account or a portfolio back to one of the snapshots: what it has
// done since was never heard of.
func (p *player) restore(n int) string {
	if len(p.saved) == 0 {
		return ""
	}
	s := p.saved[n/2%len(p.saved)]
	if n%2 == 0 {
		if s.ours == nil {
			return ""
		}
		ours := func(e *entry) bool { return e.Portfolio == s.portfolio }
		others := slices.DeleteFunc(slices.Clone(p.shared), ours)
		p.shared = append(slices.DeleteFunc(slices.Clone(s.shared), func(e *entry) bool { return !ours(e) }), others...)
		return saying(p.limiter.Restore(p.now, s.ours))
	}
	if s.mine == nil {
		return ""
	}
	*p.books[s.account] = s.book.clone()
	p.again(s.account)
	p.void(s.account)
	return saying(p.limiter.Restore(p.now, s.mine))
}

// restart moves everything to a new limiter.
func (p *player) restart() string {
	l, wrong := p.fresh()
	if wrong != "" {
		return wrong
	}
	var all [][]byte
	for _, account := range []string{alice, bob} {
		b, err := p.limiter.Snapshot(p.now, account)
		if err != nil {
			return err.Error()
		}
		all = append(all, b)
		p.void(account)
		p.again(account)
	}
	for _, portfolio := range []string{"p", "q"} {
		b, err := p.limiter.SnapshotPortfolio(p.now, portfolio)
		if err != nil {
			return err.Error()
		}
		all = append(all, b)
	}
	b, err := p.limiter.SnapshotHolds()
	if err != nil {
		return err.Error()
	}
	for _, b := range append(all, b) {
		if b == nil {
			continue
		}
		if err := l.Restore(p.now, b); err != nil {
			return err.Error()
		}
	}
	p.limiter = l
	return ""
}

func (b *book) clone() book { return book{slices.Clone(b.reigns), slices.Clone(b.entries), b.lifted} }

// begin begins the reign of a policy.
func (p *player) begin(account string, policy int) {
	b := p.books[account]
	b.reigns = append(b.reigns, reign{policy, p.act, p.truth()})
}

// again begins another reign of the policy that an account is under.
func (p *player) again(account string) {
	b := p.books[account]
	p.begin(account, b.reigns[len(b.reigns)-1].policy)
}

func (p *player) policy(b *book, reign int) policy.Policy {
	return p.trace.policies[b.reigns[reign].policy]
}
