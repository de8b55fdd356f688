package limiter

import (
	"encoding/binary"
	"math"
)

// A name is a key as a record has it. A short one lies in the record, so that to
// compare it reads no other memory and a collection has nothing to follow; the
// others are kept aside, by number. The zero name is that of a free record.
type name struct {
	size uint8 // isLong for those kept aside
	text [nameRoom]byte
}

const (
	nameRoom = 15 // bytes that fit in a name: more than a phone number has
	isLong   = math.MaxUint8
)

// number is where the text of a long name is kept.
func (n *name) number() uint32 { return binary.LittleEndian.Uint32(n.text[:]) }

// named is the name of a key.
func (t *table) named(key string) (n name) {
	if len(key) <= nameRoom {
		n.size = uint8(len(key))
		copy(n.text[:], key)
		return n
	}
	n.size = isLong
	number := t.long.take(1)
	*t.long.one(number) = key
	binary.LittleEndian.PutUint32(n.text[:], number)
	return n
}

// is reports whether a name is that of a key.
func (t *table) is(n *name, key string) bool {
	if n.size <= nameRoom {
		return string(n.text[:n.size]) == key
	}
	return *t.long.one(n.number()) == key
}

// key is the key of a name.
func (t *table) key(n *name) string {
	if n.size <= nameRoom {
		return string(n.text[:n.size])
	}
	return *t.long.one(n.number())
}

// unname forgets the key of a name.
func (t *table) unname(n *name) {
	if n.size == isLong {
		*t.long.one(n.number()) = ""
		t.long.give(n.number())
	}
	*n = name{}
}
