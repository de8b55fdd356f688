package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/policy"
)

var noon = time.Date(2026, time.May, 8, 12, 0, 0, 0, time.UTC)

func TestLadders(t *testing.T) {
	t.Parallel()
	sizes := func(l policy.Ladder) (sizes []int64) {
		require.NoError(t, l.Validate())
		for _, tier := range l.Tiers {
			sizes = append(sizes, tier.Max)
			named, err := l.Tier(tier.Name)
			require.NoError(t, err)
			require.Equal(t, tier, named)
		}
		return sizes
	}
	require.Equal(t, []int64{250, 2_000, 10_000, 100_000, policy.NoMax}, sizes(policy.MetaLadder()))
	require.Equal(t, []int64{250, 1_000, 10_000, 100_000, policy.NoMax}, sizes(policy.LegacyLadder()))

	_, err := policy.MetaLadder().Tier("TIER_1K")
	require.ErrorIs(t, err, policy.ErrInvalid)
	require.EqualError(t, err, `policy: tier: "TIER_1K": use TIER_250, TIER_2K, TIER_10K, TIER_100K or TIER_UNLIMITED`)
}

func TestLadderValidate(t *testing.T) {
	t.Parallel()
	down := policy.MetaLadder()
	down.Tiers = []policy.Tier{{Name: "a", Max: 2_000}, {Name: "b", Max: 1_000}, {Name: "c", Max: 1_000}, {Name: "d", Max: policy.NoMax}, {Name: "e", Max: policy.NoMax}}
	require.Equal(t, []string{
		`policy: tiers[1].max: 1000: "b" does not go up: use more than the 2000 of tiers[0]`,
		`policy: tiers[2].max: 1000: "c" does not go up: use more than the 1000 of tiers[1]`,
		`policy: tiers[4].max: 9223372036854775807: "e" does not go up: use more than the 9223372036854775807 of tiers[3]`,
	}, messages(down.Validate()))

	require.Equal(t, []string{
		"policy: tiers: none: list at least one tier",
		"policy: window: 0s: use a positive duration such as 1m",
		"policy: use_window: 0s: use a positive duration such as 1m",
	}, messages(policy.Ladder{}.Validate()))

	require.Equal(t, []string{
		`policy: name: "\xff": write it in UTF-8`,
		`policy: tiers[0].name: "": give the tier a name`,
		"policy: tiers[0].max: -1: use 0 to refuse everyone, or more",
		`policy: tiers[2].name: "a": tiers[1] has this name; choose another`,
		`policy: scope: "recipient": use account or portfolio`,
		"policy: window: -1ns: use a positive duration such as 1m",
		"policy: use_percent: 101: use 0 to 100",
		"policy: use_window: 876600h0m0.000000001s: use at most 876600h",
		`policy: min_quality: "green": use GREEN, YELLOW or RED, or leave it empty`,
		"policy: volume: -1: use 0 for none, or more",
		"policy: delay: -1ns: use 0s to 876600h",
	}, messages(policy.Ladder{
		Name: "\xff", Tiers: []policy.Tier{{Max: -1}, {Name: "a", Max: 0}, {Name: "a", Max: 1}}, Scope: policy.ScopeRecipient,
		Window: -1, UsePercent: 101, UseWindow: policy.MaxDuration + 1, MinQuality: "green", Volume: -1, Delay: -1,
	}.Validate()))

	volume := policy.MetaLadder()
	volume.VolumeWindow = 0
	require.Equal(t, []string{"policy: volume_window: 0s: use a positive duration such as 1m"}, messages(volume.Validate()))
}

func TestNextAtMeta(t *testing.T) {
	t.Parallel()
	const h, day = time.Hour, 24 * time.Hour
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	tests := []struct {
		name    string
		account policy.Account
		tier    string
		reason  policy.Reason
		says    string
	}{
		{"a new portfolio", policy.Account{Tier: "TIER_250", Quality: policy.Green, UsedUnique: 200}, "TIER_250", policy.Stays, "need a verified business to reach 2,000"},
		{"verified in the future", policy.Account{Tier: "TIER_250", VerifiedAt: noon.Add(1)}, "TIER_250", policy.Stays, "need a verified business to reach 2,000"},
		{"verified just now", policy.Account{Tier: "TIER_250", VerifiedAt: noon}, "TIER_250", policy.Waits, "need to wait up to 6h to reach 2,000"},
		{"verified 6 h less a moment ago", policy.Account{Tier: "TIER_250", VerifiedAt: ago(6*h - 1)}, "TIER_250", policy.Waits, "need to wait up to 1ns to reach 2,000"},
		{"verified 6 h ago", policy.Account{Tier: "TIER_250", VerifiedAt: ago(6 * h), Quality: policy.Green}, "TIER_2K", policy.Climbs, "need 1,000 more unique recipients in 7 days to reach 10,000"},
		{"by volume", policy.Account{Tier: "TIER_250", Quality: policy.Green, Volume: 2_000, EarnedAt: ago(6 * h)}, "TIER_2K", policy.Climbs, "need 1,000 more unique recipients in 7 days to reach 10,000"},
		{"by volume less one", policy.Account{Tier: "TIER_250", Quality: policy.Green, Volume: 1_999}, "TIER_250", policy.Stays, "need a verified business to reach 2,000"},
		{"by volume of medium quality", policy.Account{Tier: "TIER_250", Quality: policy.Yellow, Volume: 2_000}, "TIER_250", policy.Stays, "need a verified business to reach 2,000"},

		{"360 of 1,000", policy.Account{Tier: "TIER_2K", Quality: policy.Green, UsedUnique: 360, UsedSince: ago(5 * day)}, "TIER_2K", policy.Stays, "need 640 more unique recipients in 2 days to reach 10,000"},
		{"half less one", policy.Account{Tier: "TIER_2K", Quality: policy.Green, UsedUnique: 999, UsedSince: ago(6*day + 12*h)}, "TIER_2K", policy.Stays, "need 1 more unique recipients in 12h to reach 10,000"},
		{"half", policy.Account{Tier: "TIER_2K", Quality: policy.Green, UsedUnique: 1_000, UsedSince: ago(6 * day)}, "TIER_2K", policy.Waits, "need to wait up to 6h to reach 10,000"},
		{"half, 6 h later", policy.Account{Tier: "TIER_2K", Quality: policy.Green, UsedUnique: 1_000, EarnedAt: ago(6 * h)}, "TIER_10K", policy.Climbs, "need 4,000 more unique recipients in 7 days to reach 100,000"},
		{"half, of medium quality", policy.Account{Tier: "TIER_2K", Quality: policy.Yellow, UsedUnique: 1_000, EarnedAt: ago(day)}, "TIER_2K", policy.Stays, "need quality GREEN or better to reach 10,000"},
		{"half, too long ago", policy.Account{Tier: "TIER_2K", Quality: policy.Green, UsedUnique: 1_000, UsedSince: ago(7 * day)}, "TIER_2K", policy.Stays, "need 1,000 more unique recipients in 7 days to reach 10,000"},
		{"not rated", policy.Account{Tier: "TIER_100K", UsedUnique: 1, UsedSince: ago(day)}, "TIER_100K", policy.Stays, "need quality GREEN or better and 49,999 more unique recipients in 6 days to have no limit"},
		{"low quality takes nothing", policy.Account{Tier: "TIER_10K", Quality: policy.Red, QualitySince: noon}, "TIER_10K", policy.Stays, "need quality GREEN or better and 5,000 more unique recipients in 7 days to reach 100,000"},
		{"to the top", policy.Account{Tier: "TIER_100K", Quality: policy.Green, UsedUnique: math.MaxInt64, EarnedAt: ago(6 * h)}, "TIER_UNLIMITED", policy.Climbs, "nothing more to reach"},
		{"at the top", policy.Account{Tier: "TIER_UNLIMITED", Quality: policy.Red}, "TIER_UNLIMITED", policy.AtTheTop, "nothing more to reach"},
	}
	for _, tt := range tests {
		move, err := policy.MetaLadder().Next(tt.account, noon)
		require.NoError(t, err, tt.name)
		require.Equal(t, tt.tier, move.Tier.Name, tt.name)
		require.Equal(t, tt.reason, move.Reason, tt.name)
		require.Equal(t, tt.says, move.Missing.String(), tt.name)
	}
}

func TestNextOnTheLegacyLadder(t *testing.T) {
	t.Parallel()
	const h, day = time.Hour, 24 * time.Hour
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	long := ago(1000 * h)
	tests := []struct {
		name    string
		account policy.Account
		tier    string
		reason  policy.Reason
		says    string
	}{
		{"volume does not verify", policy.Account{Tier: "Unverified", Quality: policy.Green, Volume: 1e6}, "Unverified", policy.Stays, "need a verified business to reach 1,000"},
		{"verified", policy.Account{Tier: "Unverified", VerifiedAt: ago(24 * h), Quality: policy.Yellow}, "Tier 1", policy.Climbs, "need 500 more unique recipients in 7 days to reach 10,000"},
		{"half at medium quality", policy.Account{Tier: "Tier 1", VerifiedAt: long, Quality: policy.Yellow, UsedUnique: 500, EarnedAt: ago(24 * h)}, "Tier 2", policy.Climbs, "need 4,500 more unique recipients in 7 days to reach 100,000"},
		{"half, never verified", policy.Account{Tier: "Tier 1", Quality: policy.Yellow, UsedUnique: 500, EarnedAt: ago(24 * h)}, "Tier 1", policy.Stays, "need a verified business to reach 10,000"},
		{"half at low quality", policy.Account{Tier: "Tier 1", TierSince: ago(day), VerifiedAt: long, Quality: policy.Red, QualitySince: ago(2 * day), UsedUnique: 500}, "Tier 1", policy.Stays, "need quality YELLOW or better to reach 10,000"},
		{"low quality", policy.Account{Tier: "Tier 2", TierSince: ago(day), VerifiedAt: long, Quality: policy.Red, QualitySince: ago(h), UsedUnique: 9_000}, "Tier 1", policy.Falls, "need quality YELLOW or better to reach 10,000"},
		{"low quality at the top", policy.Account{Tier: "Unlimited", VerifiedAt: long, Quality: policy.Red}, "Tier 3", policy.Falls, "need quality YELLOW or better and 50,000 more unique recipients in 7 days to have no limit"},
		{"low quality that has had its effect", policy.Account{Tier: "Tier 1", TierSince: noon, VerifiedAt: long, Quality: policy.Red, QualitySince: ago(h)}, "Tier 1", policy.Stays, "need quality YELLOW or better and 500 more unique recipients in 7 days to reach 10,000"},
		{"low quality at the bottom", policy.Account{Tier: "Unverified", Quality: policy.Red}, "Unverified", policy.Stays, "need a verified business to reach 1,000"},
	}
	for _, tt := range tests {
		move, err := policy.LegacyLadder().Next(tt.account, noon)
		require.NoError(t, err, tt.name)
		require.Equal(t, tt.tier, move.Tier.Name, tt.name)
		require.Equal(t, tt.reason, move.Reason, tt.name)
		require.Equal(t, tt.says, move.Missing.String(), tt.name)
	}
}

func TestNextRefusesBadInput(t *testing.T) {
	t.Parallel()
	_, err := policy.Ladder{}.Next(policy.Account{}, noon)
	require.ErrorIs(t, err, policy.ErrInvalid)
	_, err = policy.MetaLadder().Next(policy.Account{}, noon)
	require.EqualError(t, err, `policy: tier: "": use TIER_250, TIER_2K, TIER_10K, TIER_100K or TIER_UNLIMITED`)
	_, err = policy.MetaLadder().Next(policy.Account{Tier: "TIER_250", Quality: "HIGH", UsedUnique: -1, Volume: -2}, noon)
	require.Equal(t, []string{
		`policy: quality: "HIGH": use GREEN, YELLOW or RED, or leave it empty`,
		"policy: used_unique: -1: use 0 or more",
		"policy: volume: -2: use 0 or more",
	}, messages(err))
}

// Whatever the account, it moves by one tier at most, and not before it lacks
// nothing; and what it is said to lack takes it on.
func TestNextKeepsItsWord(t *testing.T) {
	t.Parallel()
	quality := rapid.SampledFrom([]policy.Quality{"", policy.Green, policy.Yellow, policy.Red})
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return noon.Add(time.Duration(rapid.Int64Range(-9*24, 24).Draw(t, "hours")) * time.Hour)
	})
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SampledFrom([]policy.Ladder{policy.MetaLadder(), policy.LegacyLadder()}).Draw(t, "ladder")
		at := rapid.IntRange(0, len(l.Tiers)-1).Draw(t, "tier")
		a := policy.Account{
			Tier:         l.Tiers[at].Name,
			TierSince:    instant.Draw(t, "tier since"),
			Quality:      quality.Draw(t, "quality"),
			QualitySince: instant.Draw(t, "quality since"),
			VerifiedAt:   instant.Draw(t, "verified"),
			UsedUnique:   rapid.Int64Range(0, 60_000).Draw(t, "used"),
			UsedSince:    instant.Draw(t, "used since"),
			Volume:       rapid.Int64Range(0, 3_000).Draw(t, "volume"),
			EarnedAt:     instant.Draw(t, "earned"),
		}
		move, err := l.Next(a, noon)
		require.NoError(t, err)
		again, err := l.Next(a, noon)
		require.NoError(t, err)
		require.Equal(t, move, again)
		m := move.Missing
		switch move.Reason {
		case policy.Falls:
			require.Equal(t, l.Tiers[at-1], move.Tier)
			require.True(t, l.DowngradeOnRed)
		case policy.Climbs:
			require.Equal(t, l.Tiers[at+1], move.Tier)
		case policy.AtTheTop:
			require.Equal(t, len(l.Tiers)-1, at)
			require.Zero(t, m)
		case policy.Waits:
			require.Equal(t, l.Tiers[at], move.Tier)
			require.Positive(t, m.Delay)
			require.Zero(t, m.Recipients)
			a.EarnedAt = noon.Add(m.Delay - l.Delay)
			climbed, err := l.Next(a, noon.Add(m.Delay))
			require.NoError(t, err)
			if a.UsedSince.IsZero() || a.UsedSince.Add(l.UseWindow).After(noon.Add(m.Delay)) || at == 0 {
				require.Equal(t, policy.Climbs, climbed.Reason)
			}
		case policy.Stays:
			require.Equal(t, l.Tiers[at], move.Tier)
			if m.Verification {
				a.VerifiedAt = noon
			}
			if m.Quality != "" {
				a.Quality = m.Quality
			}
			if m.Within == l.UseWindow {
				a.UsedSince = noon
			}
			if m.Recipients > 0 {
				a.UsedUnique = l.Tiers[at].Max / 2
				require.LessOrEqual(t, m.Recipients, a.UsedUnique)
			}
			a.EarnedAt = noon.Add(-l.Delay)
			climbed, err := l.Next(a, noon)
			require.NoError(t, err)
			require.Equal(t, policy.Climbs, climbed.Reason)
		}
	})
}
