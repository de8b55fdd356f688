package queuetest_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

func TestAudit_Numbers(t *testing.T) {
	t.Parallel()
	const most = math.MaxInt64
	tests := []struct {
		name     string
		limit    policy.Limit
		calls    []queuetest.Call
		cap, got int64
		text     string
	}{
		{"window", policy.SlidingWindow{Max: 2, Window: time.Minute},
			[]queuetest.Call{at(0), at(sec), costing(3, at(2*sec))},
			2, 5, "5 in the 1m0s from 2026-01-05T12:00:00Z, where at most 2 may be (3 too many)"},
		{"bucket", policy.TokenBucket{Max: 2, Per: 10 * sec, Burst: 3},
			[]queuetest.Call{at(-time.Hour), costing(3, at(0)), costing(3, at(11*sec))},
			5, 6, "6 in the 11s from 2026-01-05T12:00:00Z, where at most 5 may be (1 too many)"},
		{"bucket at once", policy.TokenBucket{Max: 2, Per: 10 * sec, Burst: 3},
			[]queuetest.Call{costing(4, at(0))},
			3, 4, "4 at once, where at most 3 may be (1 too many)"},
		{"minute", policy.CalendarWindow{Unit: policy.Minute}, []queuetest.Call{at(90 * sec)},
			0, 1, "1 in the minute 2026-01-05T12:01 +00:00:00 of UTC, where at most 0 may be (1 too many)"},
		{"hour", policy.CalendarWindow{Unit: policy.Hour}, []queuetest.Call{at(90 * sec)},
			0, 1, "1 in the hour 2026-01-05T12h +00:00:00 of UTC, where at most 0 may be (1 too many)"},
		{"day", policy.CalendarWindow{Unit: policy.Day}, []queuetest.Call{at(48 * time.Hour)},
			0, 1, "1 in the day 2026-01-07 of UTC, where at most 0 may be (1 too many)"},
		{"week", policy.CalendarWindow{Unit: policy.Week}, []queuetest.Call{at(48 * time.Hour)},
			0, 1, "1 in the week from 2026-01-05 of UTC, where at most 0 may be (1 too many)"},
		{"month", policy.CalendarWindow{Unit: policy.Month}, []queuetest.Call{at(0)},
			0, 1, "1 in the month 2026-01 of UTC, where at most 0 may be (1 too many)"},
		{"gap", policy.Gap{Min: 5 * sec, Max: 9 * sec}, []queuetest.Call{span(0, sec), at(6*sec - ns)},
			int64(5 * sec), int64(5*sec - ns),
			"taken 4.999999999s after the call of 2026-01-05T12:00:00Z ended, where the pause is at least 5s (1ns too early)"},
		{"gap in flight", policy.Gap{Min: 5 * sec, Max: 9 * sec}, []queuetest.Call{span(0, 4*sec), at(sec)},
			0, int64(-3 * sec),
			"taken while the call of 2026-01-05T12:00:00Z was in flight, where only one may be (3s too early)"},
		{"gap unsettled", policy.Gap{Min: 5 * sec, Max: 9 * sec}, []queuetest.Call{unsettled(0), at(sec)},
			0, math.MinInt64,
			"taken while the call of 2026-01-05T12:00:00Z was in flight, where only one may be (by how much is unknown, that call is not settled)"},
		{"concurrency", policy.Concurrency{Max: 1}, []queuetest.Call{span(0, 4*sec), at(sec)},
			1, 2, "2 in flight, where at most 1 may be (1 too many)"},
		{"recipients", policy.UniqueRecipients{Max: 1, Window: time.Minute},
			[]queuetest.Call{to("a", at(0)), to("a", at(sec)), to("b", at(2*sec))},
			1, 2, "2 recipients in the 1m0s from 2026-01-05T12:00:00Z, where at most 1 may be (1 too many)"},
		{"contacts", policy.NewContacts{Max: 1, Window: time.Minute},
			[]queuetest.Call{strange(at(0)), at(0), strange(costing(7, at(2*sec)))},
			1, 2, "2 new contacts in the 1m0s from 2026-01-05T12:00:00Z, where at most 1 may be (1 too many)"},
		{"hours", policy.ActiveHours{From: 8 * time.Hour, To: 12*time.Hour + 30*sec}, []queuetest.Call{at(30*sec + ns)},
			0, 1, "taken on Monday at 12:00:30.000000001 of UTC, where calls may be from 08:00 to 12:00:30, every day"},
		{"hours on some days", policy.ActiveHours{To: 24 * time.Hour, Days: policy.Days(time.Tuesday, time.Sunday)}, []queuetest.Call{at(0)},
			0, 1, "taken on Monday at 12:00:00 of UTC, where calls may be from 00:00 to 24:00, tue,sun"},
		{"huge costs in a window", policy.SlidingWindow{Max: most, Window: time.Minute},
			[]queuetest.Call{costing(most, at(0)), costing(most, at(time.Minute)), costing(most, at(61*sec))},
			most, most, "18446744073709551614 in the 1m0s from 2026-01-05T12:01:00Z, where at most 9223372036854775807 may be (9223372036854775807 too many)"},
		{"huge costs in a day", policy.CalendarWindow{Max: 1, Unit: policy.Day},
			[]queuetest.Call{at(0), costing(most, at(0))},
			1, most, "9223372036854775808 in the day 2026-01-05 of UTC, where at most 1 may be (9223372036854775807 too many)"},
		{"huge costs in a bucket", policy.TokenBucket{Max: most, Per: policy.MaxDuration, Burst: 1},
			[]queuetest.Call{at(0), costing(most, at(0))},
			1, most, "9223372036854775808 at once, where at most 1 may be (9223372036854775807 too many)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			last := tt.calls[len(tt.calls)-1]
			require.Equal(t, []queuetest.Violation{{
				Rule: "only", Account: "447700900001", At: last.At, Limit: tt.cap, Got: tt.got, Text: tt.text,
			}}, queuetest.Audit(only(tt.limit), tt.calls))
		})
	}
}

func TestAudit_FarApart(t *testing.T) {
	t.Parallel()
	first, last := at(0), at(0)
	first.At = time.Date(1, time.January, 1, 0, 0, 0, 1, time.UTC)
	first.Done = first.At
	last.At = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
	last.Done = last.At
	for _, limit := range []policy.Limit{
		policy.SlidingWindow{Max: 1, Window: policy.MaxDuration},
		policy.TokenBucket{Max: 1, Per: policy.MaxDuration},
		policy.CalendarWindow{Max: 1, Unit: policy.Month},
		policy.Gap{Min: policy.MaxDuration, Max: policy.MaxDuration},
	} {
		require.Empty(t, broken(only(limit), []queuetest.Call{first, last}), "%T", limit)
		require.Len(t, broken(only(limit), []queuetest.Call{first, last, last}), 1, "%T", limit)
	}
}
