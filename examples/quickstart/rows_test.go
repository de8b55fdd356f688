package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// read is every row of a file and every report, in order.
func read(file string) (found []row, reports []string, err error) {
	for r, err := range rows([]byte(file)) {
		bad := (*rowError)(nil)
		switch {
		case errors.As(err, &bad):
			reports = append(reports, bad.Error())
		case err != nil:
			return found, reports, err
		default:
			found = append(found, r)
		}
	}
	return found, reports, nil
}

func TestRows(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		rows       []row
		reports    []string
	}{
		{"header alone", "to,text\n", nil, nil},
		{"LF", "to,text\n1,a\n2,b\n", []row{{2, "1", "a"}, {3, "2", "b"}}, nil},
		{"CRLF", "to,text\r\n1,a\r\n2,b\r\n", []row{{2, "1", "a"}, {3, "2", "b"}}, nil},
		{"no end of line at the end", "to,text\n1,a", []row{{2, "1", "a"}}, nil},
		{"byte order mark", "\ufeffto,text\n1,a\n", []row{{2, "1", "a"}}, nil},
		{"byte order mark before a quote", "\ufeff\"to\",\"text\"\n1,a\n", []row{{2, "1", "a"}}, nil},
		{"quotes, commas and line ends in a text", "to,text\n1,\"a, \"\"b\"\"\r\nc\n\nd\"\n2,e\n",
			[]row{{2, "1", "a, \"b\"\nc\n\nd"}, {6, "2", "e"}}, nil},
		{"empty lines", "\nto,text\n\n1,a\r\n\r\n2,b\n", []row{{4, "1", "a"}, {6, "2", "b"}}, nil},
		{"more columns", "id,text,note,to\n9,a,x,1\n", []row{{2, "1", "a"}}, nil},
		{"header in capitals and spaces", " To , TEXT\n1,a\n", []row{{2, "1", "a"}}, nil},
		{"empty fields at the end", "to,text\n1,a,,\n", []row{{2, "1", "a"}}, nil},
		{"a row that ends early", "to,text\n1\n", []row{{2, "1", ""}}, nil},
		{"same recipient twice", "to,text\n1,a\n1,a\n", []row{{2, "1", "a"}, {3, "1", "a"}}, nil},
		{"spaces stay", "to,text\n 1 , a \n", []row{{2, " 1 ", " a "}}, nil},
		{"fields beyond the header", "to,text\n447700900001,a,x\n2,c\n", []row{{2, "447700900001", "a"}, {3, "2", "c"}}, nil},
		{"a text that is not UTF-8", "to,text\n447700900001,\xe9t\xe9\n2,c\n", []row{{3, "2", "c"}},
			[]string{`line 2: to "4477******01": text is not valid UTF-8; save the file as UTF-8`}},
		{"a quote inside a text", "to,text\n447700900001,a \"b\"\n2,c\n", []row{{3, "2", "c"}},
			[]string{`line 2: to "4477******01": a quote stands where none may be; put the text in "" and double each " inside`}},
		{"text after a quote", "to,text\n\"447700900001\"x,a\n2,c\n", []row{{3, "2", "c"}},
			[]string{`line 2: to "": a quote stands where none may be; put the text in "" and double each " inside`}},
		{"a quote that is never closed", "to,text\n447700900001,\"a\n2,b\n3,c\n", nil,
			[]string{`line 2: to "4477******01": a quote stands where none may be, or one opened here is not closed by line 4; put the text in "" and double each " inside`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, reports, err := read(tt.file)
			require.NoError(t, err)
			require.Equal(t, tt.rows, found)
			require.Equal(t, tt.reports, reports)
		})
	}
}

func TestFilesThatAreNoCampaign(t *testing.T) {
	t.Parallel()
	const remedy = "begin the file with the line to,text"
	tests := []struct{ name, file, want string }{
		{"empty", "", "the file is empty; " + remedy},
		{"a mark alone", "\ufeff", "the file is empty; " + remedy},
		{"empty lines", "\r\n\n", "the file is empty; " + remedy},
		{"no header", "447700900001,Hello\n", `header "4477******01,Hello": it needs the columns to and text, with commas between; ` + remedy},
		{"semicolons", "to;text\n", `header "to;text": it needs the columns to and text, with commas between; ` + remedy},
		{"a column twice", "to,text,To\n", `header: two columns are called "to"; rename one`},
		{"a broken header", "to,\"te\"xt\n", `header: parse error on line 1, column 7: extraneous or missing " in quoted-field; ` + remedy},
		{"UTF-16", "\xff\xfet\x00o\x00", "the file is UTF-16; save it as CSV in UTF-8"},
		{"UTF-16, the other way round", "\xfe\xff\x00t\x00o", "the file is UTF-16; save it as CSV in UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, reports, err := read(tt.file)
			require.EqualError(t, err, tt.want)
			require.Empty(t, found)
			require.Empty(t, reports)
		})
	}
}

func TestRowsStopWhenAsked(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, err := range rows([]byte("to,text\n1,a\n2,b\n3,c\n")) {
		require.NoError(t, err)
		seen++
		if seen == 2 {
			break
		}
	}
	require.Equal(t, 2, seen)
}

// Every record becomes a row or a report, in the order of the file. Without
// quotes a record is a line that is not empty, which needs no CSV reader to count.
func FuzzRows(f *testing.F) {
	for _, file := range []string{
		"to,text\n447700900001,a\n", "\ufeffto,text\r\n1,\"a\nb\"\r\n\r\n2,c", "text,to,x\na\n,,,y\n",
		"to,text\n1,\"open\n2,b", "to,text\n1,\xff\n", "to;text\n", "", "\r", "to,text\n\r", "to,text\r1,a", "\xff\xfe",
	} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		found, reports, err := read(string(file))
		if err != nil {
			require.Empty(t, found)
			require.Empty(t, reports)
			return
		}
		line := 1
		for _, r := range found {
			require.Greater(t, r.line, line, "rows out of order")
			line = r.line
		}
		if bytes.ContainsRune(file, '"') {
			return
		}
		records := -1 // the header
		for l := range strings.Lines(string(bytes.TrimPrefix(file, []byte("\ufeff")))) {
			l = strings.TrimSuffix(l, "\n")
			if strings.TrimSuffix(l, "\r") != "" {
				records++
			}
		}
		require.Len(t, append(reports, make([]string, len(found))...), records)
	})
}
