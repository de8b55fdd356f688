package policy

import "fmt"

// providers is the table of the providers' own policies: a new provider is one file
// and one row here.
func providers() []func() []Policy {
	return []func() []Policy{wasenderPolicies, planPolicies, metaPolicies, whatsBizPolicies, gatewayPolicies}
}

// All is every preset: those of [Presets], and then each provider's own. Each has a
// slug of its own. The policies are fresh copies.
func All() []Policy {
	var all []Policy
	for _, o := range Presets().Offers {
		all = append(all, o.Policy)
	}
	for _, policies := range providers() {
		all = append(all, policies()...)
	}
	return all
}

// For is the preset out of [All] with the given slug, or with an alias that
// [Presets] gives it. The error wraps [ErrUnknownPolicy] and names the slugs to
// choose from. Who may have which policy is not asked: see [Catalog.Choose].
func For(slug string) (Policy, error) {
	for _, o := range Presets().Offers {
		if o.called(slug) {
			return o.Policy, nil
		}
	}
	var slugs []string
	for _, p := range All() {
		if p.Slug == slug {
			return p, nil
		}
		slugs = append(slugs, p.Slug)
	}
	return Policy{}, fmt.Errorf("%w: slug: %q: use %s", ErrUnknownPolicy, clip(slug), list(slugs, "or"))
}
