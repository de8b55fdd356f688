package headers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

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
