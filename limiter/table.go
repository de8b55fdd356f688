package limiter

import (
	"math"

	"github.com/wapace/wapace/internal/dice"
)

// A table holds the accounts, or the portfolios, of a shard by key. Their records
// have room for the words of the limiter's own policy, so that a decision reads one
// stretch of memory beside the index.
type table struct {
	index  index
	room   int // words that a record has room for; only the slab of that room is used
	bare   slab[account]
	narrow slab[record[[4]int64]]
	middle slab[record[[10]int64]]
	wide   slab[record[[18]int64]]
	long   slab[string] // keys that do not fit in a record
	hand   uint32       // where the next search for idle ones begins
}

// A record is an account and its words at home.
type record[W any] struct {
	account
	words W
}

// roomFor is the least room of any slab for so many words, and whether there is one.
// Records with the two most fill two and three lines of memory.
func roomFor(words int) (room int, ok bool) {
	switch {
	case words == 0:
		return 0, true
	case words <= 4:
		return 4, true
	case words <= 10:
		return 10, true
	case words <= 18:
		return 18, true
	}
	return 0, false
}

// An account is one key's record. A portfolio has one too.
type account struct {
	name   name
	dice   dice.Account // the key to its draws
	last   int64        // the latest tick at which something was taken or settled
	row    uint32       // its row of words
	flight uint32       // its first permit in flight, plus 1
	pairs  uint32       // how many recipients have a record with it
	plan   uint16       // the policy that it is under, 0 for the limiter's own
	turn   uint8        // counts how often its clock was set back
	steady bool         // last follows the monotonic clock
}

// saw moves the account to an instant.
func (a *account) saw(at instant) { a.last, a.steady = at.tick, at.steady }

// latest is the instant that the account was last moved to.
func (a *account) latest() instant { return instant{a.last, a.last, a.steady} }

// record is account i and the room for words in its record. Both are valid until the
// next call of add.
func (t *table) record(i uint32) (a *account, home []int64) {
	switch t.room {
	case 4:
		r := t.narrow.one(i)
		return &r.account, r.words[:]
	case 10:
		r := t.middle.one(i)
		return &r.account, r.words[:]
	case 18:
		r := t.wide.one(i)
		return &r.account, r.words[:]
	}
	return t.bare.one(i), nil
}

// at is account i, valid as record is.
func (t *table) at(i uint32) *account {
	a, _ := t.record(i)
	return a
}

// n is how many records there are, in use or free.
func (t *table) n() uint32 { return t.bare.n + t.narrow.n + t.middle.n + t.wide.n }

func (t *table) take() uint32 {
	switch t.room {
	case 4:
		return t.narrow.take(1)
	case 10:
		return t.middle.take(1)
	case 18:
		return t.wide.take(1)
	}
	return t.bare.take(1)
}

func (t *table) give(i uint32) {
	switch t.room {
	case 4:
		t.narrow.give(i)
	case 10:
		t.middle.give(i)
	case 18:
		t.wide.give(i)
	default:
		t.bare.give(i)
	}
}

// find returns the number of the account with the key.
func (t *table) find(hash uint64, key string) (i uint32, ok bool) {
	i, a, _ := t.look(hash, named(key), key)
	return i, a != nil
}

// look is find for who wants the record too, which is nil where there is none.
func (t *table) look(hash uint64, n name, key string) (i uint32, a *account, home []int64) {
	slots := t.index.slots
	if len(slots) == 0 {
		return 0, nil, nil
	}
	for p := int(hash >> 32); ; p++ {
		s := slots[p&(len(slots)-1)]
		if s.number == 0 {
			return 0, nil, nil
		}
		if s.hash == uint32(hash>>32) {
			if a, home = t.record(s.number - 1); t.is(a.name, n, key) {
				return s.number - 1, a, home
			}
		}
	}
}

// add makes an account for a key that the table does not have.
func (t *table) add(hash uint64, key string) uint32 {
	i := t.take()
	*t.at(i) = account{name: t.keep(key), last: math.MinInt64}
	t.index.add(hash, i)
	return i
}

// remove forgets an account.
func (t *table) remove(hash uint64, i uint32) {
	t.index.remove(hash, i)
	a := t.at(i)
	t.drop(a.name)
	*a = account{}
	t.give(i)
}
