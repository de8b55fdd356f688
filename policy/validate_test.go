package policy_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// messages are the lines of err, one for each bad field.
func messages(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// embedding has the methods of a limit without being one.
type embedding struct{ policy.Gap }

func TestValidate(t *testing.T) {
	t.Parallel()
	const kinds = "use token_bucket, sliding_window, calendar_window, gap, concurrency, unique_recipients, new_contacts or active_hours"
	const day = 24 * time.Hour
	one := func(l policy.Limit) policy.Policy {
		return policy.Policy{Rules: []policy.Rule{{Name: "r", Limit: l}}}
	}
	named := func(names ...string) policy.Policy {
		var p policy.Policy
		for _, name := range names {
			p.Rules = append(p.Rules, policy.Rule{Name: name, Limit: policy.Concurrency{Max: 1}})
		}
		return p
	}
	tests := []struct {
		name   string
		policy policy.Policy
		want   []string
	}{
		{"zero policy", policy.Policy{}, nil},
		{"zero refuses everything", policy.Policy{Rules: []policy.Rule{
			{Name: "a", Limit: policy.TokenBucket{Per: 1}},
			{Name: "b", Limit: policy.SlidingWindow{Window: 1}},
			{Name: "c", Limit: policy.CalendarWindow{Unit: policy.Month}},
			{Name: "d", Limit: policy.Gap{}},
			{Name: "e", Limit: policy.Concurrency{}},
			{Name: "f", Limit: policy.UniqueRecipients{Window: 1}},
			{Name: "g", Limit: policy.NewContacts{Window: 1}},
		}}, nil},
		{"largest numbers", policy.Policy{Rules: []policy.Rule{
			{Name: "a", Limit: policy.TokenBucket{Max: math.MaxInt64, Per: policy.MaxDuration, Burst: math.MaxInt64}},
			{Name: "b", Limit: policy.SlidingWindow{Max: math.MaxInt64, Window: policy.MaxDuration}},
			{Name: "c", Limit: policy.CalendarWindow{Max: math.MaxInt64, Unit: policy.Minute}},
			{Name: "d", Limit: policy.Gap{Min: policy.MaxDuration, Max: policy.MaxDuration, Every: math.MaxInt64}},
			{Name: "e", Limit: policy.Concurrency{Max: math.MaxInt64}},
			{Name: "f", Limit: policy.UniqueRecipients{Max: math.MaxInt64, Window: policy.MaxDuration}},
			{Name: "g", Limit: policy.NewContacts{Max: math.MaxInt64, Window: policy.MaxDuration}},
		}}, nil},

		{"token bucket", one(policy.TokenBucket{Max: -1, Per: -time.Second, Burst: -2}), []string{
			"policy: rules[0].max: -1: use 0 to refuse everything, or more",
			"policy: rules[0].per: -1s: use a positive duration such as 1m",
			"policy: rules[0].burst: -2: use 1 or more, or 0 for 1",
		}},
		{"token bucket of no time", one(policy.TokenBucket{Max: 1}), []string{
			"policy: rules[0].per: 0s: use a positive duration such as 1m",
		}},
		{"token bucket that fills too late", one(policy.TokenBucket{Max: 1, Per: policy.MaxDuration, Burst: 2}), []string{
			"policy: rules[0].burst: 2: filling it takes longer than 876600h; lower burst or per, or raise max",
		}},
		{"token bucket that fills beyond 64 bits", one(policy.TokenBucket{Max: 1, Per: time.Hour, Burst: math.MaxInt64}), []string{
			"policy: rules[0].burst: 9223372036854775807: filling it takes longer than 64 bits of nanoseconds hold; lower burst or per, or raise max",
		}},
		{"sliding window", one(policy.SlidingWindow{Max: math.MinInt64, Window: math.MinInt64}), []string{
			"policy: rules[0].max: -9223372036854775808: use 0 to refuse everything, or more",
			"policy: rules[0].window: -2562047h47m16.854775808s: use a positive duration such as 1m",
		}},
		{"sliding window too long", one(policy.SlidingWindow{Max: 1, Window: policy.MaxDuration + 1}), []string{
			"policy: rules[0].window: 876600h0m0.000000001s: use at most 876600h",
		}},
		{"calendar window", one(policy.CalendarWindow{Max: -1, Unit: "fortnight"}), []string{
			"policy: rules[0].max: -1: use 0 to refuse everything, or more",
			`policy: rules[0].unit: "fortnight": use minute, hour, day, week or month`,
		}},
		{"calendar window of no unit", one(policy.CalendarWindow{}), []string{
			`policy: rules[0].unit: "": use minute, hour, day, week or month`,
		}},
		{"gap", one(policy.Gap{Min: -1, Max: -2, Every: -3}), []string{
			"policy: rules[0].min: -1ns: use 0s or more",
			"policy: rules[0].max: -2ns: use at least min, 0s",
			"policy: rules[0].every: -3: use 1 or more, or 0 for 1",
		}},
		{"gap backwards", one(policy.Gap{Min: time.Hour, Max: time.Minute}), []string{
			"policy: rules[0].max: 1m: use at least min, 1h",
		}},
		{"gap too long", one(policy.Gap{Max: math.MaxInt64}), []string{
			"policy: rules[0].max: 2562047h47m16.854775807s: use at most 876600h",
		}},
		{"concurrency", one(policy.Concurrency{Max: -1}), []string{
			"policy: rules[0].max: -1: use 0 to refuse everything, or more",
		}},
		{"unique recipients", one(policy.UniqueRecipients{Max: -1, Window: -1}), []string{
			"policy: rules[0].max: -1: use 0 to refuse everything, or more",
			"policy: rules[0].window: -1ns: use a positive duration such as 1m",
		}},
		{"unique recipients too long", one(policy.UniqueRecipients{Window: math.MaxInt64}), []string{
			"policy: rules[0].window: 2562047h47m16.854775807s: use at most 876600h",
		}},
		{"new contacts", one(policy.NewContacts{Max: math.MinInt64}), []string{
			"policy: rules[0].max: -9223372036854775808: use 0 to refuse everything, or more",
			"policy: rules[0].window: 0s: use a positive duration such as 1m",
		}},
		{"new contacts too long", one(policy.NewContacts{Window: policy.MaxDuration + 1}), []string{
			"policy: rules[0].window: 876600h0m0.000000001s: use at most 876600h",
		}},
		{"active hours", policy.Policy{Rules: []policy.Rule{
			{Name: "whole day", Limit: policy.ActiveHours{To: day}},
			{Name: "first second", Limit: policy.ActiveHours{To: time.Second}},
			{Name: "last second", Limit: policy.ActiveHours{From: day - time.Second, To: day}},
			{Name: "over midnight", Limit: policy.ActiveHours{From: day - time.Second, To: time.Second}},
			{Name: "all but a second", Limit: policy.ActiveHours{From: time.Hour, To: time.Hour - time.Second}},
			{Name: "some days", Limit: policy.ActiveHours{To: day, Days: policy.Days(time.Sunday, time.Saturday), Location: time.UTC}},
		}}, nil},
		{"active hours of no time", one(policy.ActiveHours{}), []string{
			`policy: rules[0].to: "00:00": use a time of day from 00:00:01 to 24:00, the end of the day`,
		}},
		{"active hours that end as they begin", one(policy.ActiveHours{From: 8 * time.Hour, To: 8 * time.Hour}), []string{
			`policy: rules[0].to: "08:00": use another time than from; for a whole day use 00:00 to 24:00`,
		}},
		{"active hours before the day", one(policy.ActiveHours{From: -1, To: math.MinInt64}), []string{
			"policy: rules[0].from: -1ns: use a time of day from 00:00 to 23:59:59",
			"policy: rules[0].to: -2562047h47m16.854775808s: use a time of day from 00:00:01 to 24:00, the end of the day",
		}},
		{"active hours after the day", one(policy.ActiveHours{From: day, To: day + 1}), []string{
			`policy: rules[0].from: "24:00": use a time of day from 00:00 to 23:59:59`,
			"policy: rules[0].to: 24h0m0.000000001s: use a time of day from 00:00:01 to 24:00, the end of the day",
		}},
		{"active hours one second after the day", one(policy.ActiveHours{To: day + time.Second}), []string{
			"policy: rules[0].to: 24h0m1s: use a time of day from 00:00:01 to 24:00, the end of the day",
		}},
		{"active hours with parts of a second", one(policy.ActiveHours{From: time.Millisecond, To: day - time.Millisecond}), []string{
			"policy: rules[0].from: 1ms: use whole seconds",
			"policy: rules[0].to: 23h59m59.999s: use whole seconds",
		}},
		{"active hours of one part of a second", one(policy.ActiveHours{From: 5, To: 5}), []string{
			"policy: rules[0].from: 5ns: use whole seconds",
			"policy: rules[0].to: 5ns: use whole seconds",
		}},
		{"active hours on no such day", one(policy.ActiveHours{To: day, Days: policy.Days(time.Tuesday, 7, -1)}), []string{
			`policy: rules[0].days: "tue,?": use the days from time.Sunday to time.Saturday`,
		}},
		{"active hours on all days and one more", one(policy.ActiveHours{To: day, Days: policy.Days(0, 1, 2, 3, 4, 5, 6, 7)}), []string{
			`policy: rules[0].days: "mon,tue,wed,thu,fri,sat,sun,?": use the days from time.Sunday to time.Saturday`,
		}},
		{"no limit", one(nil), []string{"policy: rules[0].type: none: " + kinds}},
		{"nil pointer to a limit", one((*policy.Gap)(nil)), []string{
			"policy: rules[0].type: *policy.Gap: use a value of TokenBucket, SlidingWindow or another of this package's kinds",
		}},
		{"not quite a limit", one(embedding{}), []string{
			"policy: rules[0].type: policy_test.embedding: use a value of TokenBucket, SlidingWindow or another of this package's kinds",
		}},

		{"names", named("a", "", "a", "request", "capacity", "b", "a"), []string{
			`policy: rules[1].name: "": give the rule a name`,
			`policy: rules[2].name: "a": rules[0] has this name; choose another`,
			`policy: rules[3].name: "request": the limiter's own answers have this name; choose another`,
			`policy: rules[4].name: "capacity": the limiter's own answers have this name; choose another`,
			`policy: rules[6].name: "a": rules[0] has this name; choose another`,
		}},
		{"too many rules", named(manyNames(policy.MaxRules + 1)...), []string{
			"policy: rules: 65: use at most 64 rules",
		}},
		{"just enough rules", named(manyNames(policy.MaxRules)...), nil},
		{"texts that are not UTF-8", policy.Policy{
			Slug: "a\xff", Name: "b\xff", Description: "c\xff",
			Rules: []policy.Rule{{Name: "d\xff", Actions: []policy.Action{"", "e\xff", "*"}, Limit: policy.Gap{}}},
		}, []string{
			`policy: slug: "a\xff": write it in UTF-8`,
			`policy: name: "b\xff": write it in UTF-8`,
			`policy: description: "c\xff": write it in UTF-8`,
			`policy: rules[0].name: "d\xff": write it in UTF-8`,
			`policy: rules[0].actions[0]: "": name an action, or leave actions out for all`,
			`policy: rules[0].actions[1]: "e\xff": write it in UTF-8`,
		}},
		{"id", policy.Policy{ID: -5}, []string{"policy: id: -5: use 0 for none, or more"}},
		{"scope", policy.Policy{Rules: []policy.Rule{
			{Name: "a", Scope: policy.ScopeAccount, Limit: policy.Gap{}},
			{Name: "b", Scope: "planet", Limit: policy.Gap{}},
			{Name: "c", Scope: "Recipient"},
			{Name: "d", Scope: policy.ScopePortfolio},
		}}, []string{
			`policy: rules[1].scope: "planet": use account or recipient`,
			`policy: rules[2].scope: "Recipient": use account, recipient or portfolio`,
			"policy: rules[2].type: none: " + kinds,
			"policy: rules[3].type: none: " + kinds,
		}},
		{"long values are cut", policy.Policy{Rules: []policy.Rule{
			{Name: "a", Scope: policy.Scope(strings.Repeat("é", 33)), Limit: policy.Gap{}},
			{Name: "b", Scope: policy.Scope("x" + strings.Repeat("é", 33)), Limit: policy.Gap{}},
		}}, []string{
			`policy: rules[0].scope: "` + strings.Repeat("é", 32) + `...": use account or recipient`,
			`policy: rules[1].scope: "x` + strings.Repeat("é", 31) + `...": use account or recipient`,
		}},
		{"everything at once", policy.Policy{Rules: []policy.Rule{
			{Actions: []policy.Action{""}, Scope: "planet"},
			{Name: "ok", Limit: policy.Gap{}},
			{Name: "ok", Limit: policy.SlidingWindow{Max: -1}},
		}}, []string{
			`policy: rules[0].name: "": give the rule a name`,
			`policy: rules[0].actions[0]: "": name an action, or leave actions out for all`,
			`policy: rules[0].scope: "planet": use account, recipient or portfolio`,
			"policy: rules[0].type: none: " + kinds,
			`policy: rules[2].name: "ok": rules[1] has this name; choose another`,
			"policy: rules[2].max: -1: use 0 to refuse everything, or more",
			"policy: rules[2].window: 0s: use a positive duration such as 1m",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.policy.Validate()
			require.Equal(t, tt.want, messages(err))
			require.Equal(t, tt.want != nil, errors.Is(err, policy.ErrInvalid))

			_, marshalErr := tt.policy.MarshalJSON()
			require.Equal(t, err, marshalErr, "what is not valid is not written, and what is valid is")
		})
	}
}

func TestScopesOfLimits(t *testing.T) {
	t.Parallel()
	const account, recipient, portfolio = policy.ScopeAccount, policy.ScopeRecipient, policy.ScopePortfolio
	tests := []struct {
		name   string
		limit  policy.Limit
		scopes []policy.Scope
		remedy string
	}{
		{"token_bucket", policy.TokenBucket{Per: 1}, []policy.Scope{account, recipient, portfolio}, ""},
		{"sliding_window", policy.SlidingWindow{Window: 1}, []policy.Scope{account, recipient, portfolio}, ""},
		{"calendar_window", policy.CalendarWindow{Unit: policy.Day}, []policy.Scope{account, recipient, portfolio}, ""},
		{"gap", policy.Gap{}, []policy.Scope{account, recipient}, "use account or recipient"},
		{"concurrency", policy.Concurrency{}, []policy.Scope{account, recipient}, "use account or recipient"},
		{"unique_recipients", policy.UniqueRecipients{Window: 1}, []policy.Scope{account, portfolio}, "use account or portfolio"},
		{"new_contacts", policy.NewContacts{Window: 1}, []policy.Scope{account, portfolio}, "use account or portfolio"},
		{"active_hours", policy.ActiveHours{To: time.Hour}, []policy.Scope{account}, "use account"},
	}
	for _, tt := range tests {
		for _, scope := range []policy.Scope{"", account, recipient, portfolio} {
			p := policy.Policy{Rules: []policy.Rule{{Name: "r", Scope: scope, Limit: tt.limit}}}
			var want []string
			if scope != "" && !slices.Contains(tt.scopes, scope) {
				want = []string{fmt.Sprintf("policy: rules[0].scope: %q: %s cannot have this scope; %s", scope, tt.name, tt.remedy)}
			}
			require.Equal(t, want, messages(p.Validate()), "%s in scope %q", tt.name, scope)
		}
	}
}

func TestShadowRulesAreChecked(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{{Name: "r", Limit: policy.Concurrency{Max: -1}, Shadow: true}}}
	require.EqualError(t, p.Validate(), "policy: rules[0].max: -1: use 0 to refuse everything, or more")
}

func TestFieldErrorCanBeRead(t *testing.T) {
	t.Parallel()
	err := policy.Policy{Rules: []policy.Rule{{Name: "pace", Limit: policy.Gap{Min: time.Hour, Max: time.Minute}}}}.Validate()
	var field *policy.FieldError
	require.ErrorAs(t, err, &field)
	require.Equal(t, &policy.FieldError{Path: "rules[0].max", Value: "1m", Remedy: "use at least min, 1h"}, field)
}

func TestDefaultsOfLimits(t *testing.T) {
	t.Parallel()
	require.Equal(t, int64(1), policy.Gap{}.Period())
	require.Equal(t, int64(20), policy.Gap{Every: 20}.Period())
	require.Equal(t, int64(1), policy.TokenBucket{}.Size())
	require.Equal(t, int64(5), policy.TokenBucket{Burst: 5}.Size())
	require.Equal(t, time.UTC, policy.CalendarWindow{}.Zone())
	require.Equal(t, time.Local, policy.CalendarWindow{Location: time.Local}.Zone())
	require.Equal(t, time.UTC, policy.ActiveHours{}.Zone())
	require.Equal(t, time.Local, policy.ActiveHours{Location: time.Local}.Zone())
}

func manyNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strings.Repeat("x", i+1)
	}
	return names
}
