package policy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	presets := policy.Presets()
	tests := []struct {
		slug string
		paid bool
		want string // the chosen slug
		err  error
		text string
	}{
		{slug: "strict", want: "strict"},
		{slug: "standard_policy", want: "standard_policy"},
		{slug: "standard", want: "standard_policy"},
		{slug: "unlimited", paid: true, want: "unlimited"},
		{slug: "strict", paid: true, want: "strict"},
		{slug: "unlimited", err: policy.ErrPaidPlan,
			text: `policy: the policy needs a paid plan: slug: "unlimited": choose strict or standard_policy, or upgrade`},
		{slug: "Strict", err: policy.ErrUnknownPolicy,
			text: `policy: unknown policy: slug: "Strict": choose strict, standard_policy or unlimited`},
		{slug: "", paid: true, err: policy.ErrUnknownPolicy,
			text: `policy: unknown policy: slug: "": choose strict, standard_policy or unlimited`},
		{slug: strings.Repeat("x", 1<<20), err: policy.ErrUnknownPolicy,
			text: `policy: unknown policy: slug: "` + strings.Repeat("x", 64) + `...": choose strict, standard_policy or unlimited`},
	}
	for _, tt := range tests {
		p, err := presets.Choose(tt.slug, tt.paid)
		if tt.err != nil {
			require.ErrorIs(t, err, tt.err)
			require.EqualError(t, err, tt.text)
			require.Zero(t, p)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, tt.want, p.Slug)
	}
}

func TestChooseFromOwnCatalog(t *testing.T) {
	t.Parallel()
	_, err := policy.Catalog{}.Choose("strict", true)
	require.ErrorIs(t, err, policy.ErrUnknownPolicy)

	own := policy.Catalog{Offers: []policy.Offer{
		{Policy: policy.Policy{Name: "nameless"}, Free: true},
		{Policy: policy.Policy{Slug: "mine", Name: "first"}, Free: true},
		{Policy: policy.Policy{Slug: "mine", Name: "second"}, Aliases: []string{"other"}},
	}}
	p, err := own.Choose("mine", false)
	require.NoError(t, err)
	require.Equal(t, "first", p.Name, "of two with one slug the first is chosen")
	_, err = own.Choose("other", false)
	require.ErrorIs(t, err, policy.ErrPaidPlan)
	_, err = own.Choose("", true)
	require.ErrorIs(t, err, policy.ErrUnknownPolicy, "an empty slug chooses nothing")
}
