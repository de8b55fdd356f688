package headers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

// parsed parses an answer with fields, each told as "Name: line".
func parsed(status int, body string, fields ...string) headers.Advice {
	h := http.Header{}
	for _, field := range fields {
		name, line, _ := strings.Cut(field, ": ")
		h.Add(name, line)
	}
	return headers.Parse(&http.Response{StatusCode: status, Header: h}, []byte(body), vectorTime, nil)
}

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	const none = -1
	tests := []struct {
		line string
		want time.Duration
		kind headers.Kind
	}{
		{"120", 120 * time.Second, headers.Delta},
		{"0", 0, headers.Delta},
		{"007", 7 * time.Second, headers.Delta},
		{" 60\t", 60 * time.Second, headers.Delta},
		{"0.5", 500 * time.Millisecond, headers.Delta},
		{"0.0000000001", 1, headers.Delta},
		{"999999999", 24 * time.Hour, headers.Delta},
		{"1000000000", 0, headers.Epoch},
		{"1786795260", time.Minute, headers.Epoch},
		{"1786795260.5", time.Minute + 500*time.Millisecond, headers.Epoch},
		{"1786795260000", time.Minute, headers.Epoch},
		{"1786795260000000", time.Minute, headers.Epoch},
		{"1786795260000000000", time.Minute, headers.Epoch},
		{"9223372036854775807", 24 * time.Hour, headers.Epoch},
		{"9223372036854775808", 24 * time.Hour, headers.Delta},
		{strings.Repeat("9", 400), 24 * time.Hour, headers.Delta},
		{"Sat, 15 Aug 2026 12:01:00 GMT", time.Minute, headers.Date},
		{"Sat, 15 Aug 2026 12:01:00 gmt", time.Minute, headers.Date},
		{"Sat Aug 15 12:01:00 2026", time.Minute, headers.Date},
		{"Sun Nov  6 08:49:37 1994", 0, headers.Date},
		{"Saturday, 15-Aug-26 12:01:00 UTC", time.Minute, headers.Date},
		{"Saturday, 15-Aug-2026 12:01:00 GMT", time.Minute, headers.Date},
		{"Friday, 15-Aug-75 12:01:00 GMT", 24 * time.Hour, headers.Date}, // 49 years away
		{"Monday, 15-Aug-77 12:01:00 GMT", 0, headers.Date},              // 51 would be too many
		{"Sat, 15 Aug 9999 12:01:00 GMT", 24 * time.Hour, headers.Date},
		{"2026-08-15T14:01:00+02:00", time.Minute, headers.Date},
		{"2026-08-15T12:01:00.25Z", time.Minute + 250*time.Millisecond, headers.Date},
		{"", none, 0},
		{"-1", none, 0},
		{"+5", none, 0},
		{"5.", none, 0},
		{".5", none, 0},
		{"1.2.3", none, 0},
		{"1_000", none, 0},
		{"1,000", none, 0},
		{"30, 90", none, 0},
		{"60s", none, 0},
		{"six", none, 0},
		{"６０", none, 0},
		{"NaN", none, 0},
		{"Inf", none, 0},
		{"Saturday, 15-Aug-26 12:01:00 PST", none, 0},
		{"Sat, 15 Aug 2026 25:01:00 GMT", none, 0},
		{"Sat, 31 Feb 2026 12:01:00 GMT", none, 0},
		{"2026-08-15T12:01:00", none, 0},
		{strings.Repeat("1", headers.MaxField+1), none, 0},
	}
	for _, test := range tests {
		a := parsed(http.StatusTooManyRequests, "", "Retry-After: "+test.line)
		require.Equal(t, test.kind, a.Kind, "%q", test.line)
		if test.want == none {
			require.Zero(t, a.Wait, "%q", test.line)
			require.NotEmpty(t, a.Notes, "%q", test.line)
			continue
		}
		require.Equal(t, test.want, a.Wait, "%q", test.line)
		require.Equal(t, a.Wait == 24*time.Hour, a.Clamped, "%q", test.line)
	}
}

func TestParseTakesTheSendersClock(t *testing.T) {
	t.Parallel()
	const in = "Retry-After: Sat, 15 Aug 2026 12:01:00 GMT"
	tests := []struct {
		fields []string
		want   time.Duration
	}{
		{nil, time.Minute},
		{[]string{"Date: Sat, 15 Aug 2026 11:59:30 GMT"}, 90 * time.Second},
		{[]string{"Date: Sat, 15 Aug 2026 12:00:30 GMT"}, 30 * time.Second},
		{[]string{"Date: Sat, 15 Aug 2026 12:00:00 GMT", "Age: 30"}, 30 * time.Second},
		{[]string{"Date: Sat, 15 Aug 2026 12:00:00 GMT", "Age: -30"}, time.Minute},
		{[]string{"Date: Sat, 15 Aug 2026 12:00:00 GMT", "Age: 99999999999999999999"}, 0},
		{[]string{"Age: 30"}, time.Minute},
		{[]string{"Date: today"}, time.Minute},
		{[]string{"Date: Sat, 15 Aug 2026 11:00:00 EST"}, time.Minute},
	}
	for _, test := range tests {
		a := parsed(http.StatusTooManyRequests, "", append(test.fields, in)...)
		require.Equal(t, test.want, a.Wait, "%v", test.fields)
	}
	require.True(t, parsed(http.StatusOK, "", "Age: 1").Cached)
	require.False(t, parsed(http.StatusOK, "", "Age: 0").Cached)
}

func TestParseReset(t *testing.T) {
	t.Parallel()
	const none = -1
	tests := []struct {
		form headers.ResetForm
		line string
		want time.Duration
	}{
		{headers.ResetGuess, "20ms", 20 * time.Millisecond},
		{headers.ResetGuess, "1h2m3s", time.Hour + 2*time.Minute + 3*time.Second},
		{headers.ResetGuess, "2026-08-15T12:01:00Z", time.Minute},
		{headers.ResetGuess, "99999999999", 24 * time.Hour},
		{headers.ResetGuess, "100000000000", 0},
		{headers.ResetGuess, "1786795260000000", time.Minute},
		{headers.ResetGuess, "1786795260000000000", time.Minute},
		{headers.ResetGuess, "-5s", none},
		{headers.ResetGuess, "+5s", none},
		{headers.ResetGuess, "5 s", none},
		{headers.ResetGuess, "9223372036854775808", none},
		{headers.ResetGuess, "-1", none},
		{headers.ResetGuess, "1e3", none},
		{headers.ResetGuess, "", none},
		{headers.ResetEpoch, "60", 0},
		{headers.ResetEpoch, "1786795260", time.Minute},
		{headers.ResetEpoch, "1786795260000", time.Minute},
		{headers.ResetEpoch, "Sat, 15 Aug 2026 12:01:00 GMT", time.Minute},
		{headers.ResetDelta, "60", time.Minute},
		{headers.ResetDelta, "9223372036854775808", none},
		{headers.ResetDeltaMillis, "1500.5", 1500*time.Millisecond + 500*time.Microsecond},
		{headers.ResetDeltaMillis, "9223372036854775807", 24 * time.Hour},
		{headers.ResetForm(77), "60", 0}, // as an epoch: no form's number slows anybody down for long
	}
	for _, test := range tests {
		h := http.Header{"X-Ratelimit-Reset": {test.line}}
		a := headers.Parse(&http.Response{StatusCode: http.StatusOK, Header: h}, nil, vectorTime, &headers.ParseOptions{Reset: test.form})
		if test.want == none {
			require.Zero(t, a.ResetKind, "%+v", test)
			require.NotEmpty(t, a.Notes, "%+v", test)
			continue
		}
		require.NotZero(t, a.ResetKind, "%+v", test)
		require.Equal(t, test.want, a.Reset, "%+v", test)
	}
}

func TestParseLimits(t *testing.T) {
	t.Parallel()
	limits := func(fields ...string) []headers.ServiceLimit {
		return parsed(http.StatusOK, "", fields...).ServiceLimits
	}
	seconds := func(s headers.ServiceLimit, n int64) headers.ServiceLimit {
		s.Reset, s.ResetKind = time.Duration(n)*time.Second, headers.Delta
		return s
	}
	draft := func(name string, limit, remaining int64) headers.ServiceLimit {
		return headers.ServiceLimit{Name: name, Limit: limit, Remaining: remaining, Source: "RateLimit"}
	}
	family := func(prefix string, limit, remaining int64) headers.ServiceLimit {
		return headers.ServiceLimit{Limit: limit, Remaining: remaining, Source: prefix}
	}
	tests := []struct {
		name   string
		fields []string
		want   []headers.ServiceLimit
	}{
		{"drafts 00 to 03", []string{"RateLimit-Limit: 100, 100;w=60;comment=\"x\"", "RateLimit-Remaining: 50", "RateLimit-Reset: 5"},
			[]headers.ServiceLimit{seconds(family("RateLimit-", 100, 50), 5)}},
		{"a draft's reset is seconds, however many", []string{"RateLimit-Reset: 1786795260"},
			[]headers.ServiceLimit{seconds(family("RateLimit-", -1, -1), 1786795260)}},
		{"a draft's reset is no date", []string{"RateLimit-Remaining: 1", "RateLimit-Reset: Sat, 15 Aug 2026 12:01:00 GMT"},
			[]headers.ServiceLimit{family("RateLimit-", -1, 1)}},
		{"draft 07", []string{"RateLimit: limit=100, remaining=50, reset=5"},
			[]headers.ServiceLimit{seconds(draft("", 100, 50), 5)}},
		{"draft 07 with more", []string{"RateLimit: limit=100, remaining=0, policy=10;w=1, burst"},
			[]headers.ServiceLimit{draft("", 100, 0)}},
		{"draft 07 without what is left", []string{"RateLimit: limit=100, reset=5"}, nil},
		{"drafts 08 to 11, with the quota's size", []string{`RateLimit-Policy: "a";q=10;w=1,"b";q=20`, `RateLimit: "b";r=5;t=3`, `RateLimit: "a";r=1`, `RateLimit: "c";r=2`},
			[]headers.ServiceLimit{seconds(draft("b", 20, 5), 3), draft("a", 10, 1), draft("c", -1, 2)}},
		{"the case of a token does not matter", []string{"RateLimit-Policy: DAILY;q=10, \"Daily\";q=20", "RateLimit: daily;a=5, \"Daily\";r=1"},
			[]headers.ServiceLimit{draft("daily", 10, 5), draft("Daily", 20, 1)}},
		{"another partition's quota is another", []string{`RateLimit-Policy: "a";q=10;pk=:YQ==:, "a";q=20`, `RateLimit: "a";r=5`},
			[]headers.ServiceLimit{draft("a", 20, 5)}},
		{"the draft after, with tokens", []string{`RateLimit: default;a=50;w=30;c=5`},
			[]headers.ServiceLimit{{Name: "default", Limit: -1, Remaining: 50, Cost: 5, Reset: 30 * time.Second, ResetKind: headers.Delta, Source: "RateLimit"}}},
		{"t belongs to r, w to a", []string{`RateLimit: "x";a=5;t=9, "y";r=5;w=9, "z";r=1;a=2;t=3;w=4`},
			[]headers.ServiceLimit{draft("x", -1, 5), draft("y", -1, 5), seconds(draft("z", -1, 1), 3)}},
		{"bad items are left out", []string{`RateLimit: "a";r=1.5, "b";r=-1, "c";r=1;t=-1, "d";r=1;t="5", "e";r=1;pk="x", 5;r=1, ("f");r=1, ?1;r=1, "g";r=1, "h"`},
			[]headers.ServiceLimit{draft("g", -1, 1)}},
		{"a parameter that the draft does not know may be anything", []string{`RateLimit: "a";r=1;c="x";acme-x=?0;w=foo`},
			[]headers.ServiceLimit{draft("a", -1, 1)}},
		{"a syntax error voids the field", []string{`RateLimit: "a";r=1, "b";r=1,`}, nil},
		{"and so does an integer of 16 digits", []string{`RateLimit: "a";r=1000000000000000`}, nil},
		{"nothing left", []string{`RateLimit: "a";r=0;t=0`}, []headers.ServiceLimit{seconds(draft("a", -1, 0), 0)}},
		{"a week", []string{`RateLimit: "a";r=0;t=604800`}, []headers.ServiceLimit{seconds(draft("a", -1, 0), 604800)}},
		{"both dialects", []string{`RateLimit: "a";r=7`, "X-RateLimit-Remaining: 8"},
			[]headers.ServiceLimit{draft("a", -1, 7), family("X-RateLimit-", -1, 8)}},
		{"the first family that says anything", []string{"RateLimit-Limit: x", "X-RateLimit-Limit: 7", "X-Rate-Limit-Limit: 9"},
			[]headers.ServiceLimit{family("X-RateLimit-", 7, -1)}},
		{"nested limiters", []string{"X-RateLimit-Limit: 100", "X-RateLimit-Limit: 10", "X-RateLimit-Remaining: 3", "X-RateLimit-Remaining: 9", "X-RateLimit-Reset: 5", "X-RateLimit-Reset: 50"},
			[]headers.ServiceLimit{seconds(family("X-RateLimit-", 10, 3), 50)}},
		{"one bad line hides no good one", []string{"X-RateLimit-Remaining: x", "X-RateLimit-Remaining: 9"},
			[]headers.ServiceLimit{family("X-RateLimit-", -1, 9)}},
		{"Discord", []string{"X-RateLimit-Limit: 5", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1786799999.9", "X-RateLimit-Reset-After: 2.0"},
			[]headers.ServiceLimit{seconds(family("X-RateLimit-", 5, 0), 2)}},
		{"more than 64 bits", []string{"X-RateLimit-Remaining: 99999999999999999999"},
			[]headers.ServiceLimit{family("X-RateLimit-", -1, 1<<63-1)}},
		{"numbers that are none", []string{"X-RateLimit-Limit: -1", "X-RateLimit-Remaining: 1e3", "X-RateLimit-Reset: soon"}, nil},
		{"too many items", []string{"RateLimit: " + strings.TrimSuffix(strings.Repeat(`"a";r=1,`, headers.MaxItems+1), ",")}, nil},
		{"too many bytes", []string{"RateLimit: " + `"a";r=1;x="` + strings.Repeat("x", headers.MaxField) + `"`}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := limits(test.fields...)
			require.Len(t, got, len(test.want))
			for i := range test.want {
				require.Equal(t, test.want[i], got[i])
			}
		})
	}
}

func TestParseQuotas(t *testing.T) {
	t.Parallel()
	tests := []struct {
		line string
		want []headers.Quota
	}{
		{`burst;q=100;w=60, "daily";q=5`, []headers.Quota{{Name: "burst", Limit: 100, Window: time.Minute, Unit: "requests"}, {Name: "daily", Limit: 5, Unit: "requests"}}},
		{`"a";q=5;qu="content-bytes"`, []headers.Quota{{Name: "a", Limit: 5, Unit: "content-bytes"}}},
		{`"a";q=5;w=0, "b";q=5;w=-1, "c";q=5;w=1.5, "d";q=5;qu=token, "e";q=5;pk=5, -5;w=1, "f";q`, nil},
		{`"a";q=5;pk=:YQ:`, []headers.Quota{{Name: "a", Limit: 5, Unit: "requests", Partition: []byte("a")}}},
		{`"a:b=:c:";q=5;pk=:YWI:;x=y:z, "c\":";q=6;pk=:YWJj:`, []headers.Quota{
			{Name: "a:b=:c:", Limit: 5, Unit: "requests", Partition: []byte("ab")}, {Name: `c":`, Limit: 6, Unit: "requests", Partition: []byte("abc")}}},
		{`"a";q=5;pk=:Y:`, nil},
		{`"a";q=5;pk=:YQ`, nil},
		{`"a";q=5;pk=::`, []headers.Quota{{Name: "a", Limit: 5, Unit: "requests", Partition: []byte{}}}},
		{`"";q=5`, []headers.Quota{{Limit: 5, Unit: "requests"}}},
		{`"a";q=999999999999999;w=999999999999999`, []headers.Quota{{Name: "a", Limit: 999_999_999_999_999, Window: 1<<63 - 1, Unit: "requests"}}},
		{"\"a\";\tq=5", nil},
		{`"a";q=@123`, nil},
		{``, nil},
	}
	for _, test := range tests {
		a := parsed(http.StatusOK, "", "RateLimit-Policy: "+test.line)
		require.Len(t, a.Quotas, len(test.want), test.line)
		for i := range test.want {
			require.Equal(t, test.want[i], a.Quotas[i], test.line)
		}
	}
}

func TestParseBinding(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		line string
		want string
	}{
		{"the one with the smallest share left", `"a";r=5, "b";r=50, "c";r=9`, "b"},
		{"what is exhausted comes first", `"a";r=5, "b";r=50, "c";r=0;t=1`, "c"},
		{"of those the one that is reset last", `"a";r=0;t=9, "b";r=0, "c";r=0;t=8`, "a"},
	}
	for _, test := range tests {
		a := parsed(http.StatusOK, "", `RateLimit-Policy: "a";q=10, "b";q=1000, "c";q=10`, "RateLimit: "+test.line)
		require.Equal(t, test.want, a.Name, test.name)
	}
}

func TestParseWait(t *testing.T) {
	t.Parallel()
	const app = `X-Business-Use-Case-Usage: {"1":[{"call_count":100,"estimated_time_to_regain_access":3}]}`
	tests := []struct {
		name   string
		status int
		body   string
		fields []string
		want   time.Duration
		kind   headers.Kind
	}{
		{"nothing said", 429, "", nil, 0, 0},
		{"Retry-After is first", 429, `{"retry_after":7}`, []string{"Retry-After: 5", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 60", app}, 5 * time.Second, headers.Delta},
		{"then the body", 429, `{"retry_after":7}`, []string{"X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 60", app}, 7 * time.Second, headers.Delta},
		{"then lost access", 429, "", []string{"X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 60", app}, 3 * time.Minute, headers.Delta},
		{"then what is exhausted", 429, "", []string{"X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 60"}, time.Minute, headers.Delta},
		{"the longest of it", 200, "", []string{`RateLimit: "a";r=0;t=5,"b";r=0;t=9,"c";r=1;t=99`}, 9 * time.Second, headers.Delta},
		{"a refusal that does not tell what is left", 429, "", []string{"X-RateLimit-Reset: 60"}, time.Minute, headers.Delta},
		{"something is left, so another limit refused", 429, "", []string{"X-RateLimit-Remaining: 5", "X-RateLimit-Reset: 60"}, 0, 0},
		{"something is left", 200, "", []string{"X-RateLimit-Remaining: 5", "X-RateLimit-Reset: 60"}, 0, 0},
		{"the daily limit ends at midnight", 429, `{"success":false,"code":"DAILY_LIMIT_REACHED"}`, nil, 12 * time.Hour, headers.Documented},
		{"unless the answer says", 429, `{"success":false,"code":"DAILY_LIMIT_REACHED"}`, []string{"Retry-After: 5"}, 5 * time.Second, headers.Delta},
		{"a redirect's is about the redirect", 302, "", []string{"Retry-After: 5"}, 0, 0},
		{"an unavailable service", 503, "", []string{"Retry-After: 5"}, 5 * time.Second, headers.Delta},
		{"an ad account below its limit", 200, "", []string{`X-Ad-Account-Usage: {"acc_id_util_pct":9.67,"reset_time_duration":100}`}, 0, 0},
		{"an ad account at its limit", 200, "", []string{`X-Ad-Account-Usage: {"acc_id_util_pct":100,"reset_time_duration":100}`}, 100 * time.Second, headers.Delta},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := parsed(test.status, test.body, test.fields...)
			require.Equal(t, test.want, a.Wait)
			require.Equal(t, test.kind, a.Kind)
		})
	}
}

func TestParseLimited(t *testing.T) {
	t.Parallel()
	meta := func(code int) string {
		return fmt.Sprintf(`{"error":{"message":"x","type":"OAuthException","code":%d}}`, code)
	}
	tests := []struct {
		status int
		body   string
		fields []string
		want   bool
		code   string
	}{
		{429, "", nil, true, ""},
		{200, "", nil, false, ""},
		{400, meta(4), nil, true, "4"},
		{403, meta(17), nil, true, "17"},
		{400, meta(32), nil, true, "32"},
		{400, meta(613), nil, true, "613"},
		{400, meta(80007), nil, true, "80007"},
		{400, meta(80014), nil, true, "80014"},
		{400, meta(80015), nil, false, "80015"},
		{400, meta(130429), nil, true, "130429"},
		{400, meta(131048), nil, true, "131048"},
		{400, meta(131056), nil, true, "131056"},
		{400, meta(133016), nil, true, "133016"},
		{400, meta(131026), nil, false, "131026"},
		{400, meta(190), nil, false, "190"},
		{500, meta(-4), nil, false, "-4"},
		{400, `{"error":{"code":"130429"}}`, nil, true, "130429"},
		{400, `{"errors":[{"code":131056}]}`, nil, true, "131056"},
		{401, `{"errors":[{"code":32,"message":"Could not authenticate you"}]}`, nil, false, "32"},
		{400, `{"code":4}`, nil, false, "4"},
		{200, meta(4), nil, false, "4"},
		{400, `{"status":"error","error":{"code":130429,"title":"Rate limit hit"}}`, nil, true, "130429"},
		{400, `{"success":false,"error":{"code":"rate_limit_exceeded"}}`, nil, true, "rate_limit_exceeded"},
		{400, `{"success":false,"error":"Too many","code":"RATE_LIMITED"}`, nil, true, "RATE_LIMITED"},
		{503, `{"success":false,"data":null,"error":"x","code":"WHATSAPP_NOT_CONNECTED"}`, nil, false, "WHATSAPP_NOT_CONNECTED"},
		{400, `{"success":false,"data":null,"error":"x","code":"VALIDATION_ERROR"}`, nil, false, "VALIDATION_ERROR"},
		{200, `{"success":true,"data":{"code":"RATE_LIMITED"},"error":"","code":""}`, nil, false, ""},
		{429, `{"error":{"type":"rate_limit_error","message":"x"},"type":"error"}`, nil, true, "rate_limit_error"},
		{429, `{"error":{"code":null,"type":7},"errors":[],"code":false}`, nil, true, ""},
		{429, `{"error":{"code":""},"errors":{"code":1},"code":"x"}`, nil, true, "x"},
		{503, `{"type":"https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"}`, nil, true, "temporary-reduced-capacity"},
		{403, `{"type":"https://iana.org/assignments/http-problem-types#abnormal-usage-detected"}`, nil, true, "abnormal-usage-detected"},
		{403, `{"type":"https://example.com/probs/out-of-credit/"}`, nil, false, "out-of-credit"},
		{403, `{"type":"about:blank"}`, nil, false, ""},
		{429, `{"type":"urn:problem:slow-down","code":"first"}`, nil, true, "first"},
		{403, "", []string{"X-RateLimit-Remaining: 0"}, true, ""},
		{403, "", []string{"Retry-After: 60"}, true, ""},
		{403, "", []string{"X-RateLimit-Remaining: 1"}, false, ""},
		{503, "", []string{"Retry-After: 60"}, false, ""},
		{429, "not JSON", nil, true, ""},
		{429, `["error"]`, nil, true, ""},
		{429, `{"error":{"code":`, nil, true, ""},
		{429, `{"code":"` + strings.Repeat("x", headers.MaxBody) + `"}`, nil, true, ""},
	}
	for _, test := range tests {
		a := parsed(test.status, test.body, test.fields...)
		require.Equal(t, test.want, a.Limited, "%+v", test)
		require.Equal(t, test.code, a.Code, "%+v", test)
		require.False(t, a.Locked)
	}
}

func TestParseLock(t *testing.T) {
	t.Parallel()
	a := parsed(429, `{"error":{"type":"invalid_request_error","code":"lock_timeout"}}`)
	require.True(t, a.Locked)
	require.False(t, a.Limited)
	require.False(t, parsed(403, `{"error":{"code":"lock_timeout"}}`, "Retry-After: 1").Limited)
	require.Equal(t, 2*time.Second, parsed(429, `{"code":"lock_timeout","retry_after":2}`).Wait)
	require.False(t, parsed(200, `{"code":"lock_timeout"}`).Locked)
}

func TestParseBodyWait(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body string
		want time.Duration
		kind headers.Kind
	}{
		{`{"error":{"retry_after":3}}`, 3 * time.Second, headers.Delta},
		{`{"ok":false,"error_code":429,"parameters":{"retry_after":35}}`, 35 * time.Second, headers.Delta},
		{`{"retry_after":0}`, 0, headers.Delta},
		{`{"retry_after":100000}`, 24 * time.Hour, headers.Delta},
		{`{"retry_after":"0.25"}`, 250 * time.Millisecond, headers.Delta},
		{`{"retry_after":null}`, 0, 0},
		{`{"retry_after":true}`, 0, 0},
		{`{"retry_after":[60]}`, 0, 0},
		{`{"retry_after":"soon"}`, 0, 0},
		{`{"retry_after":"-1"}`, 0, 0},
		{`{"retry_after":99999999999999999999}`, 0, 0},
		{`{"error":"x","parameters":7}`, 0, 0},
	}
	for _, test := range tests {
		a := parsed(429, test.body)
		require.Equal(t, test.kind, a.Kind, test.body)
		require.Equal(t, test.want, a.Wait, test.body)
	}
}

func TestParseViolated(t *testing.T) {
	t.Parallel()
	a := parsed(429, `{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"x","violated-policies":["daily",5,null,"","burst"]}`)
	require.Equal(t, "quota-exceeded", a.Code)
	require.Equal(t, []string{"daily", "burst"}, a.Violated)
	require.Nil(t, parsed(429, `{"violated-policies":"daily"}`).Violated)
	many := parsed(429, `{"violated-policies":["a"`+strings.Repeat(`,"a"`, headers.MaxItems)+`]}`)
	require.Len(t, many.Violated, headers.MaxItems)
	require.NotEmpty(t, many.Notes)
}

func TestParseUsage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fields []string
		want   *headers.Usage
	}{
		{[]string{`X-App-Usage: {"call_count":28.1,"total_time":25,"total_cputime":25}`}, &headers.Usage{Percent: 29}},
		{[]string{`X-App-Usage: {"call_count":"97"}`}, &headers.Usage{Percent: 97}},
		{[]string{`X-App-Usage: {"call_count":150}`}, &headers.Usage{Percent: 150}},
		{[]string{`X-App-Usage: {}`}, nil},
		{[]string{`X-App-Usage: {"call_count":-1,"total_time":null,"total_cputime":[]}`}, nil},
		{[]string{`X-App-Usage: null`}, nil},
		{[]string{`X-App-Usage: [{"call_count":5}]`}, nil},
		{[]string{`X-App-Usage: not json`, `X-App-Usage: {"call_count":5}`}, &headers.Usage{Percent: 5}},
		{[]string{`X-Ad-Account-Usage: {"acc_id_util_pct":9.67,"reset_time_duration":1800}`}, &headers.Usage{Percent: 10, Regain: 30 * time.Minute}},
		{[]string{`X-Business-Use-Case-Usage: {"1":[{"type":"messages","call_count":5,"estimated_time_to_regain_access":0},{"type":"x","total_cputime":99,"estimated_time_to_regain_access":12.5}],"2":{"total_time":7},"3":"x","4":[8]}`},
			&headers.Usage{Percent: 99, Regain: 12*time.Minute + 30*time.Second}},
		{[]string{`X-Business-Use-Case-Usage: {"1":[{"estimated_time_to_regain_access":999999999999}]}`}, &headers.Usage{Regain: 24 * time.Hour, Clamped: true}},
		{[]string{`X-Business-Use-Case-Usage: {"1":[{"estimated_time_to_regain_access":153722867.9}]}`}, &headers.Usage{Regain: 24 * time.Hour, Clamped: true}},
		{[]string{`X-Business-Use-Case-Usage: []`}, nil},
		{[]string{`X-Business-Use-Case-Usage: {"1":[{"call_count":1}` + strings.Repeat(`,{"call_count":1}`, headers.MaxItems) + `]}`}, nil},
		{nil, nil},
	}
	for _, test := range tests {
		require.Equal(t, test.want, parsed(http.StatusOK, "", test.fields...).Usage, "%v", test.fields)
	}
}

func TestParseOfNothing(t *testing.T) {
	t.Parallel()
	want := headers.Advice{Limit: headers.Unknown, Remaining: headers.Unknown}
	require.Equal(t, want, headers.Parse(nil, nil, vectorTime, nil))
	require.Equal(t, want, headers.Parse(&http.Response{}, nil, time.Time{}, &headers.ParseOptions{MaxWait: -1}))
}

func TestParseHonoursMaxWait(t *testing.T) {
	t.Parallel()
	h := http.Header{"Retry-After": {"600"}}
	a := headers.Parse(&http.Response{StatusCode: 429, Header: h}, nil, vectorTime, &headers.ParseOptions{MaxWait: time.Minute})
	require.Equal(t, time.Minute, a.Wait)
	require.True(t, a.Clamped)
	require.Equal(t, []string{"wait: 10m0s is cut to 1m0s"}, a.Notes)
}

func TestParseChangesNothing(t *testing.T) {
	t.Parallel()
	h := http.Header{"Retry-After": {" 60 ", "5"}, "X-Ratelimit-Reset": {"\t7"}}
	before := h.Clone()
	headers.Parse(&http.Response{StatusCode: 429, Header: h, Trailer: http.Header{"Retry-After": {"99"}}}, nil, vectorTime, nil)
	require.Equal(t, before, h)
}

func TestNotesAreMasked(t *testing.T) {
	t.Parallel()
	a := parsed(429, "", "Retry-After: call 447700900001\x1b[2J", "X-RateLimit-Limit: "+strings.Repeat("long", 100))
	require.Len(t, a.Notes, 2)
	for _, note := range a.Notes {
		require.NotContains(t, note, "447700900001")
		require.NotContains(t, note, "\x1b")
		require.Less(t, len(note), 200)
	}
}
