package headers_test

import (
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
