package limiter

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

const (
	walkFrom = 1104537600 // 2005-01-01, in seconds since 1970
	walkTo   = 2082758400 // 2036-01-01
	daySecs  = 86400
)

func units() []policy.Unit {
	return []policy.Unit{policy.Minute, policy.Hour, policy.Day, policy.Week, policy.Month}
}

// A stretch is a walk by minutes around a change of a zone's offset. For each
// minute and unit it has the number of the window that the minute is in, by the
// clock on the wall alone.
type stretch struct {
	from    int64 // in seconds
	windows [][5]int64
}

// walk goes through a zone from two days before an instant to two days after it.
func walk(zone *time.Location, around int64) stretch {
	s := stretch{from: around - 2*daySecs}
	latest, month := int64(math.MinInt64), int64(0) // the latest local date met
	for at := s.from; at < around+2*daySecs; at += 60 {
		local := at + offsetAt(zone, at)
		if date := floor(local, daySecs); date > latest {
			latest, month = date, monthOf(date)
		}
		s.windows = append(s.windows, numbers(at, local, latest, month))
	}
	return s
}

// numbers are the numbers of the windows that hold an instant, with the clock on
// the wall there and the latest date it has shown. A minute or an hour that the
// clock shows twice is two.
func numbers(at, local, date, month int64) [5]int64 {
	const most = 1 << 33 // offsets tell repeated hours apart
	offset := local - at
	return [5]int64{
		floor(local, 60) + offset*most,
		floor(local, 3600) + offset*most,
		date,
		floor(date+3, 7), // 1970 began on a Thursday
		month,
	}
}

func monthOf(date int64) int64 {
	day := time.Unix(date*daySecs, 0).UTC()
	return int64(day.Year())*12 + int64(day.Month())
}

func offsetAt(zone *time.Location, at int64) int64 {
	_, offset := time.Unix(at, 0).In(zone).Zone()
	return int64(offset)
}

func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// changes are the minutes with which a zone's offset changes.
func changes(zone *time.Location) (found []int64) {
	for at := int64(walkFrom); at < walkTo; at += daySecs / 2 {
		if offsetAt(zone, at) == offsetAt(zone, at+daySecs/2) {
			continue
		}
		minute := at + 60
		for offsetAt(zone, minute) == offsetAt(zone, at) {
			minute += 60
		}
		found = append(found, minute)
	}
	return found
}

// check compares windowEnd at each minute with the walk: it is the first minute of
// another window, or beyond the walk.
func (s stretch) check(t *testing.T, zone *time.Location, change int64) {
	for u, unit := range units() {
		end := int64(0) // where the window of minute i ends; 0 is beyond the walk
		for i := len(s.windows) - 2; i >= 0; i-- {
			if s.windows[i][u] != s.windows[i+1][u] {
				end = s.from + int64(i+1)*60
			}
			at := s.from + int64(i)*60
			if !s.telling(unit, i, at, at-change) {
				continue
			}
			for _, wall := range [...]int64{at * 1e9, at*1e9 + 1, (at+60)*1e9 - 1} {
				got := windowEnd(unit, zone, wall)
				if end == 0 && got < (s.from+int64(len(s.windows))*60)*1e9 || end != 0 && got != end*1e9 {
					t.Fatalf("the %s of %v ends at %v, the walk says %v (0 is beyond it)", unit,
						time.Unix(0, wall).In(zone), time.Unix(0, got).In(zone), end)
				}
				if i%59 != 0 {
					break // the other instants of a minute now and then
				}
			}
		}
	}
}

// telling says whether to compare at a minute. Hours and days are compared at each
// minute for three hours around the change and at the last one of each hour; the
// rest now and then.
func (s stretch) telling(unit policy.Unit, i int, at, sinceChange int64) bool {
	switch unit {
	case policy.Hour, policy.Day:
		return sinceChange > -3*3600 && sinceChange < 3*3600 || s.windows[i][1] != s.windows[i+1][1] || at%1260 == 0
	}
	return at%1260 == 0
}

// zones are those whose clocks do all that clocks do, with at least how often they
// changed their offset: over midnight (Sao Paulo, Cairo, Havana), a minute after it
// (St John's), by half an hour (Lord Howe), by a whole day (Apia), never (Kathmandu).
func zones() map[string]int {
	return map[string]int{
		"America/Sao_Paulo":   29,
		"Pacific/Apia":        23,
		"Africa/Cairo":        20,
		"America/Havana":      30,
		"Australia/Lord_Howe": 40,
		"Europe/London":       40,
		"Asia/Kathmandu":      0,
		"America/St_Johns":    40,
	}
}

func TestWindowEndsWhereAMinuteWalkSaysAroundEachChangeOfOffset(t *testing.T) {
	t.Parallel()
	for name, least := range zones() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(name)
			require.NoError(t, err)
			found := changes(zone)
			require.GreaterOrEqual(t, len(found), least)
			for _, at := range found {
				walk(zone, at).check(t, zone, at)
			}
		})
	}
}

// Between changes a window ends where the clock on the wall first shows another
// one: at its end, and not a nanosecond before it.
func TestWindowEndsWhereTheWallClockShowsAnother(t *testing.T) {
	t.Parallel()
	for name := range zones() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(name)
			require.NoError(t, err)
			dice := rand.New(rand.NewPCG(1, 2))
			for range 1000 {
				checkEnds(t, zone, (walkFrom+dice.Int64N(walkTo-walkFrom))*1e9+dice.Int64N(1e9))
			}
		})
	}
}

// Where a zone's file leaves its future to a rule, package time has the last
// stretch of a leap year end a day early.
func TestWindowEndsAtTheEndOfALeapYear(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{
		"GMT0BST,M3.5.0/1,M10.5.0",
		"<-03>3<-02>,M10.3.0/0,M2.3.0/0",
		"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
		"<+0545>-5:45",
	} {
		zone := ruled(t, rule)
		for _, year := range []int{2024, 2027, 2028, 2100, 2104} {
			from := time.Date(year, time.December, 30, 0, 0, 0, 0, time.UTC).Unix()
			for at := from; at < from+4*daySecs; at += 1800 {
				checkEnds(t, zone, at*1e9)
			}
		}
	}
}

// ruled is a zone whose file has nothing but a rule.
func ruled(t *testing.T, rule string) *time.Location {
	head := func(types, letters byte) string {
		return "TZif2" + string(make([]byte, 34)) + string([]byte{types, 0, 0, 0, letters})
	}
	one := "\x00\x00\x00\x00" + "\x00" + "\x00" + "LMT\x00" // no offset, standard time, its name
	zone, err := time.LoadLocationFromTZData(rule, []byte(head(0, 0)+head(1, 4)+one+"\n"+rule+"\n"))
	require.NoError(t, err)
	return zone
}

// checkEnds asks of each unit whether its window ends where the clock on the wall
// first shows another one.
func checkEnds(t *testing.T, zone *time.Location, wall int64) {
	now := numbersAt(zone, floor(wall, 1e9))
	for u, unit := range units() {
		end := windowEnd(unit, zone, wall)
		if numbersAt(zone, floor(end-1, 1e9))[u] != now[u] || numbersAt(zone, floor(end, 1e9))[u] == now[u] {
			t.Fatalf("the %s of %v does not end at %v", unit, time.Unix(0, wall).In(zone), time.Unix(0, end).In(zone))
		}
		if left := time.Duration(end - wall); left <= 0 || left > longest(unit) {
			t.Fatalf("the %s of %v has %v left", unit, time.Unix(0, wall).In(zone), left)
		}
	}
}

// numbersAt is numbers without a walk to the instant: only after a change of offset
// can the clock have shown a later date than it does now.
func numbersAt(zone *time.Location, at int64) [5]int64 {
	local := at + offsetAt(zone, at)
	latest := floor(local, daySecs)
	if offsetAt(zone, at) != offsetAt(zone, at-daySecs) {
		for back := at - at%60 - daySecs; back < at; back += 60 {
			latest = max(latest, floor(back+offsetAt(zone, back), daySecs))
		}
	}
	return numbers(at, local, latest, monthOf(latest))
}

func TestWindowEndSaturates(t *testing.T) {
	t.Parallel()
	for _, unit := range units() {
		require.Equal(t, int64(math.MaxInt64), windowEnd(unit, time.UTC, math.MaxInt64), unit)
		require.Equal(t, int64(math.MaxInt64), windowEnd(unit, time.FixedZone("east", 14*3600), math.MaxInt64-1), unit)
		require.Greater(t, windowEnd(unit, time.UTC, math.MinInt64), int64(math.MinInt64), unit)
		require.Greater(t, windowEnd(unit, time.FixedZone("west", -12*3600), math.MinInt64+1), int64(math.MinInt64)+1, unit)
	}
}
