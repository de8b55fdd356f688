package limiter

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
)

// A picture is all that a limiter knows of one account or portfolio, with its
// times on the wall.
type picture struct {
	kind    byte
	key     string
	dice    dice.Account
	last    int64
	own     bool // it is under the limiter's own policy
	policy  policy.Policy
	records []saved // of each rule of the account's, or the portfolio's, scope
	pairs   []pairPicture
	flights []flightPicture
	rests   []restPicture
	stops   []stopPicture
}

type pairPicture struct {
	recipient uint64
	records   []saved
}

type flightPicture struct {
	action policy.Action
	at     instant
	demand demand
	rules  set
	pair   int // in pairs, plus 1
}

type restPicture struct {
	rule      policy.Rule
	recipient uint64
	surplus   bool
	record    saved
}

type stopPicture struct {
	target Target
	stop   stop
}

func stopsOf(holds map[Target]*stop, account string) (stops []stopPicture) {
	for t, s := range holds {
		if t.Account == account {
			stops = append(stops, stopPicture{t, *s})
		}
	}
	sortStops(stops)
	return stops
}

func sortStops(stops []stopPicture) {
	slices.SortFunc(stops, func(a, b stopPicture) int {
		return cmp.Or(
			strings.Compare(a.target.Recipient, b.target.Recipient),
			strings.Compare(a.target.Campaign, b.target.Campaign),
			// At most one target is of all new contacts.
			cmp.Compare(fmt.Sprint(a.target.NewContacts), fmt.Sprint(b.target.NewContacts)),
		)
	})
}

// Snapshot is all that the limiter knows of an account, to be kept and given to
// [Limiter.Restore] later, there or in another process: what it has spent under
// every rule, its running pauses, the key to its coming ones, its own policy, its
// holds and its permits in flight. Its times are absolute. It is nil where the
// limiter knows nothing of the account. It holds the account's key, and is as
// secret as the seed for that account. Errors: a time that no request may have, a
// policy with a time zone that has no name.
func (l *Limiter) Snapshot(now time.Time, account string) ([]byte, error) {
	at := l.instant(now)
	if !at.known() {
		return nil, timeProblem(now)
	}
	p, _, _, known := l.pictureOf(account, at)
	if !known {
		return nil, nil
	}
	return p.write()
}

// pictureOf is the picture of an account, with the plan that it is under and its number.
// Where nothing is known of it, it is that of a new one.
func (l *Limiter) pictureOf(account string, at instant) (p picture, pl *plan, number uint16, known bool) {
	hash := l.hash.of(account)
	s := &l.shards[hash%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	p = picture{kind: ofOneAccount, key: account, stops: stopsOf(s.holds, account)}
	i, found := s.accounts.find(hash, account)
	if !found {
		p.begin(l, s, ofAccount)
		return p, l.plan, 0, len(p.stops) > 0
	}
	a := s.accounts.at(i)
	pl, number = l.planOf(a), a.plan
	p.take(s, pl, ofAccount, i, sub(at.wall, at.tick))
	return p, pl, number, true
}

// begin fills in the picture of an account or portfolio of which nothing is known. It
// requires s.mu.
func (p *picture) begin(l *Limiter, s *shard, scope int) {
	p.dice, p.last, p.own, p.policy = l.dice.Account(p.key), math.MinInt64, true, l.plan.policy
	p.records = s.records(l.plan, scope, words{near: slices.Clone(l.plan.fresh[scope])}, p.dice, 0)
}

// take fills in the picture of account i. It requires s.mu.
func (p *picture) take(s *shard, pl *plan, scope int, i uint32, shift int64) {
	a := s.accounts.at(i)
	p.dice, p.last, p.own, p.policy = a.dice, move(a.last, shift), a.plan == 0, pl.policy
	p.records = s.records(pl, scope, s.mine(pl, scope, i, a), a.dice, shift)
	p.rests = s.restsOf(i, 0, shift)
	if scope == ofPortfolio {
		return
	}
	var mine []uint32
	for n := uint32(0); a.pairs > 0 && n < s.pairs.slab.n; n++ {
		if s.pairs.at(n).account == i+1 {
			mine = append(mine, n)
		}
	}
	slices.SortFunc(mine, func(m, n uint32) int {
		return cmp.Compare(s.pairs.at(m).recipient, s.pairs.at(n).recipient)
	})
	for _, n := range mine {
		r := s.pairs.at(n)
		p.pairs = append(p.pairs, pairPicture{r.recipient, s.records(pl, ofRecipient, s.words(pl, ofRecipient, 0, r.row), pairKey(r.recipient), shift)})
	}
	for f := range s.flying(a) {
		p.flights = append(p.flights, flightPicture{
			action: f.action,
			at:     instant{tick: move(f.at.tick, shift), wall: f.at.wall},
			demand: f.demand,
			rules:  f.rules &^ pl.in[ofPortfolio],
			pair:   slices.Index(mine, f.pair-1) + 1,
		})
	}
	for _, n := range mine {
		recipient := s.pairs.at(n).recipient
		p.rests = append(p.rests, s.restsOf(i, recipient, shift)...)
	}
}

func (s *shard) restsOf(i uint32, recipient uint64, shift int64) (rests []restPicture) {
	for _, r := range s.rests[owner{i, recipient}] {
		rests = append(rests, restPicture{r.rule, recipient, r.surplus, save(r.meter, cells{r.words, &s.stock}, shift)})
	}
	return rests
}

func (s *shard) records(pl *plan, scope int, w words, key dice.Account, shift int64) (records []saved) {
	records = []saved{}
	s.draw(pl, scope, w, key)
	for rules := pl.in[scope]; rules != 0; rules &= rules - 1 {
		r := &pl.rules[rules.first()]
		records = append(records, save(r.meter, cells{w.of(r), &s.stock}, shift))
	}
	return records
}

// SnapshotPortfolio is [Limiter.Snapshot] for a portfolio.
func (l *Limiter) SnapshotPortfolio(now time.Time, portfolio string) ([]byte, error) {
	at := l.instant(now)
	if !at.known() {
		return nil, timeProblem(now)
	}
	p, known := l.pictureOfGroup(portfolio, at)
	if !known {
		return nil, nil
	}
	return p.write()
}

// pictureOfGroup is the picture of a portfolio. Where nothing is known of it, it is that
// of a new one.
func (l *Limiter) pictureOfGroup(portfolio string, at instant) (p picture, known bool) {
	hash := l.hash.of(portfolio)
	s := &l.portfolios[hash%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	p = picture{kind: ofOnePortfolio, key: portfolio}
	i, found := s.accounts.find(hash, portfolio)
	if !found {
		p.begin(l, s, ofPortfolio)
		return p, false
	}
	p.take(s, l.plan, ofPortfolio, i, sub(at.wall, at.tick))
	return p, true
}

// SnapshotHolds is [Limiter.Snapshot] for the holds that name no account.
func (l *Limiter) SnapshotHolds() ([]byte, error) {
	p := picture{kind: ofAllHolds, own: true, policy: l.plan.policy, stops: l.stopsOfAll()}
	if sortStops(p.stops); len(p.stops) == 0 {
		return nil, nil
	}
	return p.write()
}

// stopsOfAll are the holds that name no account, in no order.
func (l *Limiter) stopsOfAll() (stops []stopPicture) {
	for i := range l.holds.boards {
		b := &l.holds.boards[i]
		b.mu.RLock()
		for t, s := range b.all {
			stops = append(stops, stopPicture{t, *s})
		}
		b.mu.RUnlock()
	}
	return stops
}
