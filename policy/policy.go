package policy

// A Policy says what one account may do: a named set of rules, all of which
// must hold. The zero Policy has no rules and allows everything.
//
// A Policy is plain data. Copies share Rules; treat a Policy as read-only once
// it has been handed to a limiter.
type Policy struct {
	// ID is the provider's number for the policy. Zero means none; a negative ID
	// is an error.
	ID int

	// Name is the policy's title for people. It may be empty.
	Name string

	// Slug is the policy's short name in files, flags and URLs. It may be empty
	// for a policy that is never looked up.
	Slug string

	// Description says in a sentence what the policy is for. It may be empty.
	Description string

	// Rules are the policy's rules, at most [MaxRules] of them. Their order
	// never changes an answer; it breaks ties when several rules could be named.
	Rules []Rule
}

// MaxRules is the largest number of rules that a policy may have.
const MaxRules = 64

// A Rule is one budget: a limit on some actions in a scope. Everything that it
// names draws on the same budget.
type Rule struct {
	// Name identifies the rule in decisions, errors and stored state. It must be
	// unique in its policy, and is not empty, "request", "capacity" or "hold".
	Name string

	// Actions are the actions that the rule covers. Empty means all. An action
	// that ends in * is a pattern and covers every action that starts with the
	// text before it.
	Actions []Action

	// Scope says whose budget the rule is. The zero Scope is [ScopeAccount].
	Scope Scope

	// Limit is the bound and its numbers. It must not be nil.
	Limit Limit

	// Shadow makes the rule count and report but never refuse, so that a bound
	// can be tried out before it holds.
	Shadow bool
}

// Covers reports whether the rule covers action a.
func (r Rule) Covers(a Action) bool {
	if len(r.Actions) == 0 {
		return true
	}
	for _, pattern := range r.Actions {
		if pattern.Matches(a) {
			return true
		}
	}
	return false
}
