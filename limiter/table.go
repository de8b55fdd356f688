package limiter

// A table finds accounts by key. It is open addressing with linear probing over
// (part of the hash, number) pairs, so that a look-up reads one line of memory
// before the account itself. The zero table is empty.
type table struct {
	slots    []slot
	accounts slab[account]
	used     int
}

// A slot is the upper half of a key's hash and its account's number plus 1.
type slot struct{ hash, number uint32 }

func (t *table) account(i uint32) *account { return t.accounts.one(i) }

// find returns the number of the account with the key.
func (t *table) find(hash uint64, key string) (i uint32, ok bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	mask := len(t.slots) - 1
	for p := home(hash, mask); ; p = (p + 1) & mask {
		s := t.slots[p]
		if s.number == 0 {
			return 0, false
		}
		if s.hash == uint32(hash>>32) && t.account(s.number-1).key == key {
			return s.number - 1, true
		}
	}
}

// add makes an account for a key that the table does not have.
func (t *table) add(hash uint64, key string) uint32 {
	if 4*(t.used+1) > 3*len(t.slots) {
		t.grow()
	}
	if t.accounts.row == 0 {
		t.accounts.row = 1
	}
	i := t.accounts.take()
	*t.account(i) = account{key: key}
	t.place(slot{uint32(hash >> 32), i + 1})
	t.used++
	return i
}

// grow doubles the table. A slot's home follows from its half of the hash alone,
// so no key is hashed again.
func (t *table) grow() {
	old := t.slots
	t.slots = make([]slot, max(8, 2*len(old)))
	for _, s := range old {
		if s.number != 0 {
			t.place(s)
		}
	}
}

func (t *table) place(s slot) {
	mask := len(t.slots) - 1
	p := home(uint64(s.hash)<<32, mask)
	for t.slots[p].number != 0 {
		p = (p + 1) & mask
	}
	t.slots[p] = s
}

// home is where a key belongs. The low bits of the hash choose the shard, so the
// upper half chooses the slot.
func home(hash uint64, mask int) int { return int(hash>>32) & mask }
