package limiter_test

import (
	"math"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func zone(t require.TestingT, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func TestCalendarWindowStepByStep(t *testing.T) {
	t.Parallel()
	const (
		s   = time.Second
		h   = time.Hour
		day = 24 * h
	)
	newYear := time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC) // a Friday
	tell(t, []story{
		{
			name: "a UTC day ends at midnight", limit: policy.CalendarWindow{Max: 2, Unit: policy.Day},
			start: time.Date(2026, 1, 5, 23, 0, 0, 0, time.UTC),
			steps: []step{
				{0, allow(1), yes(2, 1, h)},
				{0, allow(0), yes(2, 0, h)}, // cost 0 means 1
				{0, allow(1), wait(h, 2, 0, h)},
				{h - 1, allow(1), wait(1, 2, 0, 1)},
				{h, allow(2), yes(2, 0, day)},
				{h + 1, allow(1), wait(day-1, 2, 0, day-1)},
				{h + 9*day, allow(1), yes(2, 1, day)},
			},
		},
		{
			name: "a minute", limit: policy.CalendarWindow{Max: 1, Unit: policy.Minute},
			start: time.Date(2026, 1, 5, 8, 0, 59, 999_999_999, time.UTC),
			steps: []step{
				{0, allow(1), yes(1, 0, 1)},
				{0, allow(1), wait(1, 1, 0, 1)},
				{1, allow(1), yes(1, 0, 60*s)},
				{60 * s, allow(1), wait(1, 1, 0, 1)},
				{60*s + 1, allow(1), yes(1, 0, 60*s)},
			},
		},
		{
			name: "an hour", limit: policy.CalendarWindow{Max: 1, Unit: policy.Hour},
			start: time.Date(2026, 1, 5, 8, 59, 0, 0, time.UTC),
			steps: []step{
				{0, allow(1), yes(1, 0, 60*s)},
				{60*s - 1, allow(1), wait(1, 1, 0, 1)},
				{60 * s, allow(1), yes(1, 0, h)},
			},
		},
		{
			name: "an hour of a zone that is 45 minutes off", limit: policy.CalendarWindow{Max: 1, Unit: policy.Hour, Location: zone(t, "Asia/Kathmandu")},
			start: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC), // 13:45 there
			steps: []step{
				{0, allow(1), yes(1, 0, 15*time.Minute)},
				{15*time.Minute - 1, allow(1), wait(1, 1, 0, 1)},
				{15 * time.Minute, allow(1), yes(1, 0, h)},
			},
		},
		{
			name: "a week starts on Monday, also in ISO week 53 and across the year", limit: policy.CalendarWindow{Max: 1, Unit: policy.Week},
			start: newYear.Add(-s),
			steps: []step{
				{0, allow(1), yes(1, 0, 3*day+s)},
				{s, allow(1), wait(3*day, 1, 0, 3*day)},
				{3*day + s - 1, allow(1), wait(1, 1, 0, 1)},
				{3*day + s, allow(1), yes(1, 0, 7*day)},
				{10*day + s, allow(1), yes(1, 0, 7*day)},
			},
		},
		{
			name: "months have their own lengths", limit: policy.CalendarWindow{Max: 1, Unit: policy.Month},
			start: time.Date(2028, 1, 31, 0, 0, 0, 0, time.UTC),
			steps: []step{
				{0, allow(1), yes(1, 0, day)},
				{day - 1, allow(1), wait(1, 1, 0, 1)},
				{day, allow(1), yes(1, 0, 29*day)}, // 2028 is a leap year
				{29 * day, allow(1), wait(day, 1, 0, day)},
				{30 * day, allow(1), yes(1, 0, 31*day)},
				{(30 + 31) * day, allow(1), yes(1, 0, 30*day)},
			},
		},
		{
			name: "a month ends with the year", limit: policy.CalendarWindow{Max: 1, Unit: policy.Month},
			start: newYear.Add(-1),
			steps: []step{{0, allow(1), yes(1, 0, 1)}, {1, allow(1), yes(1, 0, 31*day)}},
		},
		{
			name: "a day of 23 hours", limit: policy.CalendarWindow{Max: 1, Unit: policy.Day, Location: zone(t, "Europe/London")},
			start: time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC),
			steps: []step{
				{0, allow(1), yes(1, 0, 23*h)},
				{23*h - 1, allow(1), wait(1, 1, 0, 1)},
				{23 * h, allow(1), yes(1, 0, 24*h)},
			},
		},
		{
			name: "a day of 25 hours", limit: policy.CalendarWindow{Max: 1, Unit: policy.Day, Location: zone(t, "Europe/London")},
			start: time.Date(2026, 10, 24, 23, 0, 0, 0, time.UTC),
			steps: []step{
				{0, allow(1), yes(1, 0, 25*h)},
				{25*h - 1, allow(1), wait(1, 1, 0, 1)},
				{25 * h, allow(1), yes(1, 0, 24*h)},
			},
		},
		{
			name: "an hour that the clocks repeat is two", limit: policy.CalendarWindow{Max: 1, Unit: policy.Hour, Location: zone(t, "Europe/London")},
			start: time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), // 01:30 BST
			steps: []step{
				{0, allow(1), yes(1, 0, h/2)},
				{h/2 - 1, allow(1), wait(1, 1, 0, 1)},
				{h / 2, allow(1), yes(1, 0, h)},           // 01:00 GMT
				{h/2 + h - 1, allow(1), wait(1, 1, 0, 1)}, // 01:59:59.999999999 GMT
				{h/2 + h, allow(1), yes(1, 0, h)},
			},
		},
		{
			name: "a day without a midnight starts with its first instant", limit: policy.CalendarWindow{Max: 1, Unit: policy.Day, Location: zone(t, "America/Sao_Paulo")},
			start: time.Date(2018, 11, 4, 2, 59, 59, 0, time.UTC), // 23:59:59 on the 3rd, then 01:00 on the 4th
			steps: []step{
				{0, allow(1), yes(1, 0, s)},
				{s - 1, allow(1), wait(1, 1, 0, 1)},
				{s, allow(1), yes(1, 0, 23*h)},
			},
		},
		{
			name: "a day that was skipped", limit: policy.CalendarWindow{Max: 1, Unit: policy.Day, Location: zone(t, "Pacific/Apia")},
			start: time.Date(2011, 12, 30, 9, 0, 0, 0, time.UTC), // 23:00 on the 29th, then the 31st
			steps: []step{
				{0, allow(1), yes(1, 0, h)},
				{h - 1, allow(1), wait(1, 1, 0, 1)},
				{h, allow(1), yes(1, 0, 24*h)},
			},
		},
		{
			name: "cost above max never goes and takes nothing", limit: policy.CalendarWindow{Max: 3, Unit: policy.Hour},
			steps: []step{
				{0, allow(4), no(3, 3)},
				{0, allow(math.MaxInt64), no(3, 3)},
				{0, allow(2), yes(3, 1, h)},
				{0, allow(4), no(3, 1)},
				{0, allow(2), wait(h, 3, 1, h)},
				{0, allow(1), yes(3, 0, h)},
			},
		},
		{
			name: "the largest max and cost", limit: policy.CalendarWindow{Max: math.MaxInt64, Unit: policy.Hour},
			steps: []step{
				{0, allow(math.MaxInt64 - 1), yes(math.MaxInt64, 1, h)},
				{0, allow(math.MaxInt64), wait(h, math.MaxInt64, 1, h)},
				{0, allow(1), yes(math.MaxInt64, 0, h)},
				{0, allow(1), wait(h, math.MaxInt64, 0, h)},
			},
		},
		{
			name: "max 0 refuses for good", limit: policy.CalendarWindow{Unit: policy.Day},
			steps: []step{{0, allow(1), no(0, 0)}, {30 * day, allow(0), no(0, 0)}},
		},
		{
			name: "unsent is given back to its own window only", limit: policy.CalendarWindow{Max: 2, Unit: policy.Hour},
			steps: []step{
				{0, take("a", 1), yes(2, 1, h)},
				{0, take("b", 1), yes(2, 0, h)},
				{s, settle("a", limiter.Unsent), limiter.Gate{}},
				{s, settle("a", limiter.Unsent), limiter.Gate{}},
				{s, check(1), yes(2, 0, h-s)},
				{h, take("c", 2), yes(2, 0, h)},
				{h, settle("b", limiter.Unsent), limiter.Gate{}},
				{h, check(1), wait(h, 2, 0, h)},
				{h, settle("c", limiter.Unsent), limiter.Gate{}},
				{h, check(2), yes(2, 0, h)},
			},
		},
		{
			name: "sent and refused stay taken", limit: policy.CalendarWindow{Max: 2, Unit: policy.Hour},
			steps: []step{
				{0, take("a", 1), yes(2, 1, h)},
				{0, take("b", 1), yes(2, 0, h)},
				{s, settle("a", limiter.Refused), limiter.Gate{}},
				{s, settle("b", limiter.Sent), limiter.Gate{}},
				{s, allow(1), wait(h-s, 2, 0, h-s)},
			},
		},
		{
			name: "before 1970", limit: policy.CalendarWindow{Max: 1, Unit: policy.Day}, start: time.Date(1901, 2, 3, 23, 59, 59, 999_999_999, time.UTC),
			steps: []step{
				{0, allow(1), yes(1, 0, 1)},
				{1, allow(1), yes(1, 0, day)},
				{day, allow(1), wait(1, 1, 0, 1)},
			},
		},
		{
			name: "a window that ends beyond the end of time", limit: policy.CalendarWindow{Max: 1, Unit: policy.Month},
			start: time.Date(2262, 4, 11, 0, 0, 0, 0, time.UTC),
			steps: []step{{0, allow(1), yes(1, 0, 0)}, {h, allow(1), no(1, 0)}},
		},
	})
}

// An account that has taken and given back is not forgotten while it waits for a
// window that it has opened.
func TestAnEmptiedCalendarWindowIsNotForgotten(t *testing.T) {
	t.Parallel()
	l, err := limiter.New(only(policy.CalendarWindow{Max: 3, Unit: policy.Hour}), &limiter.Options{MaxAccounts: 1})
	require.NoError(t, err)
	require.Equal(t, limiter.Allowed, l.Allow(monday.Add(-time.Minute), request(3)).Answer)
	p, d := l.Take(monday.Add(time.Minute), request(1))
	require.Equal(t, limiter.Allowed, d.Answer)
	p.Settle(monday.Add(time.Minute), limiter.Unsent)
	bobs := request(1)
	bobs.Account = bob
	require.Equal(t, limiter.Busy, l.Allow(monday.Add(2*time.Minute), bobs).Answer)
	require.Equal(t, limiter.Later, l.Check(monday.Add(-30*time.Second), request(1)).Answer)
	require.Equal(t, limiter.Allowed, l.Allow(monday.Add(time.Hour+time.Second), bobs).Answer)

	// One that a clock far ahead has opened keeps nobody for as long.
	l, err = limiter.New(only(policy.CalendarWindow{Max: 3, Unit: policy.Hour}), &limiter.Options{MaxAccounts: 1})
	require.NoError(t, err)
	p, d = l.Take(monday.AddDate(1, 0, 0), request(1))
	require.Equal(t, limiter.Allowed, d.Answer)
	p.Settle(monday, limiter.Unsent)
	require.Equal(t, limiter.Busy, l.Allow(monday.Add(time.Minute), bobs).Answer)
	require.Equal(t, limiter.Allowed, l.Allow(monday.Add(time.Hour+time.Second), bobs).Answer)
}
