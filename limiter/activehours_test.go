package limiter_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestActiveHoursStepByStep(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	tell(t, []story{
		{ // monday is a Monday, 08:00 UTC
			name: "open from the first instant to before the last", limit: policy.ActiveHours{From: 9 * h, To: 17 * h},
			steps: []step{
				{0, allow(1), wait(h, 1, 0, h)},
				{h - 1, allow(1), wait(1, 1, 0, 1)},
				{h, allow(1), yes(1, 1, 0)},
				{h, allow(1 << 62), yes(1, 1, 0)},
				{9*h - 1, allow(1), yes(1, 1, 0)},
				{9 * h, allow(1), wait(16*h, 1, 0, 16*h)},
			},
		},
		{
			name: "over midnight they belong to the day they begin on", limit: policy.ActiveHours{From: 22 * h, To: 2 * h, Days: policy.Days(time.Friday)},
			steps: []step{
				{0, allow(1), wait(4*24*h+14*h, 1, 0, 4*24*h+14*h)},
				{4*24*h + 14*h, allow(1), yes(1, 1, 0)},
				{4*24*h + 18*h - 1, allow(1), yes(1, 1, 0)}, // Saturday, just before 02:00
				{4*24*h + 18*h, allow(1), wait(6*24*h+20*h, 1, 0, 6*24*h+20*h)},
			},
		},
		{
			name: "whole days", limit: policy.ActiveHours{To: 24 * h, Days: policy.Days(time.Monday, time.Wednesday)},
			steps: []step{
				{0, allow(1), yes(1, 1, 0)},
				{16*h - 1, allow(1), yes(1, 1, 0)},
				{16 * h, allow(1), wait(24*h, 1, 0, 24*h)},
				{40 * h, allow(1), yes(1, 1, 0)},
				{64 * h, allow(1), wait(4*24*h, 1, 0, 4*24*h)},
			},
		},
		{
			name:  "when the clocks would show them they are put back",
			limit: policy.ActiveHours{From: 2 * h, To: 3 * h, Location: zone(t, "Europe/London")},
			start: time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), // 01:30
			steps: []step{
				{0, allow(1), wait(h+h/2, 1, 0, h+h/2)},
				{h / 2, allow(1), wait(h, 1, 0, h)},
				{h + h/2, allow(1), yes(1, 1, 0)},
			},
		},
		{
			name: "nothing is kept back of hours", limit: policy.ActiveHours{To: 24 * h},
			steps: []step{{0, allow(1).keeping(1 << 62), yes(1, 1, 0)}},
		},
		{
			name: "hours that never meet", start: monday,
			rules: []policy.Rule{
				{Name: "early", Limit: policy.ActiveHours{From: 8 * h, To: 9 * h}},
				{Name: "late", Limit: policy.ActiveHours{From: 9 * h, To: 10 * h}},
			},
			steps: []step{{0, allow(1), by("early", no(1, 0))}},
		},
		{
			name: "hours on days that never meet", start: monday,
			rules: []policy.Rule{
				{Name: "first", Limit: policy.ActiveHours{To: 24 * h, Days: policy.Days(time.Monday)}},
				{Name: "second", Limit: policy.ActiveHours{To: 24 * h, Days: policy.Days(time.Tuesday)}},
				{Name: "third", Limit: policy.ActiveHours{To: 24 * h, Days: policy.Days(time.Thursday)}},
			},
			steps: []step{{0, allow(1), by("third", no(1, 0))}},
		},
		{
			name: "the latest of many rules that have to meet", start: monday,
			rules: []policy.Rule{
				{Name: "hours", Limit: policy.ActiveHours{From: 9 * h, To: 10 * h}},
				{Name: "window", Limit: policy.SlidingWindow{Max: 1, Window: 25 * h}},
				{Name: "day", Limit: policy.CalendarWindow{Max: 1, Unit: policy.Day}},
			},
			steps: []step{
				{h, allow(1), by("window", yes(1, 0, 25*h))},
				// The window frees at 10:00 on Tuesday, when the hours are just over.
				{h, allow(1), by("hours", wait(48*h, 1, 0, 48*h))},
				{49 * h, allow(1), by("window", yes(1, 0, 25*h))},
			},
		},
	})
}

// TestHoursThatMeetInSummerOnly has clocks that agree on an hour only while one of
// them is put forward.
func TestHoursThatMeetInSummerOnly(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	tests := []struct {
		name           string
		london, utc    policy.ActiveHours
		now, then, end time.Time
	}{
		{
			"an hour of each day", policy.ActiveHours{From: 2 * h, To: 3 * h}, policy.ActiveHours{From: h, To: 2 * h},
			time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC), time.Date(2027, 3, 28, 1, 0, 0, 0, time.UTC), time.Date(2027, 3, 28, 2, 0, 0, 0, time.UTC),
		},
		{
			"an hour of a week", policy.ActiveHours{To: h, Days: policy.Days(time.Tuesday)}, policy.ActiveHours{From: 23 * h, To: 24 * h, Days: policy.Days(time.Monday)},
			time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 3, 29, 23, 0, 0, 0, time.UTC), time.Date(2027, 3, 30, 0, 0, 0, 0, time.UTC),
		},
	}
	for _, tt := range tests {
		tt.london.Location = zone(t, "Europe/London")
		l := newLimiter(t, policy.Policy{Rules: []policy.Rule{{Name: "london", Limit: tt.london}, {Name: "utc", Limit: tt.utc}}})
		d := l.Check(tt.now, request(1))
		require.Equal(t, limiter.Later, d.Answer, tt.name)
		require.Equal(t, tt.then, tt.now.Add(d.RetryAfter), tt.name)
		require.Equal(t, limiter.Allowed, l.Check(tt.then, request(1)).Answer, tt.name)
		require.Equal(t, limiter.Allowed, l.Check(tt.end.Add(-1), request(1)).Answer, tt.name)
		require.Equal(t, limiter.Later, l.Check(tt.end, request(1)).Answer, tt.name)
	}
}

// A gate tells by itself when it opens, also where that is as the clocks are put back:
// there they show an earlier hour.
func TestHoursOfAGateWhereTheClocksArePutBack(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, only(policy.ActiveHours{From: 2 * time.Hour, To: 3 * time.Hour, Location: zone(t, "Europe/London")}))
	now := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC) // 01:30, and again in an hour
	require.Equal(t, 90*time.Minute, l.Gates(now, request(1))[0].RetryAfter)
}

// A face is what a clock on the wall shows.
type face struct {
	day   time.Weekday
	clock time.Duration
}

func faceAt(t time.Time) face {
	hour, minute, _ := t.Clock()
	return face{t.Weekday(), time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute}
}

// in reports whether the clock shows the hours.
func (f face) in(h policy.ActiveHours) bool {
	has := func(d time.Weekday) bool { return h.Days == policy.Weekdays{} || h.Days.Has(d) }
	today, yesterday := has(f.day), has((f.day+6)%7)
	if h.From < h.To {
		return today && h.From <= f.clock && f.clock < h.To
	}
	return today && h.From <= f.clock || yesterday && f.clock < h.To
}

// TestActiveHoursAgainstAWalk looks at a clock on the wall, step by step, where
// clocks change. All hours and changes fall on a step.
func TestActiveHoursAgainstAWalk(t *testing.T) {
	t.Parallel()
	clock := func(hour, minute int) time.Duration {
		return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	}
	hours := []policy.ActiveHours{
		{From: clock(8, 0), To: clock(20, 0)},
		{From: clock(22, 0), To: clock(2, 0)},
		{From: clock(22, 0), To: clock(6, 30), Days: policy.Days(time.Friday)},
		{From: clock(22, 0), To: clock(6, 30), Days: policy.Days(time.Saturday)},
		{From: 0, To: clock(24, 0), Days: policy.Days(time.Saturday)},
		{From: 0, To: clock(24, 0), Days: policy.Days(time.Friday)},
		{From: 0, To: clock(24, 0)},
		{From: clock(23, 30), To: clock(24, 0)},
		{From: 0, To: clock(0, 5), Days: policy.Days(time.Sunday, time.Wednesday)},
		{From: clock(0, 15), To: clock(0, 45)}, // hours that clocks skip or repeat
		{From: clock(0, 15), To: clock(0, 45), Days: policy.Days(time.Friday)},
		{From: clock(1, 15), To: clock(1, 45)},
		{From: clock(1, 15), To: clock(1, 45), Days: policy.Days(time.Sunday)},
		{From: clock(2, 5), To: clock(2, 25), Days: policy.Days(time.Sunday)},
		{From: clock(1, 30), To: clock(1, 0)}, // all but half an hour
	}
	changes := []struct {
		zone string
		day  time.Time // two days before something happens
	}{
		{"Europe/London", time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC)},
		{"Europe/London", time.Date(2026, 10, 23, 0, 0, 0, 0, time.UTC)},
		{"Europe/London", time.Date(2028, 12, 29, 0, 0, 0, 0, time.UTC)}, // the last day of a leap year
		{"America/Sao_Paulo", time.Date(2018, 11, 2, 0, 0, 0, 0, time.UTC)},
		{"America/Sao_Paulo", time.Date(2018, 2, 16, 0, 0, 0, 0, time.UTC)},
		{"Australia/Lord_Howe", time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC)},
		{"Australia/Lord_Howe", time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)},
		{"Australia/Lord_Howe", time.Date(2028, 12, 29, 0, 0, 0, 0, time.UTC)},
		{"Pacific/Apia", time.Date(2011, 12, 28, 0, 0, 0, 0, time.UTC)}, // leaves a Friday out
		{"Africa/Cairo", time.Date(2026, 4, 21, 0, 0, 0, 0, time.UTC)},
		{"Africa/Cairo", time.Date(2026, 10, 27, 0, 0, 0, 0, time.UTC)},
		{"Asia/Kathmandu", time.Date(1985, 12, 30, 0, 0, 0, 0, time.UTC)}, // goes on by a quarter of an hour
	}
	const (
		step  = 5 * time.Minute
		steps = int(7 * 24 * time.Hour / step)
	)
	for _, change := range changes {
		location := zone(t, change.zone)
		var wall [steps]face
		for m := range wall {
			wall[m] = faceAt(change.day.Add(time.Duration(m) * step).In(location))
		}
		for _, h := range hours {
			h.Location = location
			l := newLimiter(t, only(h))
			// From the end back, so that each step knows the next good one.
			var opens [steps + 1]int
			opens[steps] = -1
			for m := steps - 1; m >= 0; m-- {
				opens[m] = opens[m+1]
				if wall[m].in(h) {
					opens[m] = m
				}
			}
			for m := range steps / 2 { // the change is in the middle of them
				if m > 1 && m%127 != 0 && opens[m] == opens[m-1] && opens[m] == opens[m+1] {
					continue // nothing happens
				}
				now := change.day.Add(time.Duration(m) * step)
				retry := time.Duration(opens[m]-m) * step
				want := wait(retry, 1, 0, retry)
				g := l.Check(now, request(1)).Gate
				switch opens[m] {
				case -1:
					beyond := time.Duration(steps-m-1) * step
					want = wait(max(g.RetryAfter, beyond+1), 1, 0, max(g.RetryAfter, beyond+1))
				case m:
					want = yes(1, 1, 0)
					if l.Check(now.Add(step-1), request(1)).Gate != want {
						t.Fatalf("%+v: shut in the step from %v", h, now.In(h.Location))
					}
				}
				if g != want {
					t.Fatalf("%+v at %v: %+v, want %+v", h, now.In(h.Location), g, want)
				}
			}
		}
	}
}

// TestHoursAndOtherRulesFreeTogether draws hours that open and shut over windows,
// buckets, pauses and calendars. RetryAfter must be allowed, one nanosecond less
// refused, and so all that lies between.
func TestHoursAndOtherRulesFreeTogether(t *testing.T) {
	t.Parallel()
	var zones []*time.Location
	for _, name := range []string{"UTC", "Europe/London", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu"} {
		zones = append(zones, zone(t, name))
	}
	rapid.Check(t, func(t *rapid.T) {
		var p policy.Policy
		add := func(l policy.Limit) {
			p.Rules = append(p.Rules, policy.Rule{Name: fmt.Sprint("r", len(p.Rules)), Limit: l})
		}
		for range rapid.IntRange(1, 3).Draw(t, "hours") {
			from := rapid.Int64Range(0, 47).Draw(t, "from")
			h := policy.ActiveHours{
				From:     time.Duration(from) * 30 * time.Minute,
				To:       time.Duration((from+rapid.Int64Range(1, 47).Draw(t, "length"))%48) * 30 * time.Minute,
				Location: rapid.SampledFrom(zones).Draw(t, "zone"),
			}
			if h.To == 0 {
				h.To = 24 * time.Hour
			}
			if h.To == h.From {
				h.From, h.To = 0, 24*time.Hour
			}
			if rapid.Bool().Draw(t, "some days") {
				h.Days = policy.Days(rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 6), func(d int) time.Weekday { return time.Weekday(d) }), 1, 4).Draw(t, "days")...)
			}
			add(h)
		}
		for range rapid.IntRange(0, 3).Draw(t, "others") {
			period := rapid.SampledFrom([]time.Duration{time.Second + 1, 20 * time.Minute, 5 * time.Hour, 30 * time.Hour, 200 * time.Hour}).Draw(t, "period")
			switch most := rapid.Int64Range(1, 3).Draw(t, "max"); rapid.IntRange(0, 5).Draw(t, "kind") {
			case 0:
				add(policy.SlidingWindow{Max: most, Window: period})
			case 1:
				add(policy.TokenBucket{Max: most, Per: period, Burst: most})
			case 2:
				add(policy.CalendarWindow{Max: most, Unit: rapid.SampledFrom([]policy.Unit{policy.Minute, policy.Hour, policy.Day, policy.Week, policy.Month}).Draw(t, "unit"), Location: rapid.SampledFrom(zones).Draw(t, "calendar")})
			case 3:
				add(policy.Gap{Min: period / 2, Max: period})
			case 4:
				add(policy.UniqueRecipients{Max: most, Window: period})
			default:
				add(policy.NewContacts{Max: most, Window: period})
			}
		}
		l := newLimiter(t, p)
		now := rapid.SampledFrom([]time.Time{
			monday,
			time.Date(2026, 3, 27, 21, 13, 0, 0, time.UTC),
			time.Date(2026, 10, 24, 3, 0, 0, 0, time.UTC),
			time.Date(2018, 11, 3, 0, 30, 0, 0, time.UTC),
			time.Date(2028, 12, 31, 0, 30, 0, 0, time.UTC),
			time.Date(2032, 12, 30, 23, 30, 0, 0, time.UTC),
		}).Draw(t, "start")
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			req := request(rapid.Int64Range(0, 3).Draw(t, "cost"))
			req.Recipient = rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "to")
			req.NewContact = rapid.Bool().Draw(t, "new")
			req.Keep = rapid.SampledFrom([]int64{0, 0, 0, 1}).Draw(t, "keep")
			d := l.Allow(now, req)
			if d.Answer == limiter.Allowed {
				continue
			}
			refused := func(after time.Duration) {
				if l.Check(now.Add(after), req).Answer == limiter.Allowed {
					t.Fatalf("%+v of %+v at %v: %+v, and allowed after %v", req, p.Rules, now, d, after)
				}
			}
			samples, within := 3, d.RetryAfter
			switch d.Answer {
			case limiter.Never:
				samples, within = 1, 90*24*time.Hour
			case limiter.Later:
				refused(within - 1)
				if l.Check(now.Add(within), req).Answer != limiter.Allowed {
					t.Fatalf("%+v of %+v at %v: %+v, and refused then", req, p.Rules, now, d)
				}
			default:
				t.Fatalf("%+v of %+v at %v: %+v", req, p.Rules, now, d)
			}
			for range samples {
				refused(time.Duration(rapid.Int64Range(0, int64(within)-1).Draw(t, "after")))
			}
			if rapid.Bool().Draw(t, "wait") {
				now = now.Add(d.RetryAfter)
			} else {
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(50*time.Hour)).Draw(t, "pass")))
			}
		}
	})
}
