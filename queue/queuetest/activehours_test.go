package queuetest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// Hours are what a clock on the wall shows: what it skips is left out, what it
// repeats counts twice.
func TestAudit_HoursWhereClocksChange(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	tests := []struct {
		name        string
		zone        string
		hours       policy.ActiveHours
		open, close string // the first instant of a stretch, and the first after it
	}{
		{"winter", "Europe/London", policy.ActiveHours{From: 8 * h, To: 20 * h}, "2026-01-05T08:00:00Z", "2026-01-05T20:00:00Z"},
		{"summer", "Europe/London", policy.ActiveHours{From: 8 * h, To: 20 * h}, "2026-07-06T07:00:00Z", "2026-07-06T19:00:00Z"},
		{"the clocks skip their beginning", "Europe/London", policy.ActiveHours{From: h + 30*time.Minute, To: 3 * h}, "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
		{"the first of an hour that comes twice", "Europe/London", policy.ActiveHours{From: h, To: h + 30*time.Minute}, "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"},
		{"the second of an hour that comes twice", "Europe/London", policy.ActiveHours{From: h, To: h + 30*time.Minute}, "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"},
		{"midnight is missing", "America/Sao_Paulo", policy.ActiveHours{To: 2 * h, Days: policy.Days(time.Sunday)}, "2018-11-04T03:00:00Z", "2018-11-04T04:00:00Z"},
		{"over a night with an hour twice", "Europe/London", policy.ActiveHours{From: 22 * h, To: 6 * h, Days: policy.Days(time.Saturday)}, "2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z"},
		{"quarters of an hour", "Asia/Kathmandu", policy.ActiveHours{From: 9 * h, To: 17 * h}, "2026-01-05T03:15:00Z", "2026-01-05T11:15:00Z"},
		{"the last day of a leap year", "Australia/Lord_Howe", policy.ActiveHours{From: 9 * h, To: 24 * h}, "2028-12-30T22:00:00Z", "2028-12-31T13:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(tt.zone)
			require.NoError(t, err)
			tt.hours.Location = zone
			first, next := instant(t, tt.open), instant(t, tt.close)
			require.Empty(t, queuetest.Audit(only(tt.hours), callsAt(first, first.Add(next.Sub(first)/2), next.Add(-ns))))
			require.Len(t, queuetest.Audit(only(tt.hours), callsAt(first.Add(-ns), next)), 2)
		})
	}
}
