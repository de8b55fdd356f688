package policy

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// A WawpAnswer is Wawp's answer to GET /v2/session/rate-limit: which policy a
// session has, and which it can have.
//
// Its JSON has Wawp's names. What Wawp calls arrays is written as Wawp writes it, as
// an object with the keys "0", "1" and so on; a list is read as well, and null as
// none. Read are all fields but those that Wawp may add to the answer or to a
// policy in it; a field of limits that is not known is an error, as it would be a
// limit that is not kept. The errors are those of [Read].
type WawpAnswer struct {
	// Status is "success".
	Status string

	// CurrentPolicy is the slug of the policy in force.
	CurrentPolicy string

	// HasActivePlan says that the user pays, and may choose every policy.
	HasActivePlan bool

	// FreePolicies are the slugs of the policies that need no paid plan. There may
	// be more of them than Policies.
	FreePolicies []string

	// Policies are the policies to choose from.
	Policies []WawpPolicy
}

// A WawpPolicy is one policy as Wawp lists it.
type WawpPolicy struct {
	ID          int
	Name        string
	Slug        string
	Description string
	Limits      WawpLimits

	// Available says that the user may choose the policy.
	Available bool
}

// Policy is the policy with its limits as rules, as [WawpLimits.Rules] reads them.
func (w WawpPolicy) Policy() (Policy, error) {
	var found problems
	p := w.policy("", &found)
	if err := found.err(); err != nil {
		return Policy{}, err
	}
	return p, nil
}

func (w WawpPolicy) policy(path string, found *problems) Policy {
	p := Policy{ID: w.ID, Name: w.Name, Slug: w.Slug, Description: w.Description}
	p.checkHead(path, found)
	p.Rules = w.Limits.rules(path+"limits.", found)
	return p
}

// Catalog is the answer's policies as a catalog, of which those named by
// FreePolicies are free. The error is a join of [*FieldError] values.
func (a WawpAnswer) Catalog() (Catalog, error) {
	var found problems
	var c Catalog
	for i, w := range a.Policies {
		c.Offers = append(c.Offers, Offer{
			Policy: w.policy(fmt.Sprintf("policies.%d.", i), &found),
			Free:   slices.Contains(a.FreePolicies, w.Slug),
		})
	}
	if err := found.err(); err != nil {
		return Catalog{}, err
	}
	return c, nil
}

// WawpAnswer is the catalog as Wawp's answer to a user who has a paid plan or not,
// and whose session is under the policy with the slug current. Limits are the
// policies' [Policy.WawpLimits].
func (c Catalog) WawpAnswer(current string, paid bool) WawpAnswer {
	a := WawpAnswer{Status: "success", CurrentPolicy: current, HasActivePlan: paid}
	for _, o := range c.Offers {
		limits, _ := o.Policy.WawpLimits()
		a.Policies = append(a.Policies, WawpPolicy{
			ID:          o.Policy.ID,
			Name:        o.Policy.Name,
			Slug:        o.Policy.Slug,
			Description: o.Policy.Description,
			Limits:      limits,
			Available:   paid || o.Free,
		})
		if o.Free {
			a.FreePolicies = append(a.FreePolicies, o.Policy.Slug)
		}
	}
	return a
}

// MarshalJSON writes the answer as Wawp does. Numbers that cannot be are errors,
// as in [WawpAnswer.Catalog].
func (a WawpAnswer) MarshalJSON() ([]byte, error) {
	if _, err := a.Catalog(); err != nil {
		return nil, err
	}
	var o object
	o.text("status", a.Status)
	o.text("current_policy", a.CurrentPolicy)
	o.flag("has_active_plan", a.HasActivePlan)
	o.keyed("free_policies", len(a.FreePolicies), func(i int) []byte { return appendText(nil, a.FreePolicies[i]) })
	o.keyed("policies", len(a.Policies), func(i int) []byte { return a.Policies[i].encode() })
	return o.close(), nil
}

func (w WawpPolicy) encode() []byte {
	var o object
	o.number("id", int64(w.ID))
	o.text("name", w.Name)
	o.text("slug", w.Slug)
	o.text("description", w.Description)
	o.field("limits")
	o.out = append(o.out, w.Limits.encode()...)
	o.flag("available", w.Available)
	return o.close()
}

func (l WawpLimits) encode() []byte {
	var o object
	for _, w := range wawpLimits() {
		if n := *w.at(&l); n != nil {
			o.number(w.field, *n)
		}
	}
	if len(o.out) == 0 {
		return []byte("{}")
	}
	return o.close()
}

// keyed writes n values as the object that a list is at Wawp.
func (o *object) keyed(name string, n int, value func(i int) []byte) {
	o.field(name)
	var items object
	for i := range n {
		items.field(strconv.Itoa(i))
		items.out = append(items.out, value(i)...)
	}
	if n == 0 {
		items.out = append(items.out, '{')
	}
	o.out = append(o.out, items.close()...)
}

// UnmarshalJSON sets a to the answer that data holds. On error a stays as it was.
func (a *WawpAnswer) UnmarshalJSON(data []byte) error {
	root, err := parse(data)
	if err != nil {
		return err
	}
	var found problems
	if !root.isObject() {
		found.add("", root.show(), `write an object such as {"status":"success"}`)
		return found.err()
	}
	f := &fields{of: root, found: &found}
	read := WawpAnswer{
		Status:        f.text("status", optional, "write a text"),
		CurrentPolicy: f.text("current_policy", optional, "write a slug"),
		HasActivePlan: f.flag("has_active_plan"),
	}
	for _, item := range f.keyed("free_policies") {
		slug, isText := item.value.token.(string)
		if !isText {
			f.report(item.name, item.value.show(), "write a slug")
		}
		read.FreePolicies = append(read.FreePolicies, slug)
	}
	for _, item := range f.keyed("policies") {
		if item.value.isObject() {
			read.Policies = append(read.Policies, decodeWawpPolicy(&fields{path: item.name, of: item.value, found: &found}))
		} else {
			f.report(item.name, item.value.show(), "write a policy as an object")
		}
	}
	f.refuseOthers(passOver)
	if err := found.err(); err != nil {
		return err
	}
	*a = read
	return nil
}

// passOver lets fields that are not known be.
func passOver(string) string { return "" }

func decodeWawpPolicy(f *fields) WawpPolicy {
	w := WawpPolicy{
		ID:          f.id("id"),
		Name:        f.text("name", optional, "write a text"),
		Slug:        f.text("slug", required, "write the policy's slug"),
		Description: f.text("description", optional, "write a text"),
		Limits:      decodeWawpLimits(f),
		Available:   f.flag("available"),
	}
	f.refuseOthers(passOver)
	return w
}

func decodeWawpLimits(parent *fields) WawpLimits {
	const remedy = `write the limits as an object such as {"send_message_daily_cap":200}`
	var l WawpLimits
	v := parent.get("limits", required, remedy)
	switch {
	case v == nil:
		return l
	case v.isArray() && len(v.items) == 0: // an object without fields, as PHP may write it
		return l
	case !v.isObject():
		parent.report("limits", v.show(), remedy)
		return l
	}
	path := "limits"
	if parent.path != "" {
		path = parent.path + ".limits"
	}
	f := &fields{path: path, of: v, found: parent.found}
	for _, w := range wawpLimits() {
		if given := f.get(w.field, optional, ""); given != nil && given.token != nil {
			n := f.whole(given, math.MaxInt64, w.field)
			*w.at(&l) = &n
		}
	}
	f.refuseOthers(func(string) string { return "unknown limit; known are " + list(f.asked, "and") })
	l.rules(path+".", f.found)
	return l
}

// keyed reads what Wawp calls an array: an object whose keys are numbers, in their
// order, or a list. The members are named by their paths.
func (f *fields) keyed(name string) []member {
	const remedy = `write an object such as {"0":...,"1":...}, or a list`
	v := f.get(name, optional, remedy)
	if v == nil || v.token == nil {
		return nil
	}
	var items []member
	switch {
	case v.isArray():
		for i, item := range v.items {
			items = append(items, member{fmt.Sprintf("%s.%d", name, i), item})
		}
		return items
	case !v.isObject():
		f.report(name, v.show(), remedy)
		return nil
	}
	byKey := make(map[int64]member, len(v.members))
	var keys []int64
	for _, m := range v.members {
		path := name + "." + pathElement(m.name)
		key, err := strconv.ParseInt(m.name, 10, 64)
		switch _, taken := byKey[key]; {
		case err != nil || key < 0 || strconv.FormatInt(key, 10) != m.name:
			f.report(path, m.value.show(), `use the keys "0", "1" and so on`)
		case taken:
			f.report(path, m.value.show(), "given twice; keep one")
		default:
			byKey[key] = member{path, m.value}
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		items = append(items, byKey[key])
	}
	return items
}
