package limiter

import (
	"math"

	"github.com/wapace/wapace/internal/dice"
)

// A table holds the accounts, or the portfolios, of a shard by key.
type table struct {
	index index
	slab  slab[account]
	home  slab[int64] // the words of those under the limiter's own policy, by account
	hand  uint32      // where the next search for idle ones begins
}

// An account is one key's record. A portfolio has one too.
type account struct {
	key    string
	dice   dice.Account // the key to its draws
	last   int64        // the latest tick at which something was taken or settled
	words  uint32       // its row of words
	flight uint32       // its first permit in flight, plus 1
	pairs  uint32       // how many recipients have a record with it
	plan   uint16       // the policy that it is under, 0 for the limiter's own
	turn   uint8        // counts how often its clock was set back
	steady bool         // last follows the monotonic clock
}

// saw moves the account to an instant.
func (a *account) saw(at instant) { a.last, a.steady = at.tick, at.steady }

func (t *table) at(i uint32) *account { return t.slab.one(i) }

// find returns the number of the account with the key.
func (t *table) find(hash uint64, key string) (i uint32, ok bool) {
	i, a := t.look(hash, key)
	return i, a != nil
}

// look is find for who wants the account too, which is nil where there is none.
func (t *table) look(hash uint64, key string) (i uint32, a *account) {
	slots := t.index.slots
	if len(slots) == 0 {
		return 0, nil
	}
	for p := int(hash >> 32); ; p++ {
		s := slots[p&(len(slots)-1)]
		if s.number == 0 {
			return 0, nil
		}
		if s.hash == uint32(hash>>32) {
			if a = t.at(s.number - 1); a.key == key {
				return s.number - 1, a
			}
		}
	}
}

// add makes an account for a key that the table does not have.
func (t *table) add(hash uint64, key string) uint32 {
	i := t.slab.take(1)
	*t.at(i) = account{key: key, last: math.MinInt64}
	t.index.add(hash, i)
	return i
}

// remove forgets an account.
func (t *table) remove(hash uint64, i uint32) {
	t.index.remove(hash, i)
	*t.at(i) = account{}
	t.slab.give(i)
}
