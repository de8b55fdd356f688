package queuetest_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"
	_ "time/tzdata" // the zones of these tests, whatever the machine has

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

func TestAudit_CalendarEdges(t *testing.T) {
	t.Parallel()
	// Each row is one window: its first instant and the first after it, in UTC.
	tests := []struct {
		zone       string
		unit       policy.Unit
		from, next string
		name       string
	}{
		{"UTC", policy.Minute, "2026-01-05T23:59:00Z", "2026-01-06T00:00:00Z", "2026-01-05T23:59 +00:00:00"},
		{"UTC", policy.Month, "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z", "2024-02"},
		{"UTC", policy.Week, "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z", "from 2025-12-29"},
		{"UTC", policy.Day, "0001-01-02T00:00:00Z", "0001-01-03T00:00:00Z", "0001-01-02"},

		// Midnight is missing: the day begins at 01:00.
		{"America/Sao_Paulo", policy.Day, "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z", "2018-11-04"},
		{"America/Sao_Paulo", policy.Hour, "2018-11-04T02:00:00Z", "2018-11-04T03:00:00Z", "2018-11-03T23h -03:00:00"},
		{"America/Sao_Paulo", policy.Hour, "2018-11-04T03:00:00Z", "2018-11-04T04:00:00Z", "2018-11-04T01h -02:00:00"},
		{"Africa/Cairo", policy.Day, "2014-05-15T22:00:00Z", "2014-05-16T21:00:00Z", "2014-05-16"},
		{"America/Havana", policy.Day, "2024-03-10T05:00:00Z", "2024-03-11T04:00:00Z", "2024-03-10"},
		{"America/Havana", policy.Week, "2024-03-04T05:00:00Z", "2024-03-11T04:00:00Z", "from 2024-03-04"},

		// The hour before midnight comes twice, in one day.
		{"America/Sao_Paulo", policy.Day, "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z", "2018-02-17"},
		{"America/Sao_Paulo", policy.Hour, "2018-02-18T01:00:00Z", "2018-02-18T02:00:00Z", "2018-02-17T23h -02:00:00"},
		{"America/Sao_Paulo", policy.Hour, "2018-02-18T02:00:00Z", "2018-02-18T03:00:00Z", "2018-02-17T23h -03:00:00"},
		{"Africa/Cairo", policy.Day, "2023-10-25T21:00:00Z", "2023-10-26T22:00:00Z", "2023-10-26"},

		// Midnight comes twice: the day begins at the first one.
		{"America/Havana", policy.Day, "2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z", "2024-11-03"},

		// The clocks go back over midnight, at 00:01: the day has begun all the same.
		{"America/St_Johns", policy.Day, "2006-10-28T02:30:00Z", "2006-10-29T02:30:00Z", "2006-10-28"},
		{"America/St_Johns", policy.Day, "2006-10-29T02:30:00Z", "2006-10-30T03:30:00Z", "2006-10-29"},
		{"America/St_Johns", policy.Hour, "2006-10-29T02:30:00Z", "2006-10-29T02:31:00Z", "2006-10-29T00h -02:30:00"},
		{"America/St_Johns", policy.Hour, "2006-10-29T02:31:00Z", "2006-10-29T03:30:00Z", "2006-10-28T23h -03:30:00"},
		{"America/St_Johns", policy.Month, "2009-10-01T02:30:00Z", "2009-11-01T02:30:00Z", "2009-10"},
		{"America/St_Johns", policy.Month, "2009-11-01T02:30:00Z", "2009-12-01T03:30:00Z", "2009-11"},

		// 30 December 2011 is missing.
		{"Pacific/Apia", policy.Day, "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-29"},
		{"Pacific/Apia", policy.Day, "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z", "2011-12-31"},
		{"Pacific/Apia", policy.Week, "2011-12-26T10:00:00Z", "2012-01-01T10:00:00Z", "from 2011-12-26"},
		{"Pacific/Apia", policy.Month, "2011-12-01T10:00:00Z", "2011-12-31T10:00:00Z", "2011-12"},

		// 31 December 1844 is missing, and with it the end of the year.
		{"Asia/Manila", policy.Month, "1844-12-01T15:56:08Z", "1844-12-31T15:56:08Z", "1844-12"},

		// The first of all days.
		{"Pacific/Honolulu", policy.Day, "0001-01-01T10:31:26Z", "0001-01-02T10:31:26Z", "0001-01-01"},

		// The last day of a leap year, where package time does not always know how
		// long an offset holds (https://go.dev/issue/81583).
		{"Europe/London", policy.Day, "2028-12-31T00:00:00Z", "2029-01-01T00:00:00Z", "2028-12-31"},
		{"Europe/London", policy.Week, "2028-12-25T00:00:00Z", "2029-01-01T00:00:00Z", "from 2028-12-25"},
		{"Europe/London", policy.Month, "2028-12-01T00:00:00Z", "2029-01-01T00:00:00Z", "2028-12"},
		{"America/New_York", policy.Day, "2028-12-31T05:00:00Z", "2029-01-01T05:00:00Z", "2028-12-31"},
		{"America/New_York", policy.Hour, "2029-01-01T04:00:00Z", "2029-01-01T05:00:00Z", "2028-12-31T23h -05:00:00"},
		{"Australia/Lord_Howe", policy.Day, "2028-12-30T13:00:00Z", "2028-12-31T13:00:00Z", "2028-12-31"},
		{"Australia/Lord_Howe", policy.Day, "2032-12-30T13:00:00Z", "2032-12-31T13:00:00Z", "2032-12-31"},
		{"Australia/Lord_Howe", policy.Week, "2032-12-26T13:00:00Z", "2033-01-02T13:00:00Z", "from 2032-12-27"},

		// Half an hour.
		{"Australia/Lord_Howe", policy.Hour, "2024-04-06T14:00:00Z", "2024-04-06T15:00:00Z", "2024-04-07T01h +11:00:00"},
		{"Australia/Lord_Howe", policy.Hour, "2024-04-06T15:00:00Z", "2024-04-06T15:30:00Z", "2024-04-07T01h +10:30:00"},
		{"Australia/Lord_Howe", policy.Hour, "2024-10-05T15:30:00Z", "2024-10-05T16:00:00Z", "2024-10-06T02h +11:00:00"},
		{"Australia/Lord_Howe", policy.Minute, "2024-04-06T15:00:00Z", "2024-04-06T15:01:00Z", "2024-04-07T01:30 +10:30:00"},
		{"Australia/Lord_Howe", policy.Day, "2024-04-06T13:00:00Z", "2024-04-07T13:30:00Z", "2024-04-07"},

		// The change is inside the day.
		{"Europe/London", policy.Hour, "2024-10-27T00:00:00Z", "2024-10-27T01:00:00Z", "2024-10-27T01h +01:00:00"},
		{"Europe/London", policy.Hour, "2024-10-27T01:00:00Z", "2024-10-27T02:00:00Z", "2024-10-27T01h +00:00:00"},
		{"Europe/London", policy.Day, "2024-10-26T23:00:00Z", "2024-10-28T00:00:00Z", "2024-10-27"},
		{"Europe/London", policy.Day, "2024-03-31T00:00:00Z", "2024-03-31T23:00:00Z", "2024-03-31"},
		{"Europe/London", policy.Week, "2024-10-20T23:00:00Z", "2024-10-28T00:00:00Z", "from 2024-10-21"},
		{"Europe/London", policy.Month, "2024-03-01T00:00:00Z", "2024-03-31T23:00:00Z", "2024-03"},

		// Offsets that are no whole hours, minutes or neither.
		{"Asia/Kathmandu", policy.Hour, "2026-01-05T00:15:00Z", "2026-01-05T01:15:00Z", "2026-01-05T06h +05:45:00"},
		{"Asia/Kathmandu", policy.Day, "2026-01-04T18:15:00Z", "2026-01-05T18:15:00Z", "2026-01-05"},
		{"Africa/Monrovia", policy.Minute, "1972-01-06T00:44:30Z", "1972-01-06T00:45:30Z", "1972-01-06T00:00 -00:44:30"},
		{"Africa/Monrovia", policy.Day, "1972-01-06T00:44:30Z", "1972-01-07T00:44:30Z", "1972-01-06"},
		{"Africa/Monrovia", policy.Day, "1972-01-07T00:44:30Z", "1972-01-08T00:00:00Z", "1972-01-07"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %s %s", tt.zone, tt.unit, tt.from), func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(tt.zone)
			require.NoError(t, err)
			w := policy.CalendarWindow{Max: 1, Unit: tt.unit, Location: zone}
			first, next := instant(t, tt.from), instant(t, tt.next)
			last := next.Add(-ns)

			require.Equal(t, 1, together(w, first, last), "it is one window")
			require.Equal(t, 0, together(w, first.Add(-ns), first), "it begins here")
			require.Equal(t, 0, together(w, last, next), "it ends here")
			require.Equal(t, 0, together(w, first.Add(-ns), last, next), "one call each")
			require.Equal(t, 3, together(w, first, first.Add(ns), last.Add(-ns), last), "all of them")

			for _, v := range queuetest.Audit(only(w), callsAt(first, last)) {
				require.Contains(t, v.Text, fmt.Sprintf("in the %s %s of %s,", tt.unit, tt.name, tt.zone))
			}
		})
	}
}

// The hour after the clocks went back over midnight belongs to the new day, also
// for a log that has no call of the days before.
func TestAudit_CalendarAfterMidnightComesBack(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/St_Johns")
	require.NoError(t, err)
	w := policy.CalendarWindow{Max: 1, Unit: policy.Day, Location: zone}
	back := instant(t, "2006-10-29T03:29:59Z")
	require.Equal(t, 28, back.In(zone).Day())
	for _, earlier := range []time.Duration{time.Hour, 47 * time.Hour, 49 * time.Hour, 1000 * time.Hour} {
		require.Equal(t, 1, together(w, back.Add(-earlier), back, back.Add(20*time.Hour)), "a call %v before", earlier)
	}
	require.Equal(t, 1, together(w, back, back.Add(20*time.Hour)))
	require.Equal(t, 0, together(w, back.Add(-24*time.Hour), back))
}

// A day that begins and is gone again within one minute of UTC has begun.
func TestAudit_CalendarEdgeInsideAMinute(t *testing.T) {
	t.Parallel()
	midnight := time.Date(2026, time.January, 5, 23, 59, 30, 0, time.UTC) // of a zone at +00:00:30
	zone := zoneWithOneChange(t, midnight.Add(10*sec), 30, -3600)
	require.Equal(t, 6, midnight.In(zone).Day())
	require.Equal(t, 5, midnight.Add(10*sec).In(zone).Day())

	w := policy.CalendarWindow{Max: 1, Unit: policy.Day, Location: zone}
	require.Equal(t, 0, together(w, midnight.Add(-ns), midnight))
	require.Equal(t, 0, together(w, midnight.Add(-ns), midnight.Add(11*sec)))
	require.Equal(t, 1, together(w, midnight, midnight.Add(25*time.Hour-ns)))
	require.Equal(t, 0, together(w, midnight.Add(-ns), midnight.Add(30*time.Minute)), "no call met the new day's ten seconds")
	nextDay := time.Date(2026, time.January, 7, 1, 0, 0, 0, time.UTC)
	require.Equal(t, 1, together(w, midnight, nextDay.Add(-ns)))
	require.Equal(t, 0, together(w, midnight, nextDay))
}

// Around the offset changes of thirty years, with calls near together and far
// apart, the walk agrees with the changes that package time lists.
func TestAudit_CalendarAnyZone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := drawZone(t)
		w := policy.CalendarWindow{
			Max:      1,
			Unit:     rapid.SampledFrom([]policy.Unit{policy.Minute, policy.Hour, policy.Day, policy.Week, policy.Month}).Draw(t, "unit"),
			Location: zone,
		}
		year2005 := time.Date(2005, time.January, 1, 0, 0, 0, 0, time.UTC)
		change := year2005.AddDate(0, 0, rapid.IntRange(0, 31*365).Draw(t, "day"))
		if _, end := change.In(zone).ZoneBounds(); !end.IsZero() {
			change = end
		}
		var times []time.Time
		windows := map[string]bool{}
		for range rapid.IntRange(2, 6).Draw(t, "calls") {
			minutes := rapid.OneOf(rapid.IntRange(-120, 120), rapid.IntRange(-2*24*60, 2*24*60), rapid.IntRange(-40*24*60, 40*24*60)).Draw(t, "minutes")
			at := change.Add(time.Duration(minutes) * time.Minute).Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "ns")))
			times = append(times, at)
			windows[windowOf(w, at)] = true
		}
		require.Equal(t, len(times)-len(windows), together(w, times...), "%v in %v: %v", times, zone, windows)
	})
}

// On the last days of a year, also a leap year's, windows are those of the clock on the
// wall: package time can say there that a stretch of one offset is over already
// (https://go.dev/issue/81583).
func TestAudit_CalendarAtTheEndOfAYear(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/London", "America/Sao_Paulo", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		for _, year := range []int{2024, 2027, 2028, 2100, 2104} {
			for unit, shown := range map[policy.Unit]string{policy.Hour: "15", policy.Day: "02", policy.Month: "01"} {
				w := policy.CalendarWindow{Max: 1, Unit: unit, Location: zone}
				at := time.Date(year, time.December, 30, 0, 0, 0, 0, time.UTC)
				for end := at.AddDate(0, 0, 4); at.Before(end); at = at.Add(30 * time.Minute) {
					next := at.Add(30*time.Minute - ns)
					want := 0
					if at.In(zone).Format(shown) == next.In(zone).Format(shown) {
						want = 1
					}
					require.Equal(t, want, together(w, at, next), "the %s of %v", unit, at.In(zone))
				}
			}
		}
	}
}

// together is how many calls at these times share a window with an earlier one,
// for a window of one call.
func together(w policy.CalendarWindow, times ...time.Time) int {
	return len(queuetest.Audit(only(w), callsAt(times...)))
}

func callsAt(times ...time.Time) []queuetest.Call {
	calls := make([]queuetest.Call, len(times))
	for i, t := range times {
		calls[i] = at(t.Sub(auditNoon))
		calls[i].At, calls[i].Done = t, t
	}
	return calls
}

// windowOf names the window of an instant without walking, from the list of the
// zone's offset changes.
func windowOf(w policy.CalendarWindow, t time.Time) string {
	_, offset := t.In(w.Zone()).Zone()
	seconds := t.Unix() + int64(offset)
	switch w.Unit {
	case policy.Minute:
		return fmt.Sprint(offset, seconds/60)
	case policy.Hour:
		return fmt.Sprint(offset, seconds/3600)
	case policy.Week:
		return fmt.Sprint((latestDate(w.Zone(), t) + 3) / 7) // day 0 was a Thursday
	case policy.Month:
		return time.Unix(latestDate(w.Zone(), t)*86400, 0).UTC().Format("2006-01")
	default:
		return fmt.Sprint(latestDate(w.Zone(), t))
	}
}

// latestDate is the latest date that the zone has had by t: that of t itself, or
// of the last instant before one of the changes in the week before it.
func latestDate(zone *time.Location, t time.Time) int64 {
	local := t.In(zone)
	latest := dateNumber(local)
	for {
		change, _ := local.ZoneBounds()
		if change.IsZero() || t.Sub(change) > 7*24*time.Hour {
			return latest
		}
		local = change.Add(-ns).In(zone)
		latest = max(latest, dateNumber(local))
	}
}

// dateNumber counts local dates: 0 is 1970-01-01. It is for dates after it.
func dateNumber(local time.Time) int64 {
	_, offset := local.Zone()
	return (local.Unix() + int64(offset)) / 86400
}

func drawZone(t *rapid.T) *time.Location {
	name := rapid.SampledFrom([]string{
		"America/Sao_Paulo", "Pacific/Apia", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe",
		"Europe/London", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca", "Asia/Amman", "UTC",
	}).Draw(t, "zone")
	zone, err := time.LoadLocation(name)
	require.NoError(t, err)
	return zone
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return at
}

// zoneWithOneChange is a zone with two offsets in seconds, written in the format
// of RFC 8536, version 1.
func zoneWithOneChange(t *testing.T, change time.Time, before, after int32) *time.Location {
	t.Helper()
	data := append([]byte("TZif"), make([]byte, 16)...)
	for _, count := range []uint32{0, 0, 0, 1, 2, 4} { // one change, two kinds of local time, four letters
		data = binary.BigEndian.AppendUint32(data, count)
	}
	data = binary.BigEndian.AppendUint32(data, uint32(change.Unix()))
	data = append(data, 1) // the change is to the second kind
	for _, offset := range []int32{before, after} {
		data = binary.BigEndian.AppendUint32(data, uint32(offset))
		data = append(data, 0, 0) // no summer time, the name at letter 0
	}
	data = append(data, "ODD\x00"...)
	zone, err := time.LoadLocationFromTZData("Odd/Zone", data)
	require.NoError(t, err)
	return zone
}
