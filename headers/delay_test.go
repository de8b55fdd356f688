package headers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

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
