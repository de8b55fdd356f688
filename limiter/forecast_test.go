package limiter_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func forecast(t require.TestingT, p policy.Policy, n int, start time.Time) *limiter.Projection {
	found, err := limiter.Forecast(p, n, start, 7)
	require.NoError(t, err)
	return found
}

// at is a time of January 2026 in UTC.
func at(day, hour, minute int) time.Time {
	return time.Date(2026, time.January, day, hour, minute, 0, 0, time.UTC)
}

// Strict lets one a minute through, 200 a day: nothing in it is random.
func TestForecastOfStrictIsWhatAPencilSays(t *testing.T) {
	t.Parallel()
	require.Equal(t, &limiter.Projection{
		Policy: "strict", Asked: 450, Sent: 450, Start: at(5, 8, 0), End: at(7, 0, 49),
		Days: []limiter.Day{
			{at(5, 0, 0), 200, at(5, 8, 0), at(5, 11, 19), []limiter.Held{
				{"day", 12*time.Hour + 41*time.Minute, 1}, {"gap", 199 * time.Minute, 199},
			}},
			{at(6, 0, 0), 200, at(6, 0, 0), at(6, 3, 19), []limiter.Held{
				{"day", 20*time.Hour + 41*time.Minute, 1}, {"gap", 199 * time.Minute, 199},
			}},
			{at(7, 0, 0), 50, at(7, 0, 0), at(7, 0, 49), []limiter.Held{{"gap", 49 * time.Minute, 49}}},
		},
	}, forecast(t, policy.Strict(), 450, at(5, 8, 0)))
}

// Where one rule after the other holds a message, each has its own part of the
// wait: the month until it ends, the hours from then to Monday.
func TestForecastSharesAWaitOutAmongItsRules(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "month", Limit: policy.CalendarWindow{Max: 2, Unit: policy.Month}},
		{Name: "hours", Limit: policy.ActiveHours{From: 8 * time.Hour, To: 20 * time.Hour, Days: policy.Days(time.Monday)}},
	}}
	found := forecast(t, p, 3, at(26, 19, 0)) // a Monday; 1 February is a Sunday
	require.Equal(t, time.Date(2026, time.February, 2, 8, 0, 0, 0, time.UTC), found.End)
	require.Len(t, found.Days, 8)
	require.Equal(t, []limiter.Held{{"month", 5 * time.Hour, 1}}, found.Days[0].Held)
	for _, d := range found.Days[1:6] {
		require.Equal(t, []limiter.Held{{"month", 24 * time.Hour, 1}}, d.Held)
		require.Zero(t, d.Sent)
	}
	require.Equal(t, []limiter.Held{{"hours", 24 * time.Hour, 1}}, found.Days[6].Held)
	require.Equal(t, []limiter.Held{{"hours", 8 * time.Hour, 1}}, found.Days[7].Held)
}

func TestForecastOfWhatNeverEnds(t *testing.T) {
	t.Parallel()
	send := limiter.Request{Account: alice, Action: policy.SendMessage}
	none := only(policy.CalendarWindow{Unit: policy.Day})
	rare := only(policy.SlidingWindow{Max: 1, Window: policy.MaxDuration})
	late := time.Date(2262, time.April, 2, 0, 0, 0, 0, time.UTC)
	noon, evening := 12*time.Hour, 18*time.Hour
	tests := []struct {
		name string
		make func(l *limiter.Limiter)
		p    policy.Policy
		from time.Time
		sent int
		by   string
	}{
		{"a rule that allows none", nil, none, monday, 0, "only"},
		{"none at a time", nil, only(policy.Concurrency{}), monday, 0, "only"},
		{"hours that never meet", nil, policy.Policy{Rules: []policy.Rule{
			{Name: "morning", Limit: policy.ActiveHours{From: 0, To: noon}},
			{Name: "evening", Limit: policy.ActiveHours{From: noon, To: evening}},
		}}, monday, 0, "morning evening"},
		{"three in 200 years", nil, rare, monday, 3, "only"},
		{"until the end of the years", nil, only(policy.CalendarWindow{Max: 5, Unit: policy.Month}), late, 5, "only"},
		{"a hold without an end", func(l *limiter.Limiter) {
			require.NoError(t, l.Hold(monday, limiter.Target{}, time.Time{}, "stop"))
		}, policy.Standard(), monday, 0, "hold"},
		{"a permit that never runs out", func(l *limiter.Limiter) {
			l.Take(monday, send)
		}, policy.Standard(), monday, 0, "gap"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLimiter(t, tt.p)
			if tt.make != nil {
				tt.make(l)
			}
			found, err := l.Forecast(tt.from, send, 10)
			require.NoError(t, err)
			require.Equal(t, tt.sent, found.Sent)
			require.Contains(t, tt.by, found.StoppedBy)
			require.NotEmpty(t, found.StoppedBy)
			require.Equal(t, tt.sent == 0, found.End.IsZero())
			last := found.Days[len(found.Days)-1]
			require.True(t, slices.ContainsFunc(last.Held, func(h limiter.Held) bool { return h.Rule == found.StoppedBy }))
		})
	}
}

func TestForecastOfNone(t *testing.T) {
	t.Parallel()
	found := forecast(t, policy.Standard(), 0, monday)
	require.Equal(t, &limiter.Projection{Policy: "standard_policy", Start: monday, Days: []limiter.Day{{Date: at(5, 0, 0)}}}, found)
}

func TestForecastOfWhatCannotBe(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-1, math.MinInt, 10_000_001, math.MaxInt} {
		_, err := limiter.Forecast(policy.Standard(), n, monday, 7)
		require.ErrorContains(t, err, "use 0 to 10000000")
	}
	_, err := limiter.Forecast(policy.Policy{Rules: []policy.Rule{{Name: "a"}}}, 1, monday, 7)
	require.ErrorIs(t, err, policy.ErrInvalid)
	_, err = limiter.Forecast(policy.Standard(), 1, time.Time{}, 7)
	require.ErrorContains(t, err, "use a time of the years 1678 to 2261")

	l := newLimiter(t, withGroup())
	for field, req := range map[string]limiter.Request{
		"account":   {Action: policy.SendMessage, Portfolio: group},
		"action":    {Account: alice, Portfolio: group},
		"portfolio": {Account: alice, Action: policy.SendMessage},
		"cost":      {Account: alice, Action: policy.SendMessage, Portfolio: group, Cost: -1},
	} {
		_, err := l.Forecast(monday, req, 0)
		var wrong *limiter.RequestError
		require.True(t, errors.As(err, &wrong), "%v", err)
		require.Equal(t, field, wrong.Field)
	}
}

// A forecast says what will happen to an account as it stands, with a permit in
// flight until it runs out, a hold, spending and a policy of its own, and changes
// nothing of it.
func TestForecastIsWhatThenHappens(t *testing.T) {
	t.Parallel()
	l, err := limiter.New(withGroup(), &limiter.Options{Seed: 7})
	require.NoError(t, err)
	require.NoError(t, l.SetPolicy(monday, alice, policy.Standard()))
	for i := range 7 {
		l.Allow(monday.Add(time.Duration(i)*time.Minute), to("a"))
	}
	taken := monday.Add(8 * time.Minute)
	_, d := l.Take(taken, to("a"))
	require.Equal(t, limiter.Allowed, d.Answer)
	require.NoError(t, l.Hold(taken, limiter.Target{Account: alice}, taken.Add(20*time.Minute), "rest"))
	require.NoError(t, l.Hold(taken, limiter.Target{Campaign: "c"}, time.Time{}, "not this one"))

	start := taken.Add(3 * time.Second)
	before := snapshots(t, l, start)
	found, err := l.Forecast(start, to(""), 600)
	require.NoError(t, err)
	require.Equal(t, before, snapshots(t, l, start))
	require.Equal(t, 600, found.Sent)
	require.Equal(t, "standard_policy", found.Policy)
	require.Equal(t, 50-8, found.Days[0].Sent, "what is left of the portfolio's day")
	require.Equal(t, []limiter.Held{{"hold", 15 * time.Minute, 1}, {"gap", 5*time.Minute - 3*time.Second, 1}}, heldFirst(t, l, start))

	now := start
	for sent := 0; sent < found.Sent; {
		switch d := l.Allow(now, to(fmt.Sprint(sent))); d.Answer {
		case limiter.Allowed:
			sent++
		case limiter.Later:
			now = now.Add(d.RetryAfter)
		case limiter.Busy:
			now = taken.Add(5 * time.Minute)
		case limiter.Never:
			require.Fail(t, "never allowed")
		}
	}
	require.Equal(t, now, found.End)
}

// heldFirst is what holds the next message.
func heldFirst(t *testing.T, l *limiter.Limiter, now time.Time) []limiter.Held {
	found, err := l.Forecast(now, to(""), 1)
	require.NoError(t, err)
	return found.Days[0].Held
}

func TestForecastOfOneRecipient(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
		{Name: "pair", Scope: policy.ScopeRecipient, Limit: policy.Gap{Min: time.Minute, Max: time.Minute}},
	}})
	many, err := l.Forecast(monday, limiter.Request{Account: alice, Action: policy.SendMessage}, 10)
	require.NoError(t, err)
	require.Equal(t, monday, many.End)
	one, err := l.Forecast(monday, limiter.Request{Account: alice, Action: policy.SendMessage, Recipient: "a"}, 10)
	require.NoError(t, err)
	require.Equal(t, monday.Add(9*time.Minute), one.End)
}

// The forecast of any policy adds up: its days are all days from start to end, every
// moment between two messages is some rule's, and the messages go when a limiter
// with the seed lets them, asked for each one anew.
func TestForecastAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		if rapid.Bool().Draw(t, "hours") {
			p.Rules = append(p.Rules, policy.Rule{Name: "hours", Limit: policy.ActiveHours{
				From: 9 * time.Hour, To: 17*time.Hour + 30*time.Minute, Days: policy.Days(time.Monday, time.Thursday), Location: zone(t, "America/Sao_Paulo"),
			}})
		}
		start := drawStart(t).In(zone(t, rapid.SampledFrom([]string{"UTC", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia"}).Draw(t, "days")))
		n := rapid.IntRange(0, 60).Draw(t, "n")
		l := newLimiter(t, p)
		found, err := l.Forecast(start, limiter.Request{Account: alice, Action: "send"}, n)
		require.NoError(t, err)

		require.Equal(t, found.Sent < n, found.StoppedBy != "")
		now, sent := start, 0
		for sent < found.Sent {
			d := l.Allow(now, limiter.Request{Account: alice, Action: "send"})
			if d.Answer == limiter.Allowed {
				sent++
				continue
			}
			require.Equal(t, limiter.Later, d.Answer)
			now = now.Add(d.RetryAfter)
		}
		if found.Sent > 0 {
			require.Equal(t, now, found.End)
		}
		total, held := 0, time.Duration(0)
		for i, d := range found.Days {
			total += d.Sent
			for j, h := range d.Held {
				held += h.For
				require.True(t, j == 0 || h.For <= d.Held[j-1].For)
				require.LessOrEqual(t, h.For, 25*time.Hour)
			}
			if i > 0 {
				require.Greater(t, d.Date, found.Days[i-1].Date)
			}
			for _, moment := range []time.Time{d.First, d.Last} {
				if d.Sent > 0 {
					require.Equal(t, d.Date.Format(time.DateOnly), moment.Format(time.DateOnly))
				}
			}
		}
		require.Equal(t, found.Sent, total)
		if found.StoppedBy == "" {
			require.Equal(t, now.Sub(start), held)
		}
	})
}

// Samoa had no 30 December 2011, and Sao Paulo no midnight on 4 November 2018.
func TestForecastDaysAreThoseOfTheStart(t *testing.T) {
	t.Parallel()
	p := only(policy.Gap{Min: 6 * time.Hour, Max: 6 * time.Hour})
	dates := func(start time.Time) (days []string) {
		for _, d := range forecast(t, p, 12, start).Days {
			days = append(days, d.Date.Format("02 ")+d.First.Format("15:04"))
		}
		return days
	}
	require.Equal(t, []string{"28 12:00", "29 00:00", "31 00:00", "01 00:00"},
		dates(time.Date(2011, time.December, 28, 12, 0, 0, 0, zone(t, "Pacific/Apia"))))
	require.Equal(t, []string{"03 06:00", "04 01:00", "05 01:00", "06 01:00"},
		dates(time.Date(2018, time.November, 3, 6, 0, 0, 0, zone(t, "America/Sao_Paulo"))))
}

func BenchmarkForecast(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		forecast(b, policy.Standard(), 1_000_000, monday)
	}
}
