package headers_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

// addVectors gives the fuzzer the lines of a field from every vector.
func addVectors(f *testing.F, add func(field, line string)) {
	f.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "headers.json"))
	require.NoError(f, err)
	var vectors []vector
	require.NoError(f, json.Unmarshal(text, &vectors))
	for _, v := range vectors {
		for field, lines := range v.Headers {
			add(field, strings.Join(lines, "\n"))
		}
	}
}

// requireSound checks what holds of every advice.
func requireSound(t *testing.T, a headers.Advice) {
	t.Helper()
	const most = 24 * time.Hour
	require.True(t, 0 <= a.Wait && a.Wait <= most, "wait %v", a.Wait)
	require.True(t, 0 <= a.Reset && a.Reset <= most, "reset %v", a.Reset)
	require.GreaterOrEqual(t, a.Limit, int64(headers.Unknown))
	require.GreaterOrEqual(t, a.Remaining, int64(headers.Unknown))
	require.False(t, a.Limited && a.Locked)
	if a.Kind == 0 {
		require.Zero(t, a.Wait)
	}
	if a.Clamped {
		require.True(t, a.Wait == most || a.Reset == most, "clamped to %v and %v", a.Wait, a.Reset)
		require.NotEmpty(t, a.Notes)
	}
	for _, q := range a.Quotas {
		require.True(t, q.Limit >= 0 && q.Window >= 0 && q.Unit != "", "%+v", q)
	}
	for _, s := range a.ServiceLimits {
		require.True(t, s.Limit >= headers.Unknown && s.Remaining >= headers.Unknown && s.Reset >= 0 && s.Cost >= 0, "%+v", s)
	}
	if a.Usage != nil {
		require.True(t, a.Usage.Percent >= 0 && 0 <= a.Usage.Regain && a.Usage.Regain <= most, "%+v", a.Usage)
	}
	for _, note := range a.Notes {
		require.True(t, utf8.ValidString(note) && !strings.ContainsAny(note, "\r\n") && len(note) < 300, "%q", note)
	}
	require.LessOrEqual(t, len(a.Notes), headers.MaxItems)
	require.LessOrEqual(t, len(a.Quotas), headers.MaxItems)
	require.LessOrEqual(t, len(a.ServiceLimits), headers.MaxItems+1)
}

// parseLines parses an answer with one field, whose lines are told apart by line
// breaks.
func parseLines(field, lines string, o *headers.ParseOptions) headers.Advice {
	h := http.Header{}
	for line := range strings.SplitSeq(lines, "\n") {
		h.Add(field, line)
	}
	return headers.Parse(&http.Response{StatusCode: http.StatusTooManyRequests, Header: h}, nil, vectorTime, o)
}

func FuzzRetryAfter(f *testing.F) {
	addVectors(f, func(field, line string) { f.Add(line) })
	f.Fuzz(func(t *testing.T, lines string) {
		a := parseLines("Retry-After", lines, nil)
		requireSound(t, a)
		if a.Kind == 0 {
			require.NotEmpty(t, a.Notes)
		}
	})
}

func FuzzReset(f *testing.F) {
	addVectors(f, func(field, line string) { f.Add(line, uint8(0)) })
	f.Add("1786795260", uint8(1))
	f.Add("1500", uint8(3))
	f.Fuzz(func(t *testing.T, lines string, form uint8) {
		o := &headers.ParseOptions{Reset: headers.ResetForm(form)}
		requireSound(t, parseLines("X-RateLimit-Reset", lines, o))
		requireSound(t, parseLines("X-RateLimit-Remaining", lines, o))
		requireSound(t, parseLines("RateLimit-Limit", lines, o))
		requireSound(t, parseLines("RateLimit-Reset", lines, o))
	})
}

func FuzzDraftFields(f *testing.F) {
	addVectors(f, func(field, line string) { f.Add(line) })
	f.Add("limit=100, remaining=50, reset=5")
	f.Add(`"a";r=1;t=2;pk=:YQ:`)
	f.Fuzz(func(t *testing.T, lines string) {
		requireSound(t, parseLines("RateLimit-Policy", lines, nil))
		requireSound(t, parseLines("RateLimit", lines, nil))
	})
}

func FuzzUsage(f *testing.F) {
	addVectors(f, func(field, line string) { f.Add(line) })
	f.Add(`{"1":[{"call_count":100,"estimated_time_to_regain_access":5}],"2":{"total_time":"97.5"}}`)
	f.Fuzz(func(t *testing.T, lines string) {
		for _, field := range []string{"X-App-Usage", "X-Ad-Account-Usage", "X-Business-Use-Case-Usage"} {
			requireSound(t, parseLines(field, lines, nil))
		}
	})
}

func FuzzBody(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "headers.json"))
	require.NoError(f, err)
	var vectors []vector
	require.NoError(f, json.Unmarshal(text, &vectors))
	for _, v := range vectors {
		if v.Op == "body" {
			f.Add(v.Status, v.Body)
		}
	}
	f.Add(403, `{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","violated-policies":["a",1,"b"]}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		requireSound(t, headers.Parse(&http.Response{StatusCode: status}, []byte(body), vectorTime, nil))
	})
}

func FuzzClock(f *testing.F) {
	f.Add("Sat, 15 Aug 2026 12:00:00 GMT", "30", "Sat, 15 Aug 2026 12:01:00 GMT")
	f.Add("Saturday, 15-Aug-26 12:00:00 UTC", "99999999999999999999", "2026-08-15T12:01:00Z")
	f.Add("Sun Nov  6 08:49:37 1994", "-1", "9223372036854775807")
	f.Fuzz(func(t *testing.T, date, age, retry string) {
		h := http.Header{"Date": {date}, "Age": {age}, "Retry-After": {retry}, "X-Ratelimit-Reset": {retry}}
		requireSound(t, headers.Parse(&http.Response{StatusCode: http.StatusServiceUnavailable, Header: h}, nil, vectorTime, nil))
	})
}
