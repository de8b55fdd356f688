package limiter

import "math/bits"

// pairs hold the records of recipients of a shard's accounts.
type pairs struct {
	index index
	slab  slab[pair]
	hand  uint32
}

// A pair is an account and a recipient, who is a hash under the account's key.
type pair struct {
	recipient uint64
	account   uint32 // plus 1; 0 for a record that is free
	row       uint32 // its row of words
}

// pairHash mixes what a pair is found by. The recipient's hash is even already.
func pairHash(account uint32, recipient uint64) uint64 {
	hi, lo := bits.Mul64(recipient^uint64(account), 0x9e3779b97f4a7c15)
	return hi ^ lo
}

func (t *pairs) at(i uint32) *pair { return t.slab.one(i) }

func (t *pairs) find(account uint32, recipient uint64) (i uint32, ok bool) {
	x := &t.index
	if len(x.slots) == 0 {
		return 0, false
	}
	hash := pairHash(account, recipient)
	for p := x.home(hash); x.slots[p].number != 0; p = x.next(p) {
		s := x.slots[p]
		if s.hash != uint32(hash>>32) {
			continue
		}
		if r := t.at(s.number - 1); r.account == account+1 && r.recipient == recipient {
			return s.number - 1, true
		}
	}
	return 0, false
}

func (t *pairs) add(account uint32, recipient uint64) uint32 {
	i := t.slab.take(1)
	*t.at(i) = pair{recipient: recipient, account: account + 1}
	t.index.add(pairHash(account, recipient), i)
	return i
}

func (t *pairs) remove(i uint32) {
	p := t.at(i)
	t.index.remove(pairHash(p.account-1, p.recipient), i)
	*p = pair{}
	t.slab.give(i)
}
