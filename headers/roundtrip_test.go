package headers_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A picture is a random decision with all that a dialect may carry of it.
type picture struct {
	now    time.Time
	quotas []headers.Quota
	state  headers.State
}

// drawQuotas draws several rules.
func drawQuotas(dice *rand.Rand) []headers.Quota {
	quotas := make([]headers.Quota, 1+dice.IntN(4))
	for i := range quotas {
		name := make([]byte, 1+dice.IntN(12))
		for j := range name {
			name[j] = byte(' ' + dice.IntN('~'-' '+1))
		}
		name[0] = "abcd"[i] // so that no two are alike
		quotas[i] = headers.Quota{Name: string(name), Limit: amount(dice), Window: span(dice)}
		if dice.IntN(4) == 0 {
			quotas[i].Unit = headers.ConcurrentRequests
		}
	}
	return quotas
}

// draw draws a decision between the rules.
func draw(dice *rand.Rand, quotas []headers.Quota) picture {
	p := picture{quotas: quotas, now: time.Unix(1e9+dice.Int64N(3e9), dice.Int64N(2)*dice.Int64N(1e9))}
	for _, q := range quotas {
		p.state.Gates = append(p.state.Gates, limiter.Gate{
			Rule: q.Name, Answer: limiter.Answer(1 + dice.IntN(4)),
			Limit: q.Limit, Remaining: dice.Int64N(q.Limit + 1), Reset: span(dice), RetryAfter: span(dice),
		})
	}
	p.state.Decision.Gate = p.state.Gates[0]
	if dice.IntN(3) == 0 {
		p.state.Partition = make([]byte, dice.IntN(20))
		for i := range p.state.Partition {
			p.state.Partition[i] = byte(dice.Uint32())
		}
	}
	return p
}

// amount is a number of any size that structured fields can carry.
func amount(dice *rand.Rand) int64 {
	return dice.Int64N(1 + min(999_999_999_999_999, int64(1)<<dice.IntN(51)))
}

// span is a time of any size below the 31 years from which on a number of seconds is
// taken for an epoch.
func span(dice *rand.Rand) time.Duration {
	return time.Duration(dice.Int64N(min(999_999_999*int64(time.Second), int64(1)<<(1+dice.IntN(60)))))
}

// up is a time rounded up to a second by the definition.
func up(d time.Duration) time.Duration {
	if rest := d % time.Second; rest > 0 {
		return d - rest + time.Second
	}
	return d
}

func TestParseGivesBackWhatWasPrinted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		dialect headers.Dialect
		form    headers.ResetForm
		same    func(*picture, headers.Advice) bool
	}{
		{headers.XRateLimit, headers.ResetGuess, sameTriple},
		{headers.XRateLimitDelta, headers.ResetDelta, sameTriple},
		{headers.Draft11, headers.ResetGuess, sameItems},
	}
	for _, test := range tests {
		t.Run(test.dialect.String(), func(t *testing.T) {
			t.Parallel()
			dice := rand.New(rand.NewPCG(5, uint64(test.dialect)))
			var printer *headers.Printer
			var quotas []headers.Quota
			for i := range 100_000 / slower {
				if i%100 == 0 {
					var err error
					quotas = drawQuotas(dice)
					printer, err = headers.NewPrinter(quotas, &headers.PrintOptions{Dialects: []headers.Dialect{test.dialect}})
					require.NoError(t, err)
				}
				p := draw(dice, quotas)
				h := http.Header{}
				printer.Print(h, p.now, p.state)
				a := headers.Parse(&http.Response{StatusCode: http.StatusOK, Header: h}, nil, p.now,
					&headers.ParseOptions{MaxWait: math.MaxInt64, Reset: test.form})

				d := p.state.Decision
				_, told := h["Retry-After"]
				refused := d.Answer == limiter.Later || d.Answer == limiter.Busy
				if told != refused || refused && a.Wait != max(up(d.RetryAfter), time.Second) {
					t.Fatalf("%+v is printed as %v and read as %+v", p, h, a)
				}
				if !test.same(&p, a) || len(a.Notes)+len(a.Malformed) > 0 {
					t.Fatalf("%+v is printed as %v and read as %+v", p, h, a)
				}
			}
		})
	}
}

func sameTriple(p *picture, a headers.Advice) bool {
	d := p.state.Decision
	if a.Limit != d.Limit || a.Remaining != d.Remaining {
		return false
	}
	if a.ResetKind == headers.Delta {
		return a.Reset == up(d.Reset)
	}
	at := p.now.Add(a.Reset)
	return a.ResetKind == headers.Epoch && at.Nanosecond() == 0 && a.Reset >= d.Reset && a.Reset-d.Reset < time.Second
}

func sameItems(p *picture, a headers.Advice) bool {
	if len(a.Quotas) != len(p.quotas) || len(a.ServiceLimits) != len(p.quotas) {
		return false
	}
	for i, want := range p.quotas {
		q, s, g := a.Quotas[i], a.ServiceLimits[i], p.state.Gates[i]
		unit := want.Unit
		if unit == "" {
			unit = "requests"
		}
		if q.Name != want.Name || q.Limit != want.Limit || q.Window != up(want.Window) || q.Unit != unit {
			return false
		}
		if s.Name != g.Rule || s.Limit != g.Limit || s.Remaining != g.Remaining || s.Reset != up(g.Reset) || s.ResetKind != headers.Delta {
			return false
		}
		for _, key := range [][]byte{q.Partition, s.Partition} {
			if (key == nil) != (p.state.Partition == nil) || !bytes.Equal(key, p.state.Partition) {
				return false
			}
		}
	}
	return true
}

// TestWaitingWhatWasPrintedIsAllowed has clients of random policies ask until they are
// refused, wait as long as one of the fields says, and ask again.
func TestWaitingWhatWasPrintedIsAllowed(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(5, 5))
	length := func() time.Duration { return time.Duration(1 + dice.Int64N(int64(5*time.Minute))) }
	start := time.Date(2026, time.October, 25, 0, 59, 0, 0, time.UTC)
	refusals := 0
	for range 2000 / slower {
		low := length()
		all := []policy.Rule{
			{Name: "window", Limit: policy.SlidingWindow{Max: 1 + dice.Int64N(5), Window: length()}},
			{Name: "bucket", Limit: policy.TokenBucket{Max: 1 + dice.Int64N(5), Per: length(), Burst: dice.Int64N(4)}},
			{Name: "gap", Limit: policy.Gap{Min: low, Max: low + length(), Every: dice.Int64N(3)}},
			{Name: "minute", Limit: policy.CalendarWindow{Max: 1 + dice.Int64N(5), Unit: policy.Minute}},
			{Name: "people", Limit: policy.UniqueRecipients{Max: 1 + dice.Int64N(2), Window: length()}},
		}
		dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		p := policy.Policy{Rules: all[:1+dice.IntN(len(all))]}
		l, err := limiter.New(p, &limiter.Options{Seed: dice.Uint64()})
		require.NoError(t, err)
		printer, err := headers.NewPrinter(headers.Quotas(p), nil)
		require.NoError(t, err)

		now := start.Add(length())
		for range 20 {
			req := limiter.Request{Account: "a", Action: policy.SendMessage, Recipient: string(rune('a' + dice.IntN(9)))}
			d := l.Allow(now, req)
			if d.Answer == limiter.Allowed {
				now = now.Add(time.Duration(dice.Int64N(int64(time.Second))))
				continue
			}
			require.Equal(t, limiter.Later, d.Answer)
			refusals++
			h := http.Header{}
			printer.Print(h, now, headers.State{Decision: d, Gates: l.Gates(now, req)})
			for _, fields := range [][]string{{"Retry-After"}, {"X-Ratelimit-Remaining", "X-Ratelimit-Reset"}, {"Ratelimit"}} {
				only := http.Header{}
				for _, field := range fields {
					require.Contains(t, h, field)
					only[field] = h[field]
				}
				a := headers.Parse(&http.Response{StatusCode: http.StatusTooManyRequests, Header: only}, nil, now, nil)
				require.Equal(t, limiter.Allowed, l.Check(now.Add(a.Wait), req).Answer, "%v: %v after %v of %+v", fields, h, a.Wait, d)
			}
			now = now.Add(d.RetryAfter)
		}
	}
	require.Greater(t, refusals, 2000/slower)
}
