package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/policy"
)

func TestWeekdaysString(t *testing.T) {
	t.Parallel()
	tests := []struct {
		days policy.Weekdays
		want string
	}{
		{policy.Weekdays{}, "every day"},
		{policy.Days(), "every day"},
		{policy.Days(time.Sunday), "sun"},
		{policy.Days(time.Monday), "mon"},
		{policy.Days(time.Sunday, time.Saturday, time.Tuesday, time.Tuesday), "tue,sat,sun"},
		{policy.Days(time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday), "mon,tue,wed,thu,fri,sat"},
		{policy.Days(0, 1, 2, 3, 4, 5, 6), "every day"},
		{policy.Days(7), "?"},
		{policy.Days(math.MinInt, time.Wednesday, math.MaxInt), "wed,?"},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, tt.days.String())
	}
}

// TestWeekdaysAreASet checks Has and == against a map of the days given.
func TestWeekdaysAreASet(t *testing.T) {
	t.Parallel()
	day := rapid.Custom(func(t *rapid.T) time.Weekday { return time.Weekday(rapid.IntRange(0, 6).Draw(t, "day")) })
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.SliceOfN(day, 0, 10).Draw(t, "given")
		other := rapid.SliceOfN(day, 0, 10).Draw(t, "other")
		days := policy.Days(given...)
		same := true
		for d := time.Weekday(-2); d < 10; d++ {
			has := setOf(given)[d]
			if days.Has(d) != has {
				t.Fatalf("%v of %v: %v", d, given, !has)
			}
			same = same && has == setOf(other)[d]
		}
		if (days == policy.Days(other...)) != same {
			t.Fatalf("%v and %v compare as %v", given, other, !same)
		}
	})
}

// setOf is what the days mean: none means every day.
func setOf(days []time.Weekday) map[time.Weekday]bool {
	set := map[time.Weekday]bool{}
	for _, d := range days {
		set[d] = true
	}
	if len(set) == 0 {
		return setOf([]time.Weekday{0, 1, 2, 3, 4, 5, 6})
	}
	return set
}

func TestLimitsCompare(t *testing.T) {
	t.Parallel()
	limits := func() []policy.Limit {
		return []policy.Limit{
			policy.TokenBucket{Max: 1, Per: time.Hour},
			policy.SlidingWindow{Max: 1, Window: time.Hour},
			policy.CalendarWindow{Max: 1, Unit: policy.Day, Location: time.UTC},
			policy.Gap{Max: time.Hour},
			policy.Concurrency{Max: 1},
			policy.UniqueRecipients{Max: 1, Window: time.Hour},
			policy.NewContacts{Max: 1, Window: time.Hour},
			policy.ActiveHours{To: time.Hour, Days: policy.Days(time.Monday), Location: time.UTC},
		}
	}
	for i, a := range limits() {
		for j, b := range limits() {
			require.Equal(t, i == j, a == b, "%T and %T", a, b)
		}
	}
}
