package policy

import (
	"bytes"
	"fmt"
	"io"
)

// maxJSON is the most bytes of JSON that a policy may have.
const maxJSON = 1 << 20

// Read reads one policy as JSON from r, to its end, and checks it as
// [Policy.Validate] does. It takes no more than 1 MiB and skips a byte order
// mark.
//
// Fields are named in lower case: id, name, slug, description and rules, of
// which only rules is required. A rule has name and type, may have actions, scope
// and shadow, and has the fields of its type:
//
//	{"slug":"mine","rules":[
//	  {"name":"pace","actions":["send_message"],"type":"gap","min":"5s","max":"9s"},
//	  {"name":"day","actions":["send_message"],"type":"calendar_window","max":500,"unit":"day","location":"UTC"},
//	  {"name":"hours","type":"active_hours","from":"08:00","to":"20:30","days":["mon","tue"],"location":"Europe/London"}
//	]}
//
// The error is a join of [*FieldError] values, one for every field that is
// missing, unknown, given twice, of another type or out of range. For text that
// is not JSON it names line and column. Other errors are those of r.
func Read(r io.Reader) (Policy, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxJSON+1))
	if err != nil {
		return Policy{}, fmt.Errorf("policy: read: %w", err)
	}
	if len(data) <= maxJSON { // else it is cut off, and too long with or without the mark
		data = bytes.TrimPrefix(data, []byte("\ufeff"))
	}
	return decode(data)
}

// UnmarshalJSON sets p to the policy that data holds, in the form and with the
// errors of [Read]. On error p stays as it was. Unlike in most types null is an
// error: a policy left out by mistake would allow everything.
func (p *Policy) UnmarshalJSON(data []byte) error {
	read, err := decode(data)
	if err != nil {
		return err
	}
	*p = read
	return nil
}

// MarshalJSON writes the policy in the form that [Read] reads; fields that are
// zero and may be left out are left out. What it writes reads back as the same
// policy, so a policy that [Policy.Validate] refuses is an error, and so is a
// Location that [time.LoadLocation] does not give by its name, such as
// [time.Local] or a fixed zone.
func (p Policy) MarshalJSON() ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	var found problems
	o := object{found: &found}
	if p.ID != 0 {
		o.number("id", int64(p.ID))
	}
	if p.Slug != "" {
		o.text("slug", p.Slug)
	}
	if p.Name != "" {
		o.text("name", p.Name)
	}
	if p.Description != "" {
		o.text("description", p.Description)
	}
	o.rules("rules", p.Rules)
	out := o.close()
	if len(out) > maxJSON {
		found.add("", raw(fmt.Sprintf("%d bytes of JSON", len(out))), tooLarge)
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return out, nil
}

func (r Rule) encode(o *object) {
	o.text("name", r.Name)
	if len(r.Actions) > 0 {
		actions := make([]string, len(r.Actions))
		for i, a := range r.Actions {
			actions[i] = string(a)
		}
		o.texts("actions", actions)
	}
	if r.Scope != "" {
		o.text("scope", string(r.Scope))
	}
	if r.Shadow {
		o.flag("shadow", true)
	}
	o.text("type", r.Limit.kind())
	r.Limit.encode(o)
}

func decode(data []byte) (Policy, error) {
	root, err := parse(data)
	if err != nil {
		return Policy{}, err
	}
	var found problems
	if !root.isObject() {
		found.add("", root.show(), `write an object such as {"rules":[]}`)
		return Policy{}, found.err()
	}
	f := &fields{of: root, found: &found}
	p := Policy{
		ID:          f.id("id"),
		Slug:        f.text("slug", optional, "write a text"),
		Name:        f.text("name", optional, "write a text"),
		Description: f.text("description", optional, "write a text"),
	}
	p.checkHead("", &found)
	items := f.list("rules", required, "list the rules, or write [] for a policy that allows everything")
	checkRuleCount(len(items), &found)
	names := make(map[string]int)
	for i, item := range items[:min(len(items), MaxRules)] {
		if r, ok := decodeRule(rulePath(i), item, &found); ok {
			r.check(i, names, &found)
			p.Rules = append(p.Rules, r)
		}
	}
	f.refuseOthers(func(string) string { return "unknown field; known are " + list(f.asked, "and") })
	if err := found.err(); err != nil {
		return Policy{}, err
	}
	return p, nil
}

func decodeRule(path string, n *node, found *problems) (r Rule, ok bool) {
	if !n.isObject() {
		found.add(path, n.show(), "write a rule as an object")
		return r, false
	}
	f := &fields{path: path, of: n, found: found}
	r.Name = f.text("name", required, "give the rule a name")
	r.Actions = f.actions("actions")
	r.Scope = Scope(f.text("scope", optional, useScope(everyScope())))
	r.Shadow = f.flag("shadow")
	k, known := f.kind("type")
	if known {
		r.Limit = k.decode(f)
	}
	f.refuseOthers(func(name string) string {
		switch owners := kindsWith(name); {
		case len(owners) == 0:
			return "unknown field; known are " + list(f.asked, "and")
		case known:
			return fmt.Sprintf("%s has no such field; leave it out, or use %s", k.name(), list(owners, "or"))
		}
		return "" // whether it belongs here depends on the type, which is named already
	})
	return r, true
}

// kindsWith names the kinds that have a field of their own called name.
func kindsWith(name string) []string {
	var names []string
	for _, k := range kinds() {
		probe := &fields{of: &node{}, found: new(problems)}
		k.decode(probe)
		if probe.knows(name) {
			names = append(names, k.name())
		}
	}
	return names
}

func rulePath(i int) string { return fmt.Sprintf("rules[%d]", i) }
