package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

func send(name string, l policy.Limit) policy.Rule {
	return policy.Rule{Name: name, Actions: []policy.Action{policy.SendMessage}, Limit: l}
}

func on(r policy.Rule, actions ...policy.Action) policy.Rule { r.Actions = actions; return r }

func in(r policy.Rule, s policy.Scope) policy.Rule { r.Scope = s; return r }

func shadow(r policy.Rule) policy.Rule { r.Shadow = true; return r }

// checked keeps number checks from being warned of.
func checked(rules ...policy.Rule) policy.Policy {
	return policy.Policy{Rules: append(rules, on(send("checks", policy.SlidingWindow{Max: 20, Window: time.Minute}), policy.CheckNumber))}
}

func TestLintFindsTraps(t *testing.T) {
	t.Parallel()
	const s, h, day = time.Second, time.Hour, 24 * time.Hour
	window := func(n int64, w time.Duration) policy.Limit { return policy.SlidingWindow{Max: n, Window: w} }
	gap := func(from, to time.Duration) policy.Limit { return policy.Gap{Min: from, Max: to} }
	pause := func(from, to time.Duration, every int64) policy.Limit {
		return policy.Gap{Min: from, Max: to, Every: every}
	}
	utcDay := func(n int64) policy.Limit { return policy.CalendarWindow{Max: n, Unit: policy.Day} }
	tests := []struct {
		name   string
		policy policy.Policy
		trap   policy.Trap
		rules  []string
		text   string
	}{
		{"Wawp's strict: 8/min beside a gap of 60 s", checked(send("gap", gap(60*s, 60*s)), send("minute", window(8, 60*s))),
			policy.NeverBinds, []string{"minute", "gap"}, `rule "minute" never refuses: "gap" allows at most 1 in 1m, and it allows 8`},
		{"an hour cap that can never bind", checked(send("minute", window(60, 60*s)), send("hour", window(5_000, h))),
			policy.NeverBinds, []string{"hour", "minute"}, `rule "hour" never refuses: "minute" allows at most 3600 in 1h, and it allows 5000`},
		{"protection that overrides a trial plan", checked(send("trial", window(1, 60*s)), send("protection", window(1, 5*s))),
			policy.NeverBinds, []string{"protection", "trial"}, `rule "protection" never refuses: "trial" allows at most 1 in 5s, and it allows 1`},
		{"two caps that say the same", checked(send("a", window(5, 60*s)), send("b", window(5, 60*s))),
			policy.NeverBinds, []string{"b", "a"}, `rule "b" never refuses: "a" allows at most 5 in 1m, and it allows 5`},
		{"a calendar cap within another", checked(send("minute", policy.CalendarWindow{Max: 10, Unit: policy.Minute}), send("hour", policy.CalendarWindow{Max: 600, Unit: policy.Hour})),
			policy.NeverBinds, []string{"hour", "minute"}, `rule "hour" never refuses: "minute" allows at most 600 per hour, and it allows 600`},
		{"a bucket within another", checked(send("slow", policy.TokenBucket{Max: 1, Per: 6 * s, Burst: 5}), send("fast", policy.TokenBucket{Max: 1, Per: 5 * s, Burst: 5})),
			policy.NeverBinds, []string{"fast", "slow"}, `rule "fast" never refuses: "slow" allows no more at once, and no faster`},
		{"recipients that cannot be reached", checked(send("gap", gap(60*s, 90*s)), in(send("tier", policy.UniqueRecipients{Max: 2_000, Window: day}), policy.ScopePortfolio), in(send("cap", window(1_500, day)), policy.ScopePortfolio)),
			policy.NeverBinds, []string{"tier", "cap"}, `rule "tier" never refuses: "cap" allows at most 1500 in 24h, and it allows 2000`},
		{"a wider unit at once", checked(send("one", policy.Concurrency{Max: 1}), send("two", policy.Concurrency{Max: 2})),
			policy.NeverBinds, []string{"two", "one"}, `rule "two" never refuses: "one" allows 1 at once, and it allows 2`},
		{"a gap within a gap", checked(send("short", gap(5*s, 9*s)), send("long", gap(9*s, 9*s))),
			policy.NeverBinds, []string{"short", "long"}, `rule "short" never refuses: its gap is at most 9s, and that of "long" at least 9s`},
		{"a plan's cap on everything beside a wider one on media", policy.Policy{Rules: []policy.Rule{on(send("all", window(10, 60*s))), on(send("media", window(30, 60*s)), policy.UploadMedia)}},
			policy.NeverBinds, []string{"media", "all"}, `rule "media" never refuses: "all" allows at most 10 in 1m, and it allows 30`},

		{"a cool-down that does not add up", checked(send("gap", gap(30*s, 60*s)), send("pause", pause(20*s, 30*s, 20))),
			policy.HiddenPause, []string{"pause", "gap"}, `rule "pause" never refuses: its pause is at most 30s, and "gap" makes one of at least 30s after every send; of two the longer holds, never the sum`},

		{"the gateway's gap beside Wawp's 8/min", checked(send("gap", gap(5*s, 9*s)), send("minute", window(8, 60*s))),
			policy.Outpaces, []string{"minute", "gap"}, `rule "minute" allows 8 in 1m, and at the pace of "gap" it would be 8.6: sends go in lumps`},
		{"the same as a bucket", checked(send("gap", gap(5*s, 9*s)), send("minute", policy.TokenBucket{Max: 8, Per: 60 * s})),
			policy.Outpaces, []string{"minute", "gap"}, `rule "minute" allows 8 in 1m, and at the pace of "gap" it would be 8.6: sends go in lumps`},

		{"the gateway's 500 a day", checked(send("gap", gap(5*s, 9*s)), send("pause", pause(30*s, 60*s, 20)), send("day", window(500, day))),
			policy.UsedUpEarly, []string{"day", "gap", "pause"}, `rule "day" allows 500 in 24h, and at the pace of "gap" and "pause" they are used up in 1h14m10s`},
		{"60/min of 1,000/h", checked(send("minute", window(60, 60*s)), send("hour", window(1_000, h))),
			policy.UsedUpEarly, []string{"hour", "minute"}, `rule "hour" allows 1000 in 1h, and at the pace of "minute" they are used up in 16m40s`},
		{"a day without a pace", checked(send("day", window(500, day))),
			policy.UsedUpEarly, []string{"day"}, `rule "day" allows 500 in 24h, and nothing spreads them: all can go at once`},

		{"the gateway's reset at midnight", checked(send("gap", gap(150*s, 160*s)), send("day", utcDay(500))),
			policy.Doubles, []string{"day"}, `rule "day" allows 500 per day, and up to 576 in 24h around the boundary; a sliding_window would not`},

		{"WasenderAPI's 60 checks a minute", policy.Policy{Rules: []policy.Rule{on(send("checks", window(60, 60*s)), policy.CheckNumber)}},
			policy.ManyChecks, []string{"checks"}, `"checks" allows 60 number checks in a minute; numbers have been restricted for fewer, so stay at 20`},

		{"a check before every send", policy.Policy{Rules: []policy.Rule{send("gap", gap(60*s, 90*s))}},
			policy.UncappedChecks, nil, "sends are capped and number checks are not: give check_number a rule of its own"},

		{"tiers from before October 2025", checked(send("tier", policy.UniqueRecipients{Max: 1_000, Window: day})),
			policy.PerNumber, []string{"tier"}, `rule "tier" counts recipients for each number apart; Meta counts them for the portfolio since October 2025: use scope portfolio`},
	}
	found := map[policy.Trap]bool{}
	for _, tt := range tests {
		require.NoError(t, tt.policy.Validate(), tt.name)
		var warning policy.Warning
		for _, w := range tt.policy.Lint() {
			if w.Trap == tt.trap {
				warning = w
			}
		}
		require.Equal(t, policy.Warning{Trap: tt.trap, Rules: tt.rules, Text: tt.text}, warning, tt.name)
		require.Equal(t, tt.text, warning.String())
		found[tt.trap] = true
	}
	require.Len(t, found, 8, "every trap has a policy that is in it")
}

func TestLintIsQuiet(t *testing.T) {
	t.Parallel()
	const s, h, day = time.Second, time.Hour, 24 * time.Hour
	window := func(n int64, w time.Duration) policy.Limit { return policy.SlidingWindow{Max: n, Window: w} }
	for name, p := range map[string]policy.Policy{
		"no rules":                {},
		"a policy that cannot be": {Rules: []policy.Rule{send("a", window(-1, 60*s)), send("b", window(5, 60*s))}},
		"a calm policy":           checked(send("gap", policy.Gap{Min: 60 * s, Max: 120 * s}), send("day", window(500, day))),
		"shadow rules": checked(shadow(send("a", window(1, 60*s))), shadow(send("b", policy.CalendarWindow{Max: 1, Unit: policy.Day})),
			shadow(send("tier", policy.UniqueRecipients{Max: 1_000, Window: day}))),
		"other actions":     checked(on(send("media", window(1, 60*s)), policy.UploadMedia), on(send("group", window(9, 60*s)), policy.GroupInfo)),
		"a narrower budget": checked(on(send("upload", window(1, 60*s)), policy.UploadMedia), on(send("media", window(9, 60*s)), "upload*")),
		"a narrower scope": checked(send("gap", policy.Gap{Min: 60 * s, Max: 120 * s}),
			in(send("portfolio", window(2, 60*s)), policy.ScopePortfolio)),
		"a gap that may be longer":    checked(send("gap", policy.Gap{Min: 60 * s, Max: 120 * s}), send("pause", policy.Gap{Min: 60 * s, Max: 61 * s, Every: 9})),
		"a cap that few pauses reach": checked(send("gap", policy.Gap{Min: 5 * s, Max: 9 * s}), send("minute", window(10, 60*s))),
		"a pair limit":                checked(in(send("pair", policy.TokenBucket{Max: 1, Per: 6 * s, Burst: 45}), policy.ScopeRecipient), in(send("hour", window(300, h)), policy.ScopeRecipient)),
		"calendars of two zones": checked(send("hour", policy.CalendarWindow{Max: 1, Unit: policy.Hour}),
			send("there", policy.CalendarWindow{Max: 1, Unit: policy.Hour, Location: zone(t, "Asia/Kolkata")})),
		"weeks in months": checked(on(send("week", policy.CalendarWindow{Max: 10, Unit: policy.Week}), policy.UploadMedia),
			on(send("month", policy.CalendarWindow{Max: 50, Unit: policy.Month}), policy.UploadMedia)),
		"the largest numbers": checked(send("a", policy.TokenBucket{Max: math.MaxInt64, Per: policy.MaxDuration, Burst: math.MaxInt64}),
			send("b", policy.Gap{Max: policy.MaxDuration, Every: math.MaxInt64}), send("c", policy.Concurrency{Max: math.MaxInt64})),
	} {
		require.Empty(t, p.Lint(), name)
	}
}

func TestLintCoversByPatterns(t *testing.T) {
	t.Parallel()
	window := func(n int64) policy.Limit { return policy.SlidingWindow{Max: n, Window: time.Minute} }
	for _, tt := range []struct {
		strict, loose []policy.Action
		dead          bool
	}{
		{nil, nil, true},
		{nil, []policy.Action{"a"}, true},
		{[]policy.Action{"*"}, nil, true},
		{[]policy.Action{"a"}, nil, false},
		{[]policy.Action{"a*"}, []policy.Action{"a", "ab", "a*", "ab*"}, true},
		{[]policy.Action{"ab*"}, []policy.Action{"a*"}, false},
		{[]policy.Action{"a**"}, []policy.Action{"a*"}, false}, // only the last star is one
		{[]policy.Action{"a*"}, []policy.Action{"a**"}, true},
		{[]policy.Action{"a", "b"}, []policy.Action{"b"}, true},
		{[]policy.Action{"b"}, []policy.Action{"a", "b"}, false},
		{[]policy.Action{"a"}, []policy.Action{"a*"}, false},
	} {
		p := policy.Policy{Rules: []policy.Rule{on(send("strict", window(1)), tt.strict...), on(send("loose", window(2)), tt.loose...)}}
		dead := false
		for _, w := range p.Lint() {
			dead = dead || w.Trap == policy.NeverBinds && w.Rules[0] == "loose"
		}
		require.Equal(t, tt.dead, dead, "%v over %v", tt.strict, tt.loose)
	}
}

// What Lint finds in the presets is what their doc comments say.
func TestLintOfPresets(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"strict":                   {"never_binds minute", "used_up_early day", "doubles day"},
		"standard_policy":          {"used_up_early day", "doubles day"},
		"unlimited":                nil,
		"wasender_trial":           {"many_checks check_minute"},
		"wasender_trial_protected": {"never_binds protection", "many_checks check_minute"},
		"wasender_paid":            {"many_checks check_minute"},
		"wasender_paid_protected":  {"never_binds minute", "many_checks check_minute"},
		"free_plan":                {"used_up_early hour", "used_up_early day", "never_binds media"},
		"basic_plan":               {"many_checks minute", "used_up_early hour", "used_up_early day"},
		"premium_plan":             {"many_checks minute", "used_up_early hour", "used_up_early day"},
		"enterprise_plan":          {"many_checks minute", "used_up_early hour", "used_up_early day"},
		"meta_high":                {"uncapped_checks"},
		"whatsbiz_unverified":      {"per_number recipients", "uncapped_checks"},
		"whatsbiz_tier_1":          {"per_number recipients", "uncapped_checks"},
		"whatsbiz_tier_2":          {"per_number recipients", "uncapped_checks"},
		"whatsbiz_tier_3":          {"per_number recipients", "uncapped_checks"},
		"whatsbiz_unlimited":       {"uncapped_checks"},
		"whatsbiz_high":            {"uncapped_checks"},
		"gateway_api":              {"many_checks requests"},
	}
	for _, tier := range policy.MetaLadder().Tiers {
		want[policy.Meta(tier).Slug] = []string{"uncapped_checks"}
		want[policy.MetaCoexistence(tier).Slug] = []string{"uncapped_checks"}
	}
	for _, p := range policy.All() {
		var got []string
		for _, w := range p.Lint() {
			found := string(w.Trap)
			if len(w.Rules) > 0 {
				found += " " + w.Rules[0]
			}
			got = append(got, found)
		}
		require.Contains(t, want, p.Slug)
		require.Equal(t, want[p.Slug], got, p.Slug)
	}
}
