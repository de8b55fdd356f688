package limiter_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// figures are the numbers that a provider's words have, in their order.
func figures(t *testing.T, words string) (numbers []int) {
	t.Helper()
	for _, digits := range regexp.MustCompile(`\d[\d,]*`).FindAllString(words, -1) {
		n, err := strconv.Atoi(strings.ReplaceAll(digits, ",", ""))
		require.NoError(t, err)
		numbers = append(numbers, n)
	}
	return numbers
}

// A firstRefusal is where a rule first refused a sender who always sends at once, and
// as soon as he may.
type firstRefusal struct {
	sent  int           // before it
	after time.Duration // since the first send
	retry time.Duration
}

// drive sends under the policy until the rule called last has refused, and tells of
// each rule that did.
func drive(t *testing.T, p policy.Policy, last string, ask func(n int) limiter.Request) map[string]firstRefusal {
	t.Helper()
	start := time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)
	l := newLimiter(t, p)
	refused := map[string]firstRefusal{}
	for now, n := start, 0; n < 1_000_000; {
		d := l.Allow(now, ask(n))
		if d.Answer == limiter.Allowed {
			n++
			continue
		}
		require.Equal(t, limiter.Later, d.Answer, d.Rule)
		if _, before := refused[d.Rule]; !before {
			refused[d.Rule] = firstRefusal{n, now.Sub(start), d.RetryAfter}
		}
		if d.Rule == last {
			return refused
		}
		now = now.Add(d.RetryAfter)
	}
	require.Fail(t, "never refused", "rule %q", last)
	return nil
}

// alone is the policy with one of its rules.
func alone(t *testing.T, p policy.Policy, name string) policy.Policy {
	t.Helper()
	for _, r := range p.Rules {
		if r.Name == name {
			return policy.Policy{Rules: []policy.Rule{r}}
		}
	}
	require.Fail(t, "no such rule", name)
	return policy.Policy{}
}

func doing(a policy.Action) func(int) limiter.Request {
	return func(int) limiter.Request { return limiter.Request{Account: alice, Action: a} }
}

// toEach asks for a send to another recipient each time.
func toEach(n int) limiter.Request {
	return limiter.Request{
		Account: alice, Action: policy.SendMessage, Portfolio: "shop", Recipient: fmt.Sprintf("4477009%05d", n),
	}
}

// A figure is one that a provider gives, in its own words.
type figure struct {
	words  string // what the provider says
	at     int    // which of the numbers in it
	slug   string
	rule   string
	ask    func(n int) limiter.Request
	window time.Duration // how long the rule refuses what came at once, where nothing else did
	alone  bool          // another rule of the preset is stricter: Lint says so
}

func requireFigures(t *testing.T, rows []figure) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.slug+" "+row.rule, func(t *testing.T) {
			t.Parallel()
			p, err := policy.For(row.slug)
			require.NoError(t, err)
			if row.alone {
				p = alone(t, p, row.rule)
			}
			got := drive(t, p, row.rule, row.ask)[row.rule]
			require.Equal(t, figures(t, row.words)[row.at], got.sent, row.words)
			require.Equal(t, row.window, got.after+got.retry, row.words)
		})
	}
}

func TestWawpFigures(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	send := doing(policy.SendMessage)
	requireFigures(t, []figure{
		{words: `"send_message_per_minute": 8`, slug: "strict", rule: "minute", ask: send, window: time.Minute, alone: true},
		{words: `"send_message_daily_cap": 200`, slug: "strict", rule: "day", ask: send, window: day},
	})

	// "account_protection_seconds": 60
	gap := drive(t, policy.Strict(), "gap", send)["gap"]
	require.Equal(t, firstRefusal{sent: 1, retry: time.Duration(figures(t, `"account_protection_seconds": 60`)[0]) * time.Second}, gap)

	// "concurrent_limit": 1
	l := newLimiter(t, alone(t, policy.Strict(), "one_at_a_time"))
	for range figures(t, `"concurrent_limit": 1`)[0] {
		_, d := l.Take(monday, send(0))
		require.Equal(t, limiter.Allowed, d.Answer)
	}
	_, d := l.Take(monday, send(0))
	require.Equal(t, limiter.Busy, d.Answer)
}

// The figures of an answer of Wawp's as it stands, not of a preset.
func TestWawpLimitsFigures(t *testing.T) {
	t.Parallel()
	n := func(n int64) *int64 { return &n }
	rules, err := policy.WawpLimits{
		GroupReqPerMinute: n(7), GroupDailyCap: n(31), CheckReqPerMinute: n(9), CheckDailyCap: n(41),
	}.Rules()
	require.NoError(t, err)
	p := policy.Policy{Rules: rules}
	require.Equal(t, map[string]firstRefusal{
		"group_minute": {sent: 7, retry: time.Minute},
		"group_day":    {sent: 31, after: 4 * time.Minute, retry: 24*time.Hour - 4*time.Minute},
	}, drive(t, p, "group_day", doing(policy.GroupInfo)))
	require.Equal(t, map[string]firstRefusal{
		"check_minute": {sent: 9, retry: time.Minute},
		"check_day":    {sent: 41, after: 4 * time.Minute, retry: 24*time.Hour - 4*time.Minute},
	}, drive(t, p, "check_day", doing(policy.CheckNumber)))
}

func TestWasenderFigures(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	send, groups, pictures, checks := doing(policy.SendMessage), doing(policy.GroupInfo), doing(policy.ContactPicture), doing(policy.CheckNumber)
	requireFigures(t, []figure{
		{words: "| Trial Plan | 1 request per minute |", slug: "wasender_trial", rule: "minute", ask: send, window: minute},
		{words: "| Paid Plans (Basic, Pro, Plus,Enterprise) | 256 requests per minute |", slug: "wasender_paid", rule: "minute", ask: send, window: minute},
		{words: "| Account Protection Enabled (Any Plan) | 1 request per 5 seconds |", slug: "wasender_paid_protected", rule: "protection", ask: send, window: 5 * time.Second},
		{words: "This limit overrides any other plan limits. Trial Plan | 1 request per minute", slug: "wasender_trial_protected", rule: "minute", ask: send, window: minute},
		{words: "| Get group participants or metadata | 10 requests per minute |", slug: "wasender_trial", rule: "group_minute", ask: groups, window: minute},
		{words: "| Get contact picture | 60 requests per minute |", slug: "wasender_paid", rule: "picture_minute", ask: pictures, window: minute},
		{words: "| Check if a number is on WhatsApp | 60 requests per minute |", slug: "wasender_paid_protected", rule: "check_minute", ask: checks, window: minute},
	})
}

func TestPlanFigures(t *testing.T) {
	t.Parallel()
	const minute, hour, day = time.Minute, time.Hour, 24 * time.Hour
	var rows []figure
	for slug, words := range map[string]string{
		"free_plan":       "| Free | 10 | 100 | 1,000 |",
		"basic_plan":      "| Basic | 60 | 1,000 | 10,000 |",
		"premium_plan":    "| Premium | 300 | 5,000 | 50,000 |",
		"enterprise_plan": "| Enterprise | 1,000 | 20,000 | 200,000 |",
	} {
		rows = append(rows,
			figure{words: words, at: 0, slug: slug, rule: "minute", ask: doing("GET /api/v1/contacts"), window: minute},
			figure{words: words, at: 1, slug: slug, rule: "hour", ask: doing("GET /api/v1/contacts"), window: hour},
			figure{words: words, at: 2, slug: slug, rule: "day", ask: doing("GET /api/v1/contacts"), window: day},
			figure{words: "/api/v1/sessions (POST) | 5 requests | Per hour", at: 1, slug: slug, rule: "sessions", ask: doing("POST /api/v1/sessions"), window: hour},
			figure{words: "/api/v1/messages/bulk | 1 request | Per minute", at: 1, slug: slug, rule: "bulk", ask: doing("POST /api/v1/messages/bulk"), window: minute},
			figure{words: "/api/v1/media/* | 30 requests | Per minute", at: 1, slug: slug, rule: "media", ask: doing("GET /api/v1/media/42"), window: minute, alone: slug == "free_plan"},
			figure{words: "/api/v1/webhooks/test | 5 requests | Per hour", at: 1, slug: slug, rule: "webhook_tests", ask: doing("POST /api/v1/webhooks/test"), window: hour},
		)
	}
	requireFigures(t, rows)
}

// "Some endpoints have specific rate limits regardless of your plan", and what they
// are asked counts against the plan as well.
func TestEndpointsCountAgainstThePlan(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.FreePlan())
	for i := range 10 {
		action := []policy.Action{"POST /api/v1/sessions", policy.UploadMedia}[i%2]
		require.Equal(t, limiter.Allowed, l.Allow(monday, doing(action)(i)).Answer)
	}
	require.Equal(t, "minute", l.Check(monday, doing(policy.TestWebhook)(0)).Rule)
}

func TestCloudFigures(t *testing.T) {
	t.Parallel()
	const second, day = time.Second, 24 * time.Hour
	rows := []figure{
		{words: "Send Messages 80 messages/sec (default)", slug: "whatsbiz_unlimited", rule: "throughput", ask: toEach, window: second},
		{words: "Up to 1,000 messages/sec for high-tier accounts", slug: "whatsbiz_high", rule: "throughput", ask: toEach, window: second},
		{words: "Media Upload 25 requests/sec per phone number", slug: "whatsbiz_tier_3", rule: "media", ask: doing(policy.UploadMedia), window: second},
		{words: "Unverified 250", slug: "whatsbiz_unverified", rule: "recipients", ask: toEach, window: day},
		{words: "Tier 1 1,000", at: 1, slug: "whatsbiz_tier_1", rule: "recipients", ask: toEach, window: day},
		{words: "Tier 2 10,000", at: 1, slug: "whatsbiz_tier_2", rule: "recipients", ask: toEach, window: day},
		{words: "Tier 3 100,000", at: 1, slug: "whatsbiz_tier_3", rule: "recipients", ask: toEach, window: day},

		// Meta's pages on throughput and messaging limits, not a vendor's.
		{words: "80 mps default", slug: "meta_tier_unlimited", rule: "throughput", ask: toEach, window: second},
		{words: "up to 1,000 mps", slug: "meta_high", rule: "throughput", ask: toEach, window: second},
		{words: "fixed 20 mps", slug: "meta_coexistence_tier_100k", rule: "throughput", ask: toEach, window: second},
		{words: "250 → 2,000 → 10,000 → 100,000 → unlimited", at: 0, slug: "meta_tier_250", rule: "recipients", ask: toEach, window: day},
		{words: "250 → 2,000 → 10,000 → 100,000 → unlimited", at: 1, slug: "meta_tier_2k", rule: "recipients", ask: toEach, window: day},
		{words: "250 → 2,000 → 10,000 → 100,000 → unlimited", at: 2, slug: "meta_tier_10k", rule: "recipients", ask: toEach, window: day},
		{words: "250 → 2,000 → 10,000 → 100,000 → unlimited", at: 3, slug: "meta_tier_100k", rule: "recipients", ask: toEach, window: day},
	}
	requireFigures(t, rows)
}

// "Burst: up to 45 messages within 6 s", then 1 per 6 s to that recipient, while
// others are not held up.
func TestPairFigures(t *testing.T) {
	t.Parallel()
	numbers := figures(t, "1 per 6 s; up to 45 messages at once")
	for _, p := range []policy.Policy{policy.MetaHigh(), policy.WhatsBizHigh()} {
		l := newLimiter(t, p)
		for range numbers[2] {
			require.Equal(t, limiter.Allowed, l.Allow(monday, toEach(1)).Answer)
		}
		d := l.Allow(monday, toEach(1))
		require.Equal(t, "pair", d.Rule)
		require.Equal(t, time.Duration(numbers[1])*time.Second, d.RetryAfter)
		require.Equal(t, limiter.Allowed, l.Allow(monday, toEach(2)).Answer)
	}
}

// Meta's tiers are shared by the numbers of a portfolio, the legacy ones are each
// number's own, and whoever has been written to counts once.
func TestWhoSharesATier(t *testing.T) {
	t.Parallel()
	fill := func(p policy.Policy) (*limiter.Limiter, time.Time) {
		l := newLimiter(t, p)
		now := monday
		for n := range 250 {
			require.Equal(t, limiter.Allowed, l.Allow(now, toEach(n)).Answer)
			now = now.Add(time.Second)
		}
		return l, now
	}
	other := toEach(250)
	other.Account = bob

	l, now := fill(policy.Meta(policy.MetaLadder().Tiers[0]))
	require.Equal(t, "recipients", l.Check(now, other).Rule)
	require.Equal(t, limiter.Later, l.Check(now, other).Answer)
	other.Recipient = toEach(7).Recipient
	require.Equal(t, limiter.Allowed, l.Check(now, other).Answer, "a recipient who counts already")
	other.Portfolio, other.Recipient = "another shop", toEach(250).Recipient
	require.Equal(t, limiter.Allowed, l.Check(now, other).Answer, "another portfolio")

	l, now = fill(policy.WhatsBiz(policy.LegacyLadder().Tiers[0]))
	require.Equal(t, limiter.Later, l.Check(now, toEach(250)).Answer)
	other.Portfolio = "shop"
	require.Equal(t, limiter.Allowed, l.Check(now, other).Answer, "another number")
}

func TestGatewayFigures(t *testing.T) {
	t.Parallel()
	requireFigures(t, []figure{
		{words: "default 120 per key per 15 min", slug: "gateway_api", rule: "requests", ask: doing("POST /api/messages"), window: 15 * time.Minute},
		{words: "Anti-ban daily cap hit (default 500/day), resets midnight UTC", slug: "standard", rule: "day", ask: doing(policy.SendMessage), window: 24 * time.Hour},
	})

	// "one message at a time with a fresh random 5–9s gap · a 30–60s cool-down after
	// every 20 messages"
	gap, pause := figures(t, "a fresh random 5–9s gap"), figures(t, "a 30–60s cool-down after every 20 messages")
	l := newLimiter(t, policy.Standard())
	now := time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)
	shortest, longest := time.Hour, time.Duration(0)
	for n := 1; n < 500; n++ {
		require.Equal(t, limiter.Allowed, l.Allow(now, request(1)).Answer)
		d := l.Check(now, request(1))
		between, rule := gap, "gap"
		if n%pause[2] == 0 {
			between, rule = pause, "pause"
		} else {
			shortest, longest = min(shortest, d.RetryAfter), max(longest, d.RetryAfter)
		}
		require.Equal(t, rule, d.Rule, "send %d", n)
		require.GreaterOrEqual(t, d.RetryAfter, time.Duration(between[0])*time.Second, "send %d", n)
		require.LessOrEqual(t, d.RetryAfter, time.Duration(between[1])*time.Second, "send %d", n)
		now = now.Add(d.RetryAfter)
	}
	require.Less(t, shortest, 5100*time.Millisecond, "gaps use their whole range")
	require.Greater(t, longest, 8900*time.Millisecond, "gaps use their whole range")
}
