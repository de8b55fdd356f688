package headers_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// twoPolicies is a limiter's printer and what it prints of a refusal.
func twoPolicies(tb testing.TB, dialects ...headers.Dialect) (*headers.Printer, headers.State) {
	tb.Helper()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "burst", Limit: policy.SlidingWindow{Max: 1, Window: time.Minute}},
		{Name: "daily", Limit: policy.CalendarWindow{Max: 500, Unit: policy.Day}},
	}}
	l, err := limiter.New(p, nil)
	require.NoError(tb, err)
	printer, err := headers.NewPrinter(headers.Quotas(p), &headers.PrintOptions{Dialects: dialects})
	require.NoError(tb, err)
	req := limiter.Request{Account: "a", Action: policy.SendMessage}
	l.Allow(vectorTime, req)
	d := l.Allow(vectorTime, req)
	require.Equal(tb, limiter.Later, d.Answer)
	return printer, headers.State{Decision: d, Gates: l.Gates(vectorTime, req)}
}

func BenchmarkPrint(b *testing.B) {
	for name, dialects := range map[string][]headers.Dialect{
		"X-RateLimit": {headers.XRateLimit},
		"draft-11":    {headers.Draft11},
		"both":        {headers.XRateLimit, headers.Draft11},
	} {
		b.Run(name, func(b *testing.B) {
			printer, state := twoPolicies(b, dialects...)
			h := http.Header{}
			b.ReportAllocs()
			for b.Loop() {
				clear(h)
				printer.Print(h, vectorTime, state)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for name, fields := range map[string]http.Header{
		"X-RateLimit":  {"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1786795260"}, "Retry-After": {"60"}},
		"two policies": {"Ratelimit-Policy": {`"burst";q=100;w=60, "daily";q=1000;w=86400`}},
		"draft-11": {"Ratelimit-Policy": {`"burst";q=100;w=60, "daily";q=1000;w=86400`},
			"Ratelimit": {`"burst";r=0;t=60, "daily";r=499;t=43200`}, "Retry-After": {"60"}},
		"nothing": {"Content-Type": {"text/plain"}},
	} {
		b.Run(name, func(b *testing.B) {
			answer := &http.Response{StatusCode: http.StatusTooManyRequests, Header: fields}
			b.ReportAllocs()
			for b.Loop() {
				if a := headers.Parse(answer, nil, vectorTime, nil); len(a.Notes) > 0 {
					b.Fatal(a.Notes)
				}
			}
		})
	}
}

//nolint:paralleltest // AllocsPerRun counts what other tests allocate too
func TestPrintAllocatesTheHeaderValuesAlone(t *testing.T) {
	printer, state := twoPolicies(t, headers.XRateLimit, headers.Draft11)
	h := http.Header{}
	allocs := testing.AllocsPerRun(1000, func() {
		clear(h)
		printer.Print(h, vectorTime, state)
	})
	require.Len(t, h, 6)
	most := 2.0 // one for the texts, one for the slices that they are in
	if slower > 1 {
		most++ // the race detector makes pools lose things
	}
	require.LessOrEqual(t, allocs, most)
}
