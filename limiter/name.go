package limiter

import "encoding/binary"

// A name is a key as a record has it. A short one lies in two words: its bytes, from
// the lowest up, and its length in the highest. To compare it reads no other memory and
// calls nothing, and a collection has nothing to follow. Longer ones are kept aside, by
// their number in head, plus 1. The zero name is that of a free record.
type name struct{ head, tail uint64 }

const (
	nameRoom = 15 // bytes that fit in a name: more than a phone number has
	sizeBit  = 56 // where the length begins in tail
	isLong   = 0xff << sizeBit
)

// named is the name of a key, for a long one without the number.
func named(key string) (n name) {
	size := len(key)
	switch {
	case size > nameRoom:
		return name{tail: isLong}
	case size > 8:
		n.head = binary.LittleEndian.Uint64([]byte(key))
		n.tail = binary.LittleEndian.Uint64([]byte(key[size-8:])) >> (8 * (16 - size) & 63) // what head lacks
	default:
		for i := range size {
			n.head |= uint64(key[i]) << (8 * i)
		}
	}
	n.tail |= uint64(size) << sizeBit
	return n
}

// number is where the text of a long name is kept.
func (n name) number() uint32 { return uint32(n.head - 1) }

// keep is the name of a key that a record is to have.
func (t *table) keep(key string) name {
	n := named(key)
	if n.tail == isLong {
		number := t.long.take(1)
		*t.long.one(number) = key
		n.head = uint64(number) + 1
	}
	return n
}

// is reports whether a record's name is that of a key, whose name without a number is n.
func (t *table) is(own, n name, key string) bool {
	return own == n || n.tail == isLong && own.tail == isLong && *t.long.one(own.number()) == key
}

// key is the key of a record's name.
func (t *table) key(n name) string {
	if n.tail == isLong {
		return *t.long.one(n.number())
	}
	var text [16]byte
	binary.LittleEndian.PutUint64(text[:], n.head)
	binary.LittleEndian.PutUint64(text[8:], n.tail)
	return string(text[:n.tail>>sizeBit])
}

// drop forgets a record's name.
func (t *table) drop(n name) {
	if n.tail == isLong {
		*t.long.one(n.number()) = ""
		t.long.give(n.number())
	}
}
