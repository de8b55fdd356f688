package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

type need bool

const (
	required need = true
	optional need = false
)

// fields reads the fields of one JSON object at path. What is wrong with one goes to
// found and reads as zero, so that one pass finds everything.
type fields struct {
	path  string
	of    *node
	found *problems
	asked []string // the names asked for: the fields that the object may have
}

func (f *fields) knows(name string) bool { return slices.Contains(f.asked, name) }

func (f *fields) report(name string, value any, remedy string) {
	if f.path != "" {
		name = f.path + "." + name
	}
	f.found.add(name, value, remedy)
}

// get is the field's first value, or nil where it has none.
func (f *fields) get(name string, n need, remedy string) *node {
	f.asked = append(f.asked, name)
	for _, m := range f.of.members {
		if m.name == name {
			return m.value
		}
	}
	if n == required {
		f.report(name, raw("missing"), remedy)
	}
	return nil
}

const useWhole = "write a whole number"

func (f *fields) number(name string, n need) int64 { return f.upTo(math.MaxInt64, name, n) }

func (f *fields) upTo(most int64, name string, n need) int64 {
	v := f.get(name, n, useWhole)
	if v == nil {
		return 0
	}
	return f.whole(v, most, name)
}

// whole is the number that v, the field's value, is.
func (f *fields) whole(v *node, most int64, name string) int64 {
	literal, isNumber := v.token.(json.Number)
	if !isNumber {
		f.report(name, v.show(), useWhole)
		return 0
	}
	i, err := strconv.ParseInt(literal.String(), 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) && i < 0:
		f.report(name, v.show(), "use 0 or more")
		return 0
	case errors.Is(err, strconv.ErrRange) || i > most:
		f.report(name, v.show(), fmt.Sprintf("use at most %d", most))
		return 0
	case err != nil:
		f.report(name, v.show(), useWhole)
		return 0
	}
	return i
}

func (f *fields) id(name string) int {
	n := f.upTo(math.MaxInt, name, optional)
	if n < 0 {
		f.report(name, n, useID)
		return 0
	}
	return int(n)
}

func (f *fields) text(name string, n need, remedy string) string {
	v := f.get(name, n, remedy)
	if v == nil {
		return ""
	}
	s, isText := v.token.(string)
	if !isText {
		f.report(name, v.show(), remedy)
	}
	return s
}

func (f *fields) duration(name string) time.Duration {
	const remedy = "write a duration such as 5s, 1m30s or 24h"
	v := f.get(name, required, remedy)
	if v == nil {
		return 0
	}
	s, isText := v.token.(string)
	d, err := time.ParseDuration(s)
	switch {
	case !isText || err != nil && !overflows(s):
		f.report(name, v.show(), remedy)
		return 0
	case err != nil:
		f.report(name, v.show(), "use at most "+formatDuration(MaxDuration))
		return 0
	}
	return d
}

func (f *fields) flag(name string) bool {
	v := f.get(name, optional, "")
	if v == nil {
		return false
	}
	b, isBool := v.token.(bool)
	if !isBool {
		f.report(name, v.show(), "write true or false")
	}
	return b
}

func (f *fields) timeOfDay(name string) time.Duration {
	const remedy = "write a time of day such as 08:00 or 20:30:15"
	v := f.get(name, required, remedy)
	if v == nil {
		return 0
	}
	s, _ := v.token.(string)
	d, ok := parseTimeOfDay(s)
	if !ok {
		f.report(name, v.show(), remedy)
	}
	return d
}

// weekdays reads an optional list of days. An empty list is refused: it would
// mean every day, and look like none.
func (f *fields) weekdays(name string) Weekdays {
	const remedy = `list days, such as ["mon","tue"], or leave days out for every day`
	v := f.get(name, optional, remedy)
	switch {
	case v == nil:
		return Weekdays{}
	case !v.isArray():
		f.report(name, v.show(), remedy)
	case len(v.items) == 0:
		f.report(name, raw("an empty list"), remedy)
	}
	var days []time.Weekday
	for i, item := range v.items {
		s, _ := item.token.(string)
		d, ok := parseWeekday(s)
		switch {
		case !ok:
			f.report(fmt.Sprintf("%s[%d]", name, i), item.show(), "use "+list(weekdayNames(), "or"))
		case slices.Contains(days, d):
			f.report(fmt.Sprintf("%s[%d]", name, i), item.show(), "given twice; keep one")
		default:
			days = append(days, d)
		}
	}
	return Days(days...)
}

// location reads an optional time zone. Local is refused: it would mean another
// zone on another machine.
func (f *fields) location(name string) *time.Location {
	v := f.get(name, optional, "")
	if v == nil {
		return nil
	}
	s, isText := v.token.(string)
	if isText && s != "" && s != "Local" {
		if l, err := time.LoadLocation(s); err == nil {
			return l
		}
	}
	f.report(name, v.show(), "use UTC or a time zone such as Europe/London that this system knows, or import time/tzdata")
	return nil
}

func (f *fields) list(name string, n need, remedy string) []*node {
	v := f.get(name, n, remedy)
	if v == nil {
		return nil
	}
	if !v.isArray() {
		f.report(name, v.show(), remedy)
	}
	return v.items
}

func (f *fields) actions(name string) []Action {
	var actions []Action
	for i, item := range f.list(name, optional, `list actions, such as ["send_message"]`) {
		s, isText := item.token.(string)
		if !isText {
			f.report(fmt.Sprintf("%s[%d]", name, i), item.show(), useAction)
		}
		actions = append(actions, Action(s))
	}
	return actions
}

func (f *fields) kind(name string) (k kind, known bool) {
	v := f.get(name, required, useKind())
	if v == nil {
		return k, false
	}
	for _, k := range kinds() {
		if v.token == k.name() {
			return k, true
		}
	}
	f.report(name, v.show(), useKind())
	return k, false
}

// refuseOthers reports the fields that were not asked for, with the remedy that
// a field's name gets, and those given twice. No remedy means no report.
func (f *fields) refuseOthers(remedy func(name string) string) {
	given := make(map[string]bool, len(f.of.members))
	for _, m := range f.of.members {
		switch {
		case given[m.name]:
			f.report(pathElement(m.name), m.value.show(), "given twice; keep one")
		case !f.knows(m.name):
			if r := remedy(m.name); r != "" {
				f.report(pathElement(m.name), m.value.show(), r)
			}
		}
		given[m.name] = true
	}
}

// pathElement is a name as it stands in a path: quoted where it could be taken
// for more than one element.
func pathElement(name string) string {
	simple := name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
	if simple && len(name) <= 64 {
		return name
	}
	return strconv.Quote(clip(name))
}

// list joins names as people do: a, b and c.
func list(names []string, word string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " " + word + " " + names[last]
}
