package limiter

// An index finds numbers by hash: open addressing with linear probing over pairs
// of part of the hash and a number, so that a look-up reads one line of memory
// before the record itself. The zero index is empty.
type index struct {
	slots []slot
	used  int
}

// A slot is the upper half of a hash and a number plus 1. The zero slot is empty.
type slot struct{ hash, number uint32 }

// home is the slot at which a search for the hash begins. The low bits of a hash
// choose its shard, so the upper half chooses the slot. It requires that the index
// has slots.
func (x *index) home(hash uint64) int { return int(hash>>32) & (len(x.slots) - 1) }

// next is the slot after p.
func (x *index) next(p int) int { return (p + 1) & (len(x.slots) - 1) }

// add puts a number in. It must not be in.
func (x *index) add(hash uint64, number uint32) {
	if 4*(x.used+1) > 3*len(x.slots) {
		x.grow()
	}
	x.place(slot{uint32(hash >> 32), number + 1})
	x.used++
}

// grow doubles the index. A slot's home follows from its half of the hash alone,
// so nothing is hashed again.
func (x *index) grow() {
	old := x.slots
	x.slots = make([]slot, max(8, 2*len(old)))
	for _, s := range old {
		if s.number != 0 {
			x.place(s)
		}
	}
}

func (x *index) place(s slot) {
	p := x.home(uint64(s.hash) << 32)
	for x.slots[p].number != 0 {
		p = x.next(p)
	}
	x.slots[p] = s
}

// remove takes a number out and moves up the slots that it kept from their home.
func (x *index) remove(hash uint64, number uint32) {
	p := x.home(hash)
	for x.slots[p].number != number+1 {
		p = x.next(p)
	}
	x.used--
	mask := len(x.slots) - 1
	for q := x.next(p); x.slots[q].number != 0; q = x.next(q) {
		home := x.home(uint64(x.slots[q].hash) << 32)
		if (q-home)&mask >= (q-p)&mask {
			x.slots[p] = x.slots[q]
			p = q
		}
	}
	x.slots[p] = slot{}
}
