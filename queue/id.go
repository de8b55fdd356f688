package queue

import (
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/internal/mask"
)

// idText is Crockford's base 32: it sorts as the bytes do and has no letters
// that are taken for digits.
const idText = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// idLength is how many characters an ID has.
const idLength = 26

func idEncoding() *base32.Encoding {
	return base32.NewEncoding(idText).WithPadding(base32.NoPadding)
}

// quoted is what a caller gave where an ID or a word was to be, for an error: an ID as
// it is, anything else with its digits masked.
func quoted(id string) string {
	if len(id) == idLength && strings.Trim(id, idText) == "" {
		return strconv.Quote(id)
	}
	return strconv.Quote(mask.Phone(id))
}

// newID names message n. IDs have 26 characters and sort by the millisecond and
// then by the order in which a queue gave them out: 48 bits of Unix time in
// milliseconds, the low 32 bits of n, and 48 bits that keep the IDs of two queues
// apart.
func (q *Queue) newID(now time.Time, n uint64) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[0:], uint64(now.UnixMilli())<<16|n>>16&0xffff)
	binary.BigEndian.PutUint64(b[8:], n<<48|q.dice.Account("").Uint64(dice.Name("id"), n)>>16)
	return q.ids.EncodeToString(b[:])
}
