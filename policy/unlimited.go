package policy

// Unlimited has no rules: everything is allowed at once. It is for numbers that
// something else paces.
//
// Wawp offers paid plans "unlimited options" without figures
// (https://api.wawp.net/v2/session/rate-limit).
func Unlimited() Policy {
	return Policy{
		Slug:        "unlimited",
		Name:        "Unlimited",
		Description: "No limits at all, for numbers that something else paces.",
	}
}
