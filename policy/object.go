package policy

import (
	"encoding/json"
	"strconv"
	"time"
)

// An object writes one JSON object, its fields in the order they are given.
type object struct {
	path  string // what problems are named by
	found *problems
	out   []byte
}

func (o *object) field(name string) {
	if len(o.out) == 0 {
		o.out = append(o.out, '{')
	} else {
		o.out = append(o.out, ',')
	}
	o.out = append(appendText(o.out, name), ':')
}

func (o *object) number(name string, n int64) {
	o.field(name)
	o.out = strconv.AppendInt(o.out, n, 10)
}

func (o *object) text(name, s string) {
	o.field(name)
	o.out = appendText(o.out, s)
}

func (o *object) flag(name string, b bool) {
	o.field(name)
	o.out = strconv.AppendBool(o.out, b)
}

func (o *object) duration(name string, d time.Duration) { o.text(name, formatDuration(d)) }

func (o *object) location(name string, l *time.Location) {
	if !loadsByName(l) {
		o.found.add(o.path+"."+name, l.String(), "a zone that is not loaded by its name cannot be written; use time.LoadLocation")
	}
	o.text(name, l.String())
}

func (o *object) texts(name string, texts []string) {
	o.field(name)
	o.out = append(o.out, '[')
	for i, s := range texts {
		if i > 0 {
			o.out = append(o.out, ',')
		}
		o.out = appendText(o.out, s)
	}
	o.out = append(o.out, ']')
}

func (o *object) rules(name string, rules []Rule) {
	o.field(name)
	o.out = append(o.out, '[')
	for i, r := range rules {
		if i > 0 {
			o.out = append(o.out, ',')
		}
		item := object{path: rulePath(i), found: o.found}
		r.encode(&item)
		o.out = append(o.out, item.close()...)
	}
	o.out = append(o.out, ']')
}

// close is the object as written; it has at least one field.
func (o *object) close() []byte { return append(o.out, '}') }

func appendText(out []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string always has a JSON form
	return append(out, quoted...)
}

// loadsByName reports whether loading l's name gives l again. A fixed zone may
// have the name of another, so what they say in January and July is compared.
func loadsByName(l *time.Location) bool {
	if l == time.UTC {
		return true
	}
	if l == time.Local {
		return false
	}
	loaded, err := time.LoadLocation(l.String())
	if err != nil {
		return false
	}
	for year := 1970; year < 2038; year++ {
		for _, month := range [...]time.Month{time.January, time.July} {
			at := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
			name, offset := at.In(l).Zone()
			if n, o := at.In(loaded).Zone(); n != name || o != offset {
				return false
			}
		}
	}
	return true
}
