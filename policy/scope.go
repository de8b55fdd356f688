package policy

// A Scope says whose budget a rule is.
type Scope string

// Whose budget a rule can be. A kind of limit that cannot be kept in a scope is
// refused there by [Policy.Validate].
const (
	// ScopeAccount gives each account a budget of its own. It is what the empty
	// Scope means.
	ScopeAccount Scope = "account"

	// ScopeRecipient gives each pair of account and recipient a budget of its
	// own. [UniqueRecipients], [NewContacts] and [ActiveHours] do not have it.
	ScopeRecipient Scope = "recipient"

	// ScopePortfolio gives all accounts of one portfolio a budget that they
	// share. [Gap], [Concurrency] and [ActiveHours] do not have it.
	ScopePortfolio Scope = "portfolio"
)

func everyScope() []Scope { return []Scope{ScopeAccount, ScopeRecipient, ScopePortfolio} }

func useScope(scopes []Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return "use " + list(names, "or")
}
