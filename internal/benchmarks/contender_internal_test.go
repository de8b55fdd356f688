package main

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/wapace/wapace/policy"
)

// TestContendersLimit holds that nobody is measured doing nothing: under five an
// hour each allows five of twenty and then no more, and those that are given the
// time allow more once it has passed.
func TestContendersLimit(t *testing.T) {
	t.Parallel()
	five := quota{5, time.Hour}
	for name, c := range map[string]struct {
		still builder // all requests within one second
		hours builder // an hour passes between requests; nil where the limiter reads the clock
		first int
	}{
		"wapace":                      {still: wapace(bucket(five), time.Millisecond), hours: wapace(bucket(five), time.Hour), first: 5},
		"wapace now":                  {still: wapaceNow(bucket(five)), first: 5},
		"wapace standard":             {still: wapace(policy.Standard(), time.Millisecond), hours: wapace(policy.Standard(), time.Hour), first: 1},
		"wapace five rules":           {still: wapace(fiveRules(), time.Millisecond), hours: wapace(fiveRules(), time.Hour), first: 1},
		"x/time/rate":                 {still: xtime(five, time.Millisecond), hours: xtime(five, time.Hour), first: 5},
		"x/time/rate in a locked map": {still: xtimeMap(five, time.Millisecond), hours: xtimeMap(five, time.Hour), first: 5},
		"two x/time/rate":             {still: xtimeSet(time.Millisecond, five, quota{3, time.Hour}), hours: xtimeSet(time.Hour, five, quota{3, time.Hour}), first: 3},
		"uber":                        {still: uber(five, time.Millisecond), hours: uber(five, time.Hour), first: 1}, // it begins empty
		"throttled":                   {still: throttledGCRA(five, time.Millisecond), hours: throttledGCRA(five, time.Hour), first: 5},
		"sethvargo":                   {still: sethvargo(five), first: 5},
		"ulule":                       {still: ulule(five), first: 5},
		"failsafe":                    {still: failsafe(five), first: 5},
		"chi":                         {still: chi(five), first: 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			still, err := c.still()
			require.NoError(t, err)
			require.Equal(t, c.first, still.run(20))
			require.Zero(t, still.run(20))
			if c.hours != nil {
				hours, err := c.hours()
				require.NoError(t, err)
				require.Equal(t, 20, hours.run(20))
			}
		})
	}
}

func TestRateSetChargesAllOrNothing(t *testing.T) {
	t.Parallel()
	small, large := quota{1, time.Hour}.limiter(), quota{5, time.Hour}.limiter()
	s, now := &rateSet{limiters: []*rate.Limiter{large, small}}, newClock(0).now
	require.True(t, s.allow(now))
	require.False(t, s.allow(now))
	require.InDelta(t, 4, large.TokensAt(now), 1e-9)
}

func TestRefusing(t *testing.T) {
	t.Parallel()
	c, err := refusing(xtime(spent(), spentStep))()
	require.NoError(t, err)
	require.True(t, c.refuses)
	require.Zero(t, c.run(100))

	broken := errors.New("broken")
	_, err = refusing(func() (contender, error) { return contender{}, broken })()
	require.ErrorIs(t, err, broken)
}

func TestClockHasAMonotonicReading(t *testing.T) {
	t.Parallel()
	c := newClock(time.Minute)
	first := c.tick()
	require.Equal(t, time.Minute, c.tick().Sub(first))
	require.NotEqual(t, first, first.Round(0)) // Round(0) takes the reading away
}

// TestCrowd holds that the accounts of a crowd are limited one by one, and that
// each side meets all of them in the same order.
func TestCrowd(t *testing.T) {
	t.Parallel()
	people := newCrowd(100)
	require.ElementsMatch(t, people.keys, people.visits)
	require.NotEqual(t, people.keys, people.visits)
	require.Equal(t, people, newCrowd(100))
	for _, workers := range []int{1, 3, 200} {
		for _, build := range []builder{wapaceCrowd(people, workers), xtimeCrowd(people, workers)} {
			c, err := build()
			require.NoError(t, err)
			require.Equal(t, 100, c.keys)
			require.Equal(t, 250, c.run(250))
		}
	}

	visits, asked := map[string]int{}, 0
	c, err := people.visited(1, func(key string, _ time.Time) bool {
		asked++
		visits[key]++
		return asked <= 100 || asked%2 == 0
	})
	require.NoError(t, err)
	require.Equal(t, 100, c.run(200))
	for _, key := range people.keys {
		require.Equal(t, 3, visits[key], "once to begin with, and twice in two rounds")
	}

	_, err = people.visited(1, func(string, time.Time) bool { return false })
	require.ErrorContains(t, err, "refused at its first request")
}

// TestCrowdComesBackInTime holds that the limiters of the crowd do limit: a second
// visit within the pause is refused.
func TestCrowdComesBackInTime(t *testing.T) {
	t.Parallel()
	now := newClock(0).now
	m := newRateMap(quota{1, time.Minute})
	require.True(t, m.allow("a", now))
	require.False(t, m.allow("a", now.Add(59*time.Second)))
	require.True(t, m.allow("b", now))
	require.True(t, m.allow("a", now.Add(standardStep)))
}

func TestFullWindows(t *testing.T) {
	t.Parallel()
	for people, charges := range map[int]int{1: 1000, 5000: 5000} {
		c, err := fullWindows(newCrowd(people))()
		require.NoError(t, err)
		require.Equal(t, charges, c.keys)
		require.NotNil(t, c.holds)
	}
}
