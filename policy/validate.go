package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrInvalid is wrapped by every error that says a policy cannot be.
var ErrInvalid = errors.New("policy: invalid")

// A FieldError says what is wrong with one field of a policy. It wraps
// [ErrInvalid].
type FieldError struct {
	// Path is where the field stands, by its JSON name: rules[2].min. It is the
	// line and column of a text that is not JSON, and empty where the whole is
	// wrong.
	Path string

	// Value is the field's value as it was given, or missing.
	Value string

	// Remedy says what to write instead.
	Remedy string
}

// Error names the field, the value and the remedy.
func (e *FieldError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("policy: %s: %s", e.Value, e.Remedy)
	}
	return fmt.Sprintf("policy: %s: %s: %s", e.Path, e.Value, e.Remedy)
}

// Unwrap makes errors.Is(err, [ErrInvalid]) true.
func (e *FieldError) Unwrap() error { return ErrInvalid }

const (
	useID     = "use 0 for none, or more"
	useAction = "name an action, or leave actions out for all"
	useUTF8   = "write it in UTF-8"
)

// Validate reports every field of the policy that cannot be, or nil. The error
// is a join of [*FieldError] values, in the order of the policy's fields.
func (p Policy) Validate() error {
	var found problems
	p.checkHead("", &found)
	checkRuleCount(len(p.Rules), &found)
	names := make(map[string]int, len(p.Rules))
	for i, r := range p.Rules {
		r.check(i, names, &found)
	}
	return found.err()
}

// checkHead reports what is wrong above the rules, by paths that begin with path.
func (p Policy) checkHead(path string, found *problems) {
	if p.ID < 0 {
		found.add(path+"id", p.ID, useID)
	}
	found.addBadText(path+"slug", p.Slug)
	found.addBadText(path+"name", p.Name)
	found.addBadText(path+"description", p.Description)
}

func checkRuleCount(n int, found *problems) {
	if n > MaxRules {
		found.add("rules", n, fmt.Sprintf("use at most %d rules", MaxRules))
	}
}

// check reports what is wrong with rule i. The names of the rules before it, and
// where they stand, are in names.
func (r Rule) check(i int, names map[string]int, found *problems) {
	path := rulePath(i)
	found.addBadText(path+".name", r.Name)
	switch earlier, taken := names[r.Name]; {
	case r.Name == "":
		found.add(path+".name", r.Name, "give the rule a name")
	case r.Name == "request" || r.Name == "capacity" || r.Name == "hold":
		found.add(path+".name", r.Name, "the limiter's own answers have this name; choose another")
	case taken:
		found.add(path+".name", r.Name, fmt.Sprintf("%s has this name; choose another", rulePath(earlier)))
	default:
		names[r.Name] = i
	}
	for j, a := range r.Actions {
		if path := fmt.Sprintf("%s.actions[%d]", path, j); a == "" {
			found.add(path, string(a), useAction)
		} else {
			found.addBadText(path, string(a))
		}
	}
	r.checkScope(path, found)
	if r.Limit == nil {
		found.add(path+".type", raw("none"), useKind())
		return
	}
	if !isKind(r.Limit) {
		found.add(path+".type", raw(fmt.Sprintf("%T", r.Limit)), "use a value of TokenBucket, SlidingWindow or another of this package's kinds")
		return
	}
	r.Limit.check(func(field string, value any, remedy string) {
		found.add(path+"."+field, value, remedy)
	})
}

func (r Rule) checkScope(path string, found *problems) {
	fit := everyScope()
	if isKind(r.Limit) {
		fit = r.Limit.scopes()
	}
	switch {
	case r.Scope == "" || slices.Contains(fit, r.Scope):
	case slices.Contains(everyScope(), r.Scope):
		found.add(path+".scope", string(r.Scope), r.Limit.kind()+" cannot have this scope; "+useScope(fit))
	default:
		found.add(path+".scope", string(r.Scope), useScope(fit))
	}
}

// problems collects every bad field, so that one answer names them all, and each
// once: what is found first stands.
type problems struct {
	errs  []error
	named map[string]bool
}

func (p *problems) add(path string, value any, remedy string) {
	if p.named[path] {
		return
	}
	if p.named == nil {
		p.named = make(map[string]bool)
	}
	p.named[path] = true
	var shown string
	switch v := value.(type) {
	case string:
		shown = fmt.Sprintf("%q", clip(v))
	case time.Duration:
		shown = formatDuration(v)
	default:
		shown = clip(fmt.Sprint(v))
	}
	p.errs = append(p.errs, &FieldError{Path: path, Value: shown, Remedy: remedy})
}

func (p *problems) addBadText(path, s string) {
	if !utf8.ValidString(s) {
		p.add(path, s, useUTF8)
	}
}

func (p *problems) err() error { return errors.Join(p.errs...) }

// clip keeps an error readable whatever text it quotes.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

func checkMax(report func(field string, value any, remedy string), n int64) {
	if n < 0 {
		report("max", n, "use 0 to refuse everything, or more")
	}
}

func checkPeriod(report func(field string, value any, remedy string), field string, d time.Duration) {
	switch {
	case d <= 0:
		report(field, d, "use a positive duration such as 1m")
	case d > MaxDuration:
		report(field, d, "use at most "+formatDuration(MaxDuration))
	}
}

func useKind() string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name())
	}
	return "use " + list(names, "or")
}
