package policy_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/policy"
)

func TestWarmUpTables(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		warmUp policy.WarmUp
		caps   []int64
		ages   []int // days
	}{
		{policy.SlowWarmUp(), []int64{20, 50, 100, 200, 500}, []int{0, 4, 8, 15, 31}},
		{policy.FastWarmUp(), []int64{20, 36, 65, 117, 210, 378, 500}, []int{0, 1, 2, 3, 4, 5, 6}},
	} {
		require.NoError(t, tt.warmUp.Validate())
		var caps []int64
		var ages []int
		for i, s := range tt.warmUp.Steps {
			require.NoError(t, s.Policy.Validate())
			day, ok := limits(s.Policy)["day"].(policy.CalendarWindow)
			require.True(t, ok)
			caps = append(caps, day.Max)
			ages = append(ages, int(s.Age/(24*time.Hour)))
			require.LessOrEqual(t, s.UsedDays, ages[i], "no step takes more days of use than there are")
		}
		require.Equal(t, tt.caps, caps)
		require.Equal(t, tt.ages, ages)
		require.Equal(t, policy.Standard(), tt.warmUp.Steps[len(caps)-1].Policy)
	}
	require.Equal(t, utcDay(200), limits(policy.Strict())["day"], "the presets are as they were")
}

func TestWarmUpValidate(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	require.Equal(t, []string{"policy: steps: none: list at least one step"}, messages(policy.WarmUp{}.Validate()))
	require.Equal(t, []string{
		"policy: steps[0].age: 72h: use 0s: the first step holds from the start",
		"policy: steps[0].used_days: 2: use 0: the first step holds from the start",
		"policy: steps[1].age: 24h: out of order: use at least the 72h of steps[0]",
		"policy: steps[2].used_days: 1: out of order: use at least the 3 of steps[1]",
		"policy: steps[3]: no more age or used_days than the step before: out of order: ask for more of one of them, or leave out steps[2], which never holds",
		`policy: steps[3].policy.rules[0].per: 0s: use a positive duration such as 1m`,
		`policy: steps[3].policy.rules[1].max: -1: use 0 to refuse everything, or more`,
		"policy: steps[4].age: 876600h0m0.000000001s: use at most 876600h",
		"policy: steps[4].used_days: 36526: use at most 36525",
	}, messages(policy.WarmUp{Steps: []policy.WarmUpStep{
		{Age: 72 * time.Hour, UsedDays: 2},
		{Age: day, UsedDays: 3},
		{Age: 2 * day, UsedDays: 1},
		{Age: 2 * day, UsedDays: 1, Policy: policy.Policy{Rules: []policy.Rule{send("a", policy.TokenBucket{Max: 1}), send("b", policy.Concurrency{Max: -1})}}},
		{Age: policy.MaxDuration + 1, UsedDays: 36_526},
	}}.Validate()))
}

// days is n times a day of use, at nine in the morning, from day first on.
func daysOfUse(since time.Time, first, n int) (used []time.Time) {
	for i := range n {
		used = append(used, since.AddDate(0, 0, first+i).Add(9*time.Hour), since.AddDate(0, 0, first+i).Add(10*time.Hour))
	}
	return used
}

func TestWarmUpIsEarned(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	since := time.Date(2026, time.May, 1, 0, 0, 0, 0, time.UTC)
	three := policy.WarmUp{Steps: []policy.WarmUpStep{
		{Policy: policy.Policy{Slug: "a"}},
		{Policy: policy.Policy{Slug: "b"}, Age: 4 * day, UsedDays: 3},
		{Policy: policy.Policy{Slug: "c"}, Age: 8 * day, UsedDays: 6},
	}}
	tests := []struct {
		name    string
		history policy.History
		at      time.Duration // after since
		want    string
		age     time.Duration
		days    int
	}{
		{"new", policy.History{Since: since}, 0, "a", 4 * day, 3},
		{"no age known", policy.History{Used: daysOfUse(since, 0, 9)}, 9 * day, "a", 4 * day, 3},
		{"an age that is still to come", policy.History{Since: since.Add(99 * day), Used: daysOfUse(since, 0, 9)}, 9 * day, "a", 4 * day, 3},
		{"used, not yet old", policy.History{Since: since, Used: daysOfUse(since, 0, 4)}, 4*day - 1, "a", 1, 0},
		{"old and used", policy.History{Since: since, Used: daysOfUse(since, 0, 4)}, 4 * day, "b", 4 * day, 2},
		{"old, not used enough", policy.History{Since: since, Used: daysOfUse(since, 0, 2)}, 4 * day, "a", 0, 1},
		{"idle for a year", policy.History{Since: since, Used: daysOfUse(since, 0, 2)}, 365 * day, "a", 0, 1},
		{"many times on one day", policy.History{Since: since, Used: slices.Repeat(daysOfUse(since, 0, 1), 50)}, 9 * day, "a", 0, 2},
		{"used in no order", policy.History{Since: since, Used: append(daysOfUse(since, 5, 3), daysOfUse(since, 0, 3)...)}, 8 * day, "c", 0, 0},
		{"used before it was", policy.History{Since: since, Used: daysOfUse(since, -9, 9)}, 9 * day, "a", 0, 3},
		{"used in the time to come", policy.History{Since: since, Used: daysOfUse(since, 9, 9)}, 9 * day, "a", 0, 3},
		{"rated low", policy.History{Since: since, Used: daysOfUse(since, 0, 8), Quality: policy.Red}, 8 * day, "b", 0, 0},
		{"rated low from the start", policy.History{Since: since, Quality: policy.Red}, 0, "a", 4 * day, 3},
		{"restricted just now", policy.History{Since: since, Used: daysOfUse(since, 0, 9), Restricted: []time.Time{since.Add(9 * day)}}, 9 * day, "b", 4 * day, 3},
		{"restricted, and idle since", policy.History{Since: since, Used: daysOfUse(since, 0, 9), Restricted: []time.Time{since.Add(9 * day)}}, 99 * day, "b", 0, 3},
		{"restricted, and used since", policy.History{Since: since, Used: daysOfUse(since, 0, 13), Restricted: []time.Time{since.Add(9 * day)}}, 13 * day, "c", 0, 0},
		{"restricted twice", policy.History{Since: since, Used: daysOfUse(since, 0, 10), Restricted: []time.Time{since.Add(10 * day), since.Add(9 * day)}}, 10 * day, "a", 4 * day, 3},
		{"restricted at the start", policy.History{Since: since, Used: daysOfUse(since, 0, 5), Restricted: []time.Time{since.Add(day)}}, 5 * day, "b", 4 * day, 2},
		{"restricted before it was", policy.History{Since: since, Used: daysOfUse(since, 0, 9), Restricted: []time.Time{since.Add(-1)}}, 9 * day, "c", 0, 0},
		{"restricted in the time to come", policy.History{Since: since, Used: daysOfUse(since, 0, 9), Restricted: []time.Time{since.Add(9*day + 1)}}, 9 * day, "c", 0, 0},
	}
	for _, tt := range tests {
		stage, err := three.At(tt.history, since.Add(tt.at))
		require.NoError(t, err, tt.name)
		require.Equal(t, tt.want, stage.Policy.Slug, tt.name)
		require.Equal(t, three.Steps[stage.Step].Policy, stage.Policy, tt.name)
		require.Equal(t, tt.age, stage.Age, tt.name)
		require.Equal(t, tt.days, stage.UsedDays, tt.name)
	}

	_, err := policy.WarmUp{}.At(policy.History{}, since)
	require.ErrorIs(t, err, policy.ErrInvalid)
	_, err = three.At(policy.History{Quality: "LOW"}, since)
	require.EqualError(t, err, `policy: quality: "LOW": use GREEN, YELLOW or RED, or leave it empty`)
}

// A number is stepped through its life an hour at a time, with its age and its days
// of use as two counters.
func TestWarmUpIsWhatAnHourlyClockSays(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, time.May, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		var w policy.WarmUp
		var age, use int
		for i := range rapid.IntRange(1, 5).Draw(t, "steps") {
			if i > 0 {
				age += rapid.IntRange(1, 72).Draw(t, "age")
				use += rapid.IntRange(0, 3).Draw(t, "days")
			}
			w.Steps = append(w.Steps, policy.WarmUpStep{Age: time.Duration(age) * time.Hour, UsedDays: use})
		}
		life := rapid.IntRange(0, 400).Draw(t, "life")
		used := rapid.SliceOfN(rapid.IntRange(0, 400), 0, 60).Draw(t, "used")
		restricted := rapid.SliceOfN(rapid.IntRange(0, 400), 0, 3).Draw(t, "restricted")
		h := policy.History{Since: since}
		for _, hour := range used {
			h.Used = append(h.Used, since.Add(time.Duration(hour)*time.Hour))
		}
		for _, hour := range restricted {
			h.Restricted = append(h.Restricted, since.Add(time.Duration(hour)*time.Hour))
		}

		old, days, lastDay, step := 0, 0, -1, 0
		for hour := 0; hour <= life; hour++ {
			if slices.Contains(used, hour) && hour/24 != lastDay {
				days, lastDay = days+1, hour/24
			}
			reached := 0
			for i, s := range w.Steps {
				if time.Duration(old)*time.Hour >= s.Age && days >= s.UsedDays {
					reached = i
				}
			}
			for _, r := range restricted {
				if r == hour {
					reached = max(reached-1, 0)
					old, days, lastDay = int(w.Steps[reached].Age/time.Hour), w.Steps[reached].UsedDays, -1
				}
			}
			step = reached
			old++
		}
		stage, err := w.At(h, since.Add(time.Duration(life)*time.Hour))
		require.NoError(t, err)
		require.Equal(t, step, stage.Step)
	})
}
