package limiter

import "slices"

// words are those of a holder, one rule's after the other's: all of them near, or
// those of the rules that most requests ask near and the rest far.
type words struct{ near, far []int64 }

// of are the words of a rule.
func (w *words) of(r *rule) []int64 {
	if n := len(w.near); r.from >= n {
		return w.far[r.from-n : r.to-n]
	}
	return w.near[r.from:r.to]
}

func (w words) clone() words { return words{slices.Clone(w.near), slices.Clone(w.far)} }

// A row says where a holder's words are. Below atHome it is the number of a row that
// has all of them. From there on the near ones are in the account's record, and what
// is above atHome is the number of the row that has the far ones, plus 1. Where it is
// nothing the account has done nothing that is counted in them.
const atHome = 1 << 31

// words are the words of holder i, whose row that is. i is needed at home only. Far
// ones that it has no row for are those of a fresh holder, and must not be written.
func (s *shard) words(pl *plan, scope int, i, row uint32) (w words) {
	size, near := pl.size[scope], pl.near[scope]
	switch {
	case row >= atHome:
		_, home := s.accounts.record(i)
		if w.near = home[:near]; near == size {
			return w
		}
		if row == atHome {
			w.far = pl.fresh[scope][near:]
		} else {
			w.far = s.rows[size-near].row(row-atHome-1, size-near)
		}
	case size > 0:
		w.near = s.rows[size].row(row, size)
	}
	return w
}

// mine are the words of an account, or a portfolio.
func (s *shard) mine(pl *plan, scope int, i uint32, a *account) words {
	return s.words(pl, scope, i, a.row)
}

// part are the words of a found account for rules that all have far words or all have
// near ones.
func (f *found) part(pl *plan, far bool) []int64 {
	if f.account.row >= atHome && !far {
		return f.home
	}
	switch w := f.shard.mine(pl, ofAccount, f.number, f.account); {
	case !far:
		return w.near
	case f.account.row >= atHome:
		return w.far
	default:
		return w.near[pl.near[ofAccount]:]
	}
}

// written are the rules of the scope whose words a holder with the row has.
func (pl *plan) written(scope int, row uint32) set {
	if row == atHome {
		return pl.in[scope] &^ pl.far
	}
	return pl.in[scope]
}

// house returns the row of account i, which has done nothing under the limiter's own
// policy: at home, where records have the room.
func (s *shard) house(pl *plan, scope int, i uint32) (row uint32) {
	near := pl.near[scope]
	if s.accounts.room < near {
		return s.allot(pl.fresh[scope])
	}
	_, home := s.accounts.record(i)
	copy(home, pl.fresh[scope][:near])
	return atHome
}

// widen gives a row of an account far words of its own, if it has none and they are
// in no row yet.
func (s *shard) widen(pl *plan, scope int, row uint32) (wider uint32) {
	if near := pl.near[scope]; row == atHome && near < pl.size[scope] {
		return row + 1 + s.allot(pl.fresh[scope][near:])
	}
	return row
}

// allot returns a row of words for a holder that has done nothing.
func (s *shard) allot(fresh []int64) (row uint32) {
	size := len(fresh)
	if size == 0 {
		return 0
	}
	for len(s.rows) <= size {
		s.rows = append(s.rows, slab[int64]{})
	}
	row = s.rows[size].take(size)
	copy(s.rows[size].row(row, size), fresh)
	return row
}

// release takes a row of words back, and all that it refers to.
func (s *shard) release(pl *plan, scope int, i, row uint32) {
	w := s.words(pl, scope, i, row)
	for rules := pl.written(scope, row); rules != 0; rules &= rules - 1 {
		r := &pl.rules[rules.first()]
		s.stock.discard(r.layout(), w.of(r))
	}
	s.give(pl, scope, row)
}

// give takes a row of words back that refers to nothing. What is in a record stays
// with the account.
func (s *shard) give(pl *plan, scope int, row uint32) {
	switch size := pl.size[scope]; {
	case row > atHome:
		far := size - pl.near[scope]
		s.rows[far].give(row - atHome - 1)
	case row < atHome && size > 0:
		s.rows[size].give(row)
	}
}
