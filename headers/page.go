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
	fields []field
	room   [512]byte // for the text of most prints
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

// add makes a field of the text from begin on.
func (pg *page) add(key string, begin int) {
	pg.fields = append(pg.fields, field{key, begin, len(pg.text)})
}

func (pg *page) integer(key string, n int64) {
	begin := len(pg.text)
	pg.text = strconv.AppendInt(pg.text, n, 10)
	pg.add(key, begin)
}

// into moves the fields into a header with two allocations, one for all the texts
// and one for the slices that the header wants them in. What stands there already is
// merged.
func (pg *page) into(h http.Header) {
	if len(pg.fields) == 0 {
		return
	}
	text, values := string(pg.text), make([]string, len(pg.fields))
	scarcer := pg.isScarcer(h)
	for i, f := range pg.fields {
		values[i] = text[f.begin:f.end]
		if old := h[f.key]; len(old) > 0 {
			values[i] = pg.merge(f.key, old, values[i], scarcer)
		}
		h[f.key] = values[i : i+1 : i+1]
	}
}
