package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/wapace/wapace/internal/mask"
)

// sample is the campaign of a run without -in. Its numbers are from the range
// that Ofcom keeps for drama; nobody has them.
const sample = `to,text
+44 7700 900001,Your parcel is here.
+44 7700 900002,طلبك جاهز.
+44 7700 900003,"Olá, tudo certo?"
+44 7700 900004,您的订单已发货。
+44 7700 900005,आपका बिल तैयार है।
`

// A row is one record of a campaign's file.
type row struct {
	line     int // where the record starts; the file's first line is 1
	to, text string
}

// A rowError says why a row cannot be sent.
type rowError struct {
	line   int
	to     string // masked
	reason string
	remedy string
}

func (e *rowError) Error() string {
	return fmt.Sprintf("line %d: to %q: %s; %s", e.line, e.to, e.reason, e.remedy)
}

// rows reads a campaign: every record after the header, in order, as a row or as
// a [*rowError]. Any other error stands alone: the file is no campaign.
func rows(file []byte) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		if bytes.HasPrefix(file, []byte("\xff\xfe")) || bytes.HasPrefix(file, []byte("\xfe\xff")) {
			yield(row{}, errors.New("the file is UTF-16; save it as CSV in UTF-8"))
			return
		}
		r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff"))))
		r.FieldsPerRecord = -1
		at, err := readHeader(r)
		if err != nil {
			yield(row{}, err)
			return
		}
		for {
			fields, err := r.Read()
			if errors.Is(err, io.EOF) || !yield(at.row(r, fields, err)) {
				return
			}
		}
	}
}

// columns is where the header has what a row needs.
type columns struct {
	to, text int
}

func readHeader(r *csv.Reader) (columns, error) {
	const remedy = "begin the file with the line to,text"
	names, err := r.Read()
	if errors.Is(err, io.EOF) {
		return columns{}, errors.New("the file is empty; " + remedy)
	}
	if err != nil {
		return columns{}, fmt.Errorf("header: %w; %s", err, remedy)
	}
	at := columns{-1, -1}
	for i, name := range names {
		for _, column := range []struct {
			name string
			at   *int
		}{{"to", &at.to}, {"text", &at.text}} {
			if !strings.EqualFold(strings.TrimSpace(name), column.name) {
				continue
			}
			if *column.at >= 0 {
				return at, fmt.Errorf("header: two columns are called %q; rename one", column.name)
			}
			*column.at = i
		}
	}
	if at.to < 0 || at.text < 0 {
		return at, fmt.Errorf("header %q: it needs the columns to and text, with commas between; %s",
			mask.Phone(strings.Join(names, ",")), remedy)
	}
	return at, nil
}

// row makes a row of what a csv.Reader answered.
func (at columns) row(r *csv.Reader, fields []string, err error) (row, error) {
	var found row
	if at.to < len(fields) {
		found.to = fields[at.to]
	}
	if at.text < len(fields) {
		found.text = fields[at.text]
	}
	if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
		return row{}, &rowError{bad.StartLine, mask.Phone(found.to), quoting(bad), `put the text in "" and double each " inside`}
	}
	found.line, _ = r.FieldPos(0)
	problem := func(reason, remedy string) (row, error) {
		return row{}, &rowError{found.line, mask.Phone(found.to), reason, remedy}
	}
	if !utf8.ValidString(found.text) {
		return problem("text is not valid UTF-8", "save the file as UTF-8")
	}
	return found, nil
}

// quoting says what is wrong with a record's quotes.
func quoting(e *csv.ParseError) string {
	what := "a quote stands where none may be"
	if e.Line > e.StartLine {
		return fmt.Sprintf("%s, or one opened here is not closed by line %d", what, e.Line)
	}
	return what
}
