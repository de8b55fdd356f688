package policy

import (
	"fmt"
	"slices"
)

// providers is the table of presets: a new provider is one file and one row here.
func providers() []func() []Offer {
	return []func() []Offer{
		func() []Offer { return Presets().Offers },
		wasenderOffers,
		planOffers,
		metaOffers,
		whatsBizOffers,
		gatewayOffers,
	}
}

// All is every preset of every provider, each with a slug of its own: those of
// [Presets] first. The policies are fresh copies.
func All() []Policy {
	var all []Policy
	for _, o := range everyOffer() {
		all = append(all, o.Policy)
	}
	return all
}

// For is the preset with the given slug or alias, out of [All]. The error wraps
// [ErrUnknownPolicy] and names the slugs to choose from. Who may have which policy
// is not asked: see [Catalog.Choose].
func For(slug string) (Policy, error) {
	offers := everyOffer()
	i := slices.IndexFunc(offers, func(o Offer) bool { return o.called(slug) })
	if i < 0 {
		return Policy{}, fmt.Errorf("%w: slug: %q: use %s", ErrUnknownPolicy, clip(slug), Catalog{Offers: offers}.slugs(true))
	}
	return offers[i].Policy, nil
}

func everyOffer() []Offer {
	var all []Offer
	for _, provider := range providers() {
		all = append(all, provider()...)
	}
	return all
}

func (o Offer) called(slug string) bool {
	return slug != "" && (o.Policy.Slug == slug || slices.Contains(o.Aliases, slug))
}

// offer makes a provider's policies paid ones: the free ones are its own affair.
func offer(policies ...Policy) []Offer {
	var offers []Offer
	for _, p := range policies {
		offers = append(offers, Offer{Policy: p})
	}
	return offers
}
