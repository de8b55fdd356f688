package headers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

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
		{`{"retry_after":5e-05}`, 50 * time.Microsecond, headers.Delta},
		{`{"retry_after":1.5E+1}`, 15 * time.Second, headers.Delta},
		{`{"retry_after":1e-400}`, 0, headers.Delta},
		{`{"retry_after":1e19}`, 0, 0},
		{`{"retry_after":-1e-5}`, 0, 0},
		{`{"retry_after":"1e3"}`, 0, 0},
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
