package limiter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// A snapshot's frame: what it is, the version of its format, whose it is; then
// the body, then a checksum of all before.
const (
	mark    = "wapace"
	version = 1

	ofOneAccount   = 'a'
	ofOnePortfolio = 'p'
	ofAllHolds     = 'h'
)

// ErrSnapshot is wrapped by every error that says a snapshot cannot be read.
var ErrSnapshot = errors.New("limiter: bad snapshot")

func badSnapshot(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSnapshot, fmt.Sprintf(format, args...))
}

// A writer appends to a snapshot.
type writer struct{ b []byte }

func newWriter(kind byte) *writer {
	return &writer{append([]byte(mark), version, kind)}
}

func (w *writer) seal() []byte {
	return binary.LittleEndian.AppendUint32(w.b, crc32.ChecksumIEEE(w.b))
}

func (w *writer) int(n int64)    { w.b = binary.AppendVarint(w.b, n) }
func (w *writer) fixed(n uint64) { w.b = binary.LittleEndian.AppendUint64(w.b, n) }
func (w *writer) count(n int)    { w.b = binary.AppendUvarint(w.b, uint64(n)) }
func (w *writer) text(s string)  { w.count(len(s)); w.b = append(w.b, s...) }
func (w *writer) flag(set bool)  { w.b = append(w.b, map[bool]byte{true: 1}[set]) }

// A reader takes a snapshot apart. After the first thing that is not there it
// reads zeros, and bad says what was wrong.
type reader struct {
	b      []byte
	bad    error
	newest int64 // of the times in logs and sets, after which nothing was taken
}

// newReader checks a snapshot's frame.
func newReader(b []byte) (r *reader, kind byte, err error) {
	const frame = len(mark) + 2
	switch {
	case len(b) < frame || string(b[:len(mark)]) != mark:
		return nil, 0, badSnapshot("it does not begin as one; give what Snapshot returned")
	case b[len(mark)] > version:
		return nil, 0, badSnapshot("its version is %d and this library reads up to %d; update it", b[len(mark)], version)
	case b[len(mark)] == 0:
		return nil, 0, badSnapshot("its version is 0; give what Snapshot returned")
	case len(b) < frame+crc32.Size:
		return nil, 0, badSnapshot("it is cut off after %d bytes", len(b))
	}
	body := b[:len(b)-crc32.Size]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, 0, badSnapshot("its checksum is wrong: it is cut off or damaged")
	}
	return &reader{b: body[frame:], newest: math.MinInt64}, b[len(mark)+1], nil
}

// end reports what was wrong, or that something is left over.
func (r *reader) end() error {
	if r.bad == nil && len(r.b) > 0 {
		r.fail("%d bytes are left over", len(r.b))
	}
	return r.bad
}

func (r *reader) fail(format string, args ...any) {
	if r.bad == nil {
		r.bad = badSnapshot(format, args...)
	}
	r.b = nil
}

func (r *reader) int() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.fail("a number is cut off")
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) uint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail("a number is cut off")
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) fixed() uint64 {
	if len(r.b) < 8 {
		r.fail("a number is cut off")
		return 0
	}
	n := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return n
}

// count is how many items follow, each of at least least bytes, so that a damaged
// count asks for no more memory than the snapshot has.
func (r *reader) count(least int) int {
	n := r.uint()
	if n > uint64(len(r.b)/least) || n > math.MaxInt32 {
		r.fail("it announces %d items and has no room for them", n)
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count(1)
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) flag() bool {
	if len(r.b) == 0 || r.b[0] > 1 {
		r.fail("a flag is missing")
		return false
	}
	set := r.b[0] == 1
	r.b = r.b[1:]
	return set
}
