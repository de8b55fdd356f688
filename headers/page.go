package headers

import (
	"net/http"
	"strconv"
	"time"

	"github.com/wapace/wapace/limiter"
)

// A page is one print in the making: all its fields in one text. Printers keep pages
// for the next print.
type page struct {
	printer *Printer
	now     time.Time
	state   State

	text   []byte
	room   [512]byte
	fields [8]field
	n      int
}

type field struct {
	key        string // in http.Header's spelling
	begin, end int
}

// gates calls yield for each rule whose quota is known, the one that binds first.
func (pg *page) gates(yield func(*limiter.Gate, *row) bool) {
	binding := &pg.state.Decision.Gate
	if r := pg.printer.row(binding); r != nil && !yield(binding, r) {
		return
	}
	for i := range pg.state.Gates {
		g := &pg.state.Gates[i]
		if g.Rule == binding.Rule {
			continue // the decision is the later word
		}
		if r := pg.printer.row(g); r != nil && !yield(g, r) {
			return
		}
	}
}

// begin starts a field.
func (pg *page) begin(key string) { pg.fields[pg.n] = field{key: key, begin: len(pg.text)} }

// end ends it.
func (pg *page) end() {
	pg.fields[pg.n].end = len(pg.text)
	pg.n++
}

func (pg *page) integer(key string, n int64) {
	pg.begin(key)
	pg.text = strconv.AppendInt(pg.text, n, 10)
	pg.end()
}

// into moves the fields into a header with two allocations, one for all the texts
// and one for the slices that the header wants them in. What stands there already is
// merged.
func (pg *page) into(h http.Header) {
	if pg.n == 0 {
		return
	}
	text, values := string(pg.text), make([]string, pg.n)
	scarcer := pg.isScarcer(h)
	for i, f := range pg.fields[:pg.n] {
		values[i] = text[f.begin:f.end]
		if old := h[f.key]; len(old) > 0 {
			values[i] = pg.merge(f.key, old, values[i], scarcer)
		}
		h[f.key] = values[i : i+1 : i+1]
	}
}
