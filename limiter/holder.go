package limiter

import (
	"github.com/wapace/wapace/internal/dice"
)

// A holder is one whose budget a request draws on, as it stands at an instant: an
// account, an account's recipient, or a portfolio.
type holder struct {
	known  bool     // it has a record
	number uint32   // of the record
	record *account // nil for a recipient
	words  words
	stock  *stock
	back   *rewinding // of the copies that a peek looks at, nil where it needs none
	claim
}

func (h *holder) cells(r *rule) cells {
	return cells{h.words.of(r), h.stock}
}

// hold fills in what the account or portfolio, which has a record or not, holds at
// the instant. The words of one without are those of a fresh one, and must not be
// written, and neither must those for a peek. It requires s.mu.
func (l *Limiter) hold(h *holder, s *shard, pl *plan, scope int, at instant, peek bool) {
	h.stock, h.at = &s.stock, at
	a := h.record
	if a == nil {
		h.words = words{near: pl.fresh[scope]}
		return
	}
	h.known, h.key = true, a.dice
	switch {
	case at.tick >= a.last:
		l.forgetLookback(s, h.number)
	case peek && at.setBack(a.last, a.steady):
		l.lookBack(h, s, pl, scope, at)
		return
	default:
		h.at = l.overtaken(s, h.number, pl, scope, at)
	}
	h.words = s.mine(pl, scope, h.number, a)
}

// open gives an unknown account or portfolio its record. It requires s.mu.
func (l *Limiter) open(h *holder, s *shard, pl *plan, scope int, hash uint64, key string) {
	h.number, h.known = s.accounts.add(hash, key), true
	a := s.accounts.at(h.number)
	a.dice, a.row = l.dice.Account(key), s.house(pl, scope, h.number)
	h.record, h.words, h.key = a, s.mine(pl, scope, h.number, a), a.dice
}

// meet finds what an account holds with a recipient, who is named by a hash under
// the account's key. Its draws are its own. It requires s.mu.
func (h *holder) meet(s *shard, pl *plan, account *holder, recipient uint64) {
	h.stock, h.at, h.key = account.stock, account.at, pairKey(recipient)
	if account.known {
		if h.number, h.known = s.pairs.find(account.number, recipient); h.known {
			h.words = s.words(pl, ofRecipient, 0, s.pairs.at(h.number).row)
			if h.back = account.back; h.back != nil {
				h.stock = &s.stock
				h.imagine(pl, ofRecipient)
			}
			return
		}
	}
	h.words = words{near: pl.fresh[ofRecipient]}
}

// reach is the instant at which holder i is changed that is given: its latest one where
// that is none, or where it was overtaken. It requires s.mu.
func (l *Limiter) reach(s *shard, i uint32, pl *plan, scope int, given instant) instant {
	a := s.accounts.at(i)
	switch {
	case !given.known():
		return a.latest()
	case given.tick < a.last:
		return l.overtaken(s, i, pl, scope, given)
	}
	return given
}

// overtaken is the instant at for holder i, whose last is later: that last one
// where the caller was overtaken or the clock trembles. Otherwise the clock was set
// back, and the waits of the holder, and of an account's recipients, start again.
// It requires s.mu.
func (l *Limiter) overtaken(s *shard, i uint32, pl *plan, scope int, at instant) instant {
	a := s.accounts.at(i)
	if !at.setBack(a.last, a.steady) {
		return instant{a.last, add(at.wall, clamp(since(a.last, at.tick))), a.steady}
	}
	again := s.restarts(i, at)
	l.forgetLookback(s, i)
	s.rewind(pl, scope, i, a.row, a.dice, a.last, again.tick)
	s.rewindRests(owner{account: i}, a.dice, a.last, again.tick)
	for n := uint32(0); a.pairs > 0 && n < s.pairs.slab.n; n++ {
		if p := s.pairs.at(n); p.account == i+1 {
			s.rewind(pl, ofRecipient, 0, p.row, pairKey(p.recipient), a.last, again.tick)
			s.rewindRests(owner{i, p.recipient}, pairKey(p.recipient), a.last, again.tick)
		}
	}
	for f := range s.flying(a) {
		f.at = again // they run out by the new time
	}
	a.turn++
	a.saw(at)
	return at
}

// pairKey is the key to the draws of an account's recipient: as even and as secret
// as the hash that names it.
func pairKey(recipient uint64) dice.Account { return dice.Account(recipient) }

// draw draws the pauses among a holder's words that were put off, for those who
// take the words away from the rule or its holder.
func (s *shard) draw(pl *plan, scope int, w words, key dice.Account) {
	for rules := pl.in[scope] & pl.gaps; rules != 0; rules &= rules - 1 {
		r := &pl.rules[rules.first()]
		if m, ok := r.meter.(*gap); ok {
			m.draw(cells{w.of(r), &s.stock}, key)
		}
	}
}

func (s *shard) rewind(pl *plan, scope int, i, row uint32, key dice.Account, from, to int64) {
	w := s.words(pl, scope, i, row)
	for rules := pl.written(scope, row); rules != 0; rules &= rules - 1 {
		r := &pl.rules[rules.first()]
		r.rewind(cells{w.of(r), &s.stock}, key, from, to)
	}
}

func (s *shard) rewindRests(who owner, key dice.Account, from, to int64) {
	for _, r := range s.rests[who] {
		r.meter.rewind(cells{r.words, &s.stock}, key, from, to)
	}
}

// idle reports whether account i is, from the instant on, as good as unknown. It
// requires s.mu.
func (s *shard) idle(pl *plan, scope int, i uint32, at instant) bool {
	a := s.accounts.at(i)
	if a.name == (name{}) || a.plan != 0 || a.flight != 0 || a.pairs != 0 || at.tick < a.last || !s.rested(owner{account: i}, at) {
		return false
	}
	return s.blank(pl, scope, i, a.row, at)
}

func (s *shard) blank(pl *plan, scope int, i, row uint32, at instant) bool {
	w := s.words(pl, scope, i, row)
	for rules := pl.written(scope, row); rules != 0; rules &= rules - 1 {
		r := &pl.rules[rules.first()]
		if !r.idle(cells{w.of(r), &s.stock}, at) {
			return false
		}
	}
	return true
}
