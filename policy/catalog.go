package policy

import (
	"errors"
	"fmt"
	"slices"
)

var (
	// ErrUnknownPolicy is wrapped by the error for a slug that a catalog does not
	// have.
	ErrUnknownPolicy = errors.New("policy: unknown policy")

	// ErrPaidPlan is wrapped by the error for a policy that needs a paid plan.
	ErrPaidPlan = errors.New("policy: the policy needs a paid plan")
)

// A Catalog is the policies that a user can choose from. The zero Catalog has
// none.
type Catalog struct {
	// Offers are the policies, in the order they are listed in. Where two have
	// the same name the first is chosen.
	Offers []Offer
}

// An Offer is a policy and who may choose it.
type Offer struct {
	// Policy is chosen by its Slug. Without one it can be chosen by an alias only.
	Policy Policy

	// Aliases are more names that the policy is chosen by. They may be empty.
	Aliases []string

	// Free says that the policy needs no paid plan.
	Free bool
}

// called reports whether the policy is chosen by slug.
func (o Offer) called(slug string) bool {
	return slug != "" && (o.Policy.Slug == slug || slices.Contains(o.Aliases, slug))
}

// Presets is the catalog of [Strict], [Standard] and [Unlimited]. As at Wawp the
// first two are free and the last needs a paid plan; standard_policy is also
// called standard, as in Wawp's advice to new users
// (https://api.wawp.net/v2/session/rate-limit).
func Presets() Catalog {
	return Catalog{Offers: []Offer{
		{Policy: Strict(), Free: true},
		{Policy: Standard(), Aliases: []string{"standard"}, Free: true},
		{Policy: Unlimited()},
	}}
}

// Choose is the policy with the given slug or alias, for a user who has a paid
// plan or not. The error wraps [ErrUnknownPolicy] or [ErrPaidPlan] and names the
// slugs to choose from.
func (c Catalog) Choose(slug string, paid bool) (Policy, error) {
	i := slices.IndexFunc(c.Offers, func(o Offer) bool { return o.called(slug) })
	switch {
	case i < 0:
		return Policy{}, fmt.Errorf("%w: slug: %q: choose %s", ErrUnknownPolicy, clip(slug), c.slugs(true))
	case !paid && !c.Offers[i].Free:
		return Policy{}, fmt.Errorf("%w: slug: %q: choose %s, or upgrade", ErrPaidPlan, clip(slug), c.slugs(false))
	}
	return c.Offers[i].Policy, nil
}

// slugs lists what can be chosen, for people.
func (c Catalog) slugs(paid bool) string {
	var slugs []string
	for _, o := range c.Offers {
		if paid || o.Free {
			slugs = append(slugs, o.Policy.Slug)
		}
	}
	if len(slugs) == 0 {
		return "from a catalog that has some"
	}
	return list(slugs, "or")
}
