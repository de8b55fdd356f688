package headers_test

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// gate is a rule named minute of 100 in a minute.
func gate(a limiter.Answer, remaining int64, reset time.Duration) limiter.Gate {
	g := limiter.Gate{Rule: "minute", Answer: a, Limit: 100, Remaining: remaining, Reset: reset}
	if a == limiter.Later {
		g.RetryAfter = reset
	}
	return g
}

func printed(t *testing.T, quotas []headers.Quota, o *headers.PrintOptions, s headers.State) http.Header {
	t.Helper()
	printer, err := headers.NewPrinter(quotas, o)
	require.NoError(t, err)
	h := http.Header{}
	printer.Print(h, vectorTime, s)
	return h
}

func only(d headers.Dialect) *headers.PrintOptions {
	return &headers.PrintOptions{Dialects: []headers.Dialect{d}}
}

var minute = []headers.Quota{{Name: "minute", Limit: 100, Window: time.Minute}}

func TestPrint(t *testing.T) {
	t.Parallel()
	day := limiter.Gate{Rule: "day", Answer: limiter.Allowed, Limit: 500, Remaining: 400, Reset: 12 * time.Hour}
	quotas := append([]headers.Quota{{Name: "day", Limit: 500, Window: 24 * time.Hour}}, minute...)
	shadow := gate(limiter.Later, 0, time.Second)
	shadow.Shadow = true
	tests := []struct {
		name  string
		o     *headers.PrintOptions
		state headers.State
		want  http.Header
	}{
		{"a time since 1970 by default", nil,
			headers.State{Decision: limiter.Decision{Gate: gate(limiter.Allowed, 95, 30*time.Second)}},
			http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"95"}, "X-Ratelimit-Reset": {"1786795230"},
				"Ratelimit-Policy": {`"minute";q=100;w=60`}, "Ratelimit": {`"minute";r=95;t=30`}}},
		{"seconds to wait", only(headers.XRateLimitDelta),
			headers.State{Decision: limiter.Decision{Gate: gate(limiter.Allowed, 95, 29*time.Second+1)}},
			http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"95"}, "X-Ratelimit-Reset": {"30"}}},
		{"several rules, the one that binds first", only(headers.Draft11),
			headers.State{Decision: limiter.Decision{Gate: gate(limiter.Later, 0, 1500*time.Millisecond)},
				Gates: []limiter.Gate{day, gate(limiter.Later, 7, time.Hour)}},
			http.Header{"Ratelimit-Policy": {`"minute";q=100;w=60, "day";q=500;w=86400`},
				"Ratelimit": {`"minute";r=0;t=2, "day";r=400;t=43200`}, "Retry-After": {"2"}}},
		{"a refusal that frees at once still waits", only(headers.XRateLimit),
			headers.State{Decision: limiter.Decision{Gate: gate(limiter.Later, 0, 0)}},
			http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1786795200"}, "Retry-After": {"1"}}},
		{"busy", only(headers.XRateLimit),
			headers.State{Decision: limiter.Decision{Gate: gate(limiter.Busy, 0, 0)}},
			http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1786795200"}, "Retry-After": {"1"}}},
		{"no waiting helps", only(headers.XRateLimitDelta),
			headers.State{Decision: limiter.Decision{Gate: gate(limiter.Never, 0, 0)}},
			http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"0"}}},
		{"a hold speaks of the rules beside it", only(headers.XRateLimitDelta),
			headers.State{Decision: limiter.Decision{Gate: limiter.Gate{Rule: "hold", Answer: limiter.Later, RetryAfter: time.Hour}},
				Gates: []limiter.Gate{gate(limiter.Allowed, 3, time.Second)}},
			http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"3"}, "X-Ratelimit-Reset": {"1"}, "Retry-After": {"3600"}}},
		{"a hold alone", nil,
			headers.State{Decision: limiter.Decision{Gate: limiter.Gate{Rule: "hold", Answer: limiter.Later, RetryAfter: time.Hour}}},
			http.Header{"Retry-After": {"3600"}}},
		{"shadow rules refuse nothing", nil,
			headers.State{Decision: limiter.Decision{Gate: limiter.Gate{Answer: limiter.Allowed, Limit: math.MaxInt64}}, Gates: []limiter.Gate{shadow}},
			http.Header{}},
		{"no rule covers the request", nil,
			headers.State{Decision: limiter.Decision{Gate: limiter.Gate{Answer: limiter.Allowed, Limit: math.MaxInt64, Remaining: math.MaxInt64}}},
			http.Header{}},
		{"the request is wrong", nil,
			headers.State{Decision: limiter.Decision{Gate: limiter.Gate{Rule: "request", Answer: limiter.Never}}},
			http.Header{}},
		{"a partition", only(headers.Draft11),
			headers.State{Decision: limiter.Decision{Gate: gate(limiter.Allowed, 1, 0)}, Partition: []byte("GET\x1falice")},
			http.Header{"Ratelimit-Policy": {`"minute";q=100;w=60;pk=:R0VUH2FsaWNl:`}, "Ratelimit": {`"minute";r=1;t=0;pk=:R0VUH2FsaWNl:`}}},
		{"an empty partition is one", only(headers.Draft11),
			headers.State{Decision: limiter.Decision{Gate: gate(limiter.Allowed, 1, 0)}, Partition: []byte{}},
			http.Header{"Ratelimit-Policy": {`"minute";q=100;w=60;pk=::`}, "Ratelimit": {`"minute";r=1;t=0;pk=::`}}},
		{"more than there can be", only(headers.XRateLimitDelta),
			headers.State{Decision: limiter.Decision{Gate: gate(limiter.Later, math.MinInt64, math.MaxInt64)}},
			http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"999999999"}, "Retry-After": {"999999999"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, printed(t, quotas, test.o, test.state))
		})
	}
}

func TestPrintSaturates(t *testing.T) {
	t.Parallel()
	quotas := []headers.Quota{{Name: "huge", Limit: math.MaxInt64, Window: math.MaxInt64}}
	g := limiter.Gate{Rule: "huge", Answer: limiter.Allowed, Limit: math.MaxInt64, Remaining: math.MaxInt64, Reset: math.MaxInt64}
	h := printed(t, quotas, nil, headers.State{Decision: limiter.Decision{Gate: g}})
	require.Equal(t, http.Header{
		"X-Ratelimit-Limit":     {"9223372036854775807"},
		"X-Ratelimit-Remaining": {"9223372036854775807"},
		"X-Ratelimit-Reset":     {"11010167237"},
		"Ratelimit-Policy":      {`"huge";q=999999999999999;w=9223372037`},
		"Ratelimit":             {`"huge";r=999999999999999;t=9223372037`},
	}, h)
}

// TestPrintTellsRulesOfOneNameApart is about accounts on plans with the same rules.
func TestPrintTellsRulesOfOneNameApart(t *testing.T) {
	t.Parallel()
	plans := headers.Quotas(
		policy.Policy{Rules: []policy.Rule{{Name: "minute", Limit: policy.SlidingWindow{Max: 10, Window: time.Minute}}}},
		policy.Policy{Rules: []policy.Rule{{Name: "minute", Limit: policy.SlidingWindow{Max: 60, Window: 2 * time.Minute}}}},
		policy.Policy{Rules: []policy.Rule{{Name: "minute", Limit: policy.SlidingWindow{Max: 300, Window: time.Minute}}}},
	)
	for limit, want := range map[int64]string{7: `"minute";q=7`, 10: `"minute";q=10;w=60`, 60: `"minute";q=60;w=120`, 300: `"minute";q=300;w=60`} {
		g := limiter.Gate{Rule: "minute", Answer: limiter.Allowed, Limit: limit}
		h := printed(t, plans, only(headers.Draft11), headers.State{Decision: limiter.Decision{Gate: g}})
		require.Equal(t, want, h.Get("RateLimit-Policy"))
	}
}

func TestPrintAddsToWhatIsThere(t *testing.T) {
	t.Parallel()
	now := headers.State{Decision: limiter.Decision{Gate: gate(limiter.Later, 0, 30*time.Second)}}
	roomy := headers.State{Decision: limiter.Decision{Gate: gate(limiter.Allowed, 90, 30*time.Second)}}
	tests := []struct {
		name  string
		there http.Header
		state headers.State
		want  map[string][]string // of the fields that matter
	}{
		{"another limiter's items stay",
			http.Header{"Ratelimit-Policy": {`"outer";q=5;w=1`}, "Ratelimit": {`"outer";r=4;t=1`, `"more";r=1`}}, now,
			map[string][]string{"Ratelimit-Policy": {`"outer";q=5;w=1, "minute";q=100;w=60`}, "Ratelimit": {`"outer";r=4;t=1, "more";r=1, "minute";r=0;t=30`}}},
		{"an item of the same name goes",
			http.Header{"Ratelimit-Policy": {`"minute";q=5;w=1`}, "Ratelimit": {`"outer";r=4, "minute";r=4;t=1`}}, now,
			map[string][]string{"Ratelimit-Policy": {`"minute";q=100;w=60`}, "Ratelimit": {`"outer";r=4, "minute";r=0;t=30`}}},
		{"what would void the field goes",
			http.Header{"Ratelimit": {`"outer";r=4;`}}, now,
			map[string][]string{"Ratelimit": {`"minute";r=0;t=30`}}},
		{"the scarcer limit stays",
			http.Header{"X-Ratelimit-Limit": {"10"}, "X-Ratelimit-Remaining": {"5"}, "X-Ratelimit-Reset": {"7"}}, roomy,
			map[string][]string{"X-Ratelimit-Limit": {"10"}, "X-Ratelimit-Remaining": {"5"}, "X-Ratelimit-Reset": {"7"}}},
		{"the scarcer limit is printed",
			http.Header{"X-Ratelimit-Limit": {"10"}, "X-Ratelimit-Remaining": {"5"}, "X-Ratelimit-Reset": {"7"}}, now,
			map[string][]string{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1786795230"}}},
		{"what is used up stays before what is left",
			http.Header{"X-Ratelimit-Limit": {"0"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"7"}}, roomy,
			map[string][]string{"X-Ratelimit-Limit": {"0"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"7"}}},
		{"of what is used up the one that is reset last stays",
			http.Header{"X-Ratelimit-Limit": {"10"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1786795231"}}, now,
			map[string][]string{"X-Ratelimit-Limit": {"10"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1786795231"}}},
		{"half a limit is none",
			http.Header{"X-Ratelimit-Limit": {"10"}, "X-Ratelimit-Remaining": {"0"}}, roomy,
			map[string][]string{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"90"}, "X-Ratelimit-Reset": {"1786795230"}}},
		{"a longer wait stays", http.Header{"Retry-After": {"31"}}, now, map[string][]string{"Retry-After": {"31"}}},
		{"a date is compared", http.Header{"Retry-After": {"Sat, 15 Aug 2026 12:01:00 GMT"}}, now, map[string][]string{"Retry-After": {"Sat, 15 Aug 2026 12:01:00 GMT"}}},
		{"a shorter wait goes", http.Header{"Retry-After": {"29"}}, now, map[string][]string{"Retry-After": {"30"}}},
		{"no wait goes", http.Header{"Retry-After": {"soon"}}, now, map[string][]string{"Retry-After": {"30"}}},
	}
	printer, err := headers.NewPrinter(minute, nil)
	require.NoError(t, err)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			printer.Print(test.there, vectorTime, test.state)
			for field, want := range test.want {
				require.Equal(t, want, test.there[field], field)
			}
		})
	}
}

func TestPrintingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	printer, state := twoPolicies(t)
	once, twice := http.Header{}, http.Header{}
	printer.Print(once, vectorTime, state)
	printer.Print(twice, vectorTime, state)
	printer.Print(twice, vectorTime, state)
	require.Equal(t, once, twice)
}

func TestPrintLeavesNoSharedSlice(t *testing.T) {
	t.Parallel()
	printer, state := twoPolicies(t)
	h := http.Header{}
	printer.Print(h, vectorTime, state)
	before := h.Clone()
	h.Add("X-RateLimit-Limit", "another")
	h["X-Ratelimit-Limit"] = h["X-Ratelimit-Limit"][:1]
	require.Equal(t, before, h)
	printer.Print(nil, vectorTime, state)
}

func TestNewPrinterRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		field string
		quota headers.Quota
		o     *headers.PrintOptions
	}{
		{"name", headers.Quota{}, nil},
		{"name", headers.Quota{Name: "a\rb"}, nil},
		{"name", headers.Quota{Name: "a\nX-Evil: 1"}, nil},
		{"name", headers.Quota{Name: "café"}, nil},
		{"name", headers.Quota{Name: "a\x7fb"}, nil},
		{"name", headers.Quota{Name: "a\x00b"}, nil},
		{"unit", headers.Quota{Name: "a", Unit: "x\r\n"}, nil},
		{"limit", headers.Quota{Name: "a", Limit: -1}, nil},
		{"window", headers.Quota{Name: "a", Window: -1}, nil},
		{"dialect", headers.Quota{Name: "a"}, &headers.PrintOptions{Dialects: []headers.Dialect{0}}},
		{"dialect", headers.Quota{Name: "a"}, &headers.PrintOptions{Dialects: []headers.Dialect{99}}},
		{"dialect", headers.Quota{Name: "a"}, &headers.PrintOptions{Dialects: []headers.Dialect{headers.Draft11, headers.Draft11}}},
		{"dialect", headers.Quota{Name: "a"}, &headers.PrintOptions{Dialects: []headers.Dialect{headers.XRateLimit, headers.XRateLimitDelta}}},
	}
	for _, test := range tests {
		_, err := headers.NewPrinter([]headers.Quota{test.quota}, test.o)
		require.ErrorIs(t, err, headers.ErrOption, "%+v", test)
		var wrong *headers.OptionError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, test.field, wrong.Field)
		require.NotEmpty(t, wrong.Remedy)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "bucket", Limit: policy.TokenBucket{Max: 3, Per: time.Second, Burst: 10}},
		{Name: "shut", Limit: policy.TokenBucket{Max: 0, Per: time.Second}},
		{Name: "slow", Limit: policy.TokenBucket{Max: 1, Per: policy.MaxDuration, Burst: math.MaxInt64}},
		{Name: "window", Limit: policy.SlidingWindow{Max: 5, Window: time.Hour}},
		{Name: "month", Limit: policy.CalendarWindow{Max: 6, Unit: policy.Month}},
		{Name: "gap", Limit: policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}},
		{Name: "pause", Limit: policy.Gap{Min: 30 * time.Second, Max: time.Minute, Every: 20}},
		{Name: "flights", Limit: policy.Concurrency{Max: 2}},
		{Name: "people", Limit: policy.UniqueRecipients{Max: 250, Window: 24 * time.Hour}},
		{Name: "strangers", Limit: policy.NewContacts{Max: 5, Window: 24 * time.Hour}},
		{Name: "hours", Limit: policy.ActiveHours{From: 9 * time.Hour, To: 17 * time.Hour}},
		{Name: "shadow", Limit: policy.Concurrency{Max: 1}, Shadow: true},
	}}
	require.Equal(t, []headers.Quota{
		{Name: "bucket", Limit: 10, Window: 3333333334},
		{Name: "shut", Limit: 1},
		{Name: "slow", Limit: math.MaxInt64, Window: policy.MaxDuration},
		{Name: "window", Limit: 5, Window: time.Hour},
		{Name: "month", Limit: 6, Window: 31 * 24 * time.Hour},
		{Name: "gap", Limit: 1, Window: 9 * time.Second},
		{Name: "pause", Limit: 20, Window: time.Minute},
		{Name: "flights", Limit: 2, Unit: headers.ConcurrentRequests},
		{Name: "people", Limit: 250, Window: 24 * time.Hour, Unit: headers.UniqueRecipients},
		{Name: "strangers", Limit: 5, Window: 24 * time.Hour, Unit: headers.NewContacts},
	}, headers.Quotas(p))
}
