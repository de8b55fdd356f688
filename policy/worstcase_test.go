package policy_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/policy"
)

func TestWorstCase(t *testing.T) {
	t.Parallel()
	const s, h, day = time.Second, time.Hour, 24 * time.Hour
	tests := []struct {
		name   string
		rules  []policy.Rule
		window time.Duration
		want   int64
	}{
		{"nothing", nil, h, math.MaxInt64},
		{"no time", []policy.Rule{send("a", policy.SlidingWindow{Max: 5, Window: s})}, 0, 0},
		{"time that goes back", nil, -1, 0},
		{"a policy that cannot be", []policy.Rule{send("", policy.SlidingWindow{Max: 5, Window: s})}, h, 0},
		{"other actions", []policy.Rule{on(send("a", policy.SlidingWindow{}), policy.UploadMedia), on(send("a", policy.SlidingWindow{Window: s}), policy.UploadMedia)}, h, 0},
		{"only other actions", []policy.Rule{on(send("a", policy.SlidingWindow{Window: s}), policy.UploadMedia)}, h, math.MaxInt64},
		{"a shadow", []policy.Rule{shadow(send("a", policy.SlidingWindow{Window: s}))}, h, math.MaxInt64},

		{"window, a little", []policy.Rule{send("a", policy.SlidingWindow{Max: 5, Window: 60 * s})}, 1, 5},
		{"window, its own", []policy.Rule{send("a", policy.SlidingWindow{Max: 5, Window: 60 * s})}, 60 * s, 5},
		{"window, a little more", []policy.Rule{send("a", policy.SlidingWindow{Max: 5, Window: 60 * s})}, 60*s + 1, 10},
		{"bucket", []policy.Rule{send("a", policy.TokenBucket{Max: 100, Per: 60 * s, Burst: 100})}, 60 * s, 199},
		{"bucket of one", []policy.Rule{send("a", policy.TokenBucket{Max: 100, Per: 60 * s})}, 60 * s, 100},
		{"bucket of nothing", []policy.Rule{send("a", policy.TokenBucket{Per: 60 * s, Burst: 9})}, h, 0},
		{"day", []policy.Rule{send("a", policy.CalendarWindow{Max: 500, Unit: policy.Day})}, day, 1000},
		{"day, a little", []policy.Rule{send("a", policy.CalendarWindow{Max: 500, Unit: policy.Day})}, 2, 1000},
		{"day, an instant", []policy.Rule{send("a", policy.CalendarWindow{Max: 500, Unit: policy.Day})}, 1, 500},
		{"day, two", []policy.Rule{send("a", policy.CalendarWindow{Max: 500, Unit: policy.Day})}, 2 * day, 1500},
		{"week", []policy.Rule{send("a", policy.CalendarWindow{Max: 1, Unit: policy.Week})}, 7*day + 2, 3},
		{"month of 28 days", []policy.Rule{send("a", policy.CalendarWindow{Max: 1, Unit: policy.Month})}, 28*day + 1, 2},
		{"month of 28 days and a little", []policy.Rule{send("a", policy.CalendarWindow{Max: 1, Unit: policy.Month})}, 28*day + 2, 3},
		{"months of a year", []policy.Rule{send("a", policy.CalendarWindow{Max: 1, Unit: policy.Month})}, 365*day + 2, 14},
		{"gap", []policy.Rule{send("a", policy.Gap{Min: 5 * s, Max: 9 * s})}, 60 * s, 12},
		{"gap, a little more", []policy.Rule{send("a", policy.Gap{Min: 5 * s, Max: 9 * s})}, 60*s + 1, 13},
		{"no gap", []policy.Rule{send("a", policy.Gap{Max: 9 * s})}, s, math.MaxInt64},
		{"pause", []policy.Rule{send("a", policy.Gap{Min: 30 * s, Max: 60 * s, Every: 20})}, 60 * s, 40},
		{"gap and pause", policy.Standard().Rules[:2], h, 28*20 + 20},
		{"gap and a shorter pause", []policy.Rule{send("a", policy.Gap{Min: 9 * s, Max: 9 * s}), send("b", policy.Gap{Min: s, Max: s, Every: 2})}, 60 * s, 7},
		{"two gaps", []policy.Rule{send("a", policy.Gap{Min: s, Max: s}), send("b", policy.Gap{Min: 9 * s, Max: 9 * s})}, 60 * s, 7},
		{"in flight", []policy.Rule{send("a", policy.Concurrency{Max: 1})}, 1, math.MaxInt64},
		{"none in flight", []policy.Rule{send("a", policy.Concurrency{})}, h, 0},
		{"recipients", []policy.Rule{send("a", policy.UniqueRecipients{Max: 250, Window: day})}, day, math.MaxInt64},
		{"no recipients", []policy.Rule{send("a", policy.UniqueRecipients{Window: day})}, day, 0},
		{"new contacts", []policy.Rule{send("a", policy.NewContacts{Window: day})}, day, math.MaxInt64},
		{"hours", []policy.Rule{send("a", policy.ActiveHours{To: s})}, day, math.MaxInt64},
		{"each recipient", []policy.Rule{in(send("a", policy.SlidingWindow{Max: 1, Window: h}), policy.ScopeRecipient)}, h, math.MaxInt64},
		{"no recipient", []policy.Rule{in(send("a", policy.SlidingWindow{Window: h}), policy.ScopeRecipient)}, h, 0},
		{"each of some recipients", []policy.Rule{
			in(send("a", policy.SlidingWindow{Max: 4, Window: h}), policy.ScopeRecipient),
			in(send("b", policy.UniqueRecipients{Max: 250, Window: day}), policy.ScopePortfolio),
		}, 2 * h, 2_000},
		{"gap of each recipient", []policy.Rule{in(send("a", policy.Gap{Min: s, Max: s}), policy.ScopeRecipient), send("b", policy.Gap{Min: s, Max: s, Every: 3})}, 3 * s, 9},
		{"the least", []policy.Rule{send("a", policy.SlidingWindow{Max: 5, Window: s}), send("b", policy.SlidingWindow{Max: 100, Window: h})}, h, 100},
		{"beyond numbers", []policy.Rule{send("a", policy.SlidingWindow{Max: math.MaxInt64, Window: 1})}, math.MaxInt64, math.MaxInt64},
		{"beyond pauses", []policy.Rule{send("a", policy.Gap{Min: policy.MaxDuration, Max: policy.MaxDuration}), send("b", policy.Gap{Min: policy.MaxDuration, Max: policy.MaxDuration, Every: math.MaxInt64})}, math.MaxInt64, 3},
		{"beyond buckets", []policy.Rule{send("a", policy.TokenBucket{Max: math.MaxInt64, Per: 1, Burst: math.MaxInt64})}, math.MaxInt64, math.MaxInt64},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, policy.Policy{Rules: tt.rules}.WorstCase(tt.window), tt.name)
	}
}

// No span of a zone's time touches more calendar windows than WorstCase says, and
// where no clock changes some span touches as many.
func TestWorstCaseOfCalendars(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Europe/London", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Kolkata"} {
		loc := zone(t, name)
		rapid.Check(t, func(t *rapid.T) {
			unit := rapid.SampledFrom([]policy.Unit{policy.Minute, policy.Hour, policy.Day, policy.Week, policy.Month}).Draw(t, "unit")
			length := map[policy.Unit]time.Duration{
				policy.Minute: time.Minute, policy.Hour: time.Hour, policy.Day: 24 * time.Hour, policy.Week: 168 * time.Hour, policy.Month: 31 * 24 * time.Hour,
			}[unit]
			w := time.Duration(rapid.Int64Range(1, 3*int64(length)).Draw(t, "window"))
			p := policy.Policy{Rules: []policy.Rule{send("a", policy.CalendarWindow{Max: 1, Unit: unit, Location: loc})}}
			start := time.Date(2011, 12, 28, 0, 0, 0, 0, time.UTC) // Apia skipped the 30th
			if rapid.Bool().Draw(t, "later") {
				start = time.Date(2018, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
			}
			start = start.Add(time.Duration(rapid.Int64Range(0, 48*int64(time.Hour)).Draw(t, "offset")))
			require.LessOrEqual(t, int64(windowsTouched(unit, loc, start, w)), p.WorstCase(w))
		})
	}
}

// windowsTouched counts the calendar windows in [start, start+w) by walking through
// them.
func windowsTouched(unit policy.Unit, loc *time.Location, start time.Time, w time.Duration) int {
	step := 15 * time.Minute // on which all windows of these zones begin
	if unit == policy.Minute {
		step = time.Minute
	}
	latest, n := "", 0
	look := func(at time.Time) {
		l := at.In(loc)
		_, offset := l.Zone()
		year, week := l.ISOWeek()
		key := map[policy.Unit]string{
			policy.Minute: fmt.Sprintf("%s %d", l.Format("2006-01-02 15:04"), offset),
			policy.Hour:   fmt.Sprintf("%s %d", l.Format("2006-01-02 15"), offset),
			policy.Day:    l.Format("2006-01-02"),
			policy.Week:   fmt.Sprintf("%04d-%02d", year, week),
			policy.Month:  l.Format("2006-01"),
		}[unit]
		repeats := unit == policy.Minute || unit == policy.Hour
		if latest == "" || repeats && key != latest || !repeats && key > latest {
			latest, n = key, n+1
		}
	}
	for at := start; at.Before(start.Add(w)); at = at.Add(step).Truncate(step) {
		look(at)
	}
	look(start.Add(w - 1))
	return n
}
