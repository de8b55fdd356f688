package limiter

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/policy"
)

// extremes are times and counts of any size, mostly at the edges.
func extremes() *rapid.Generator[int64] {
	edges := []int64{
		math.MinInt64, math.MinInt64 + 1, math.MinInt64 / 2, -1, 0, 1, 2, mostSends, mostSends + 1,
		time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC).UnixNano(), math.MaxInt64 / 2, math.MaxInt64 - 1, math.MaxInt64,
	}
	return rapid.OneOf(rapid.SampledFrom(edges), rapid.Int64())
}

// spoil puts numbers of any size in the place of some of a record's.
func (s saved) spoil(t *rapid.T) {
	n, some := extremes(), rapid.IntRange(0, 2)
	for i := range s.words {
		if some.Draw(t, "word") == 0 {
			s.words[i] = n.Draw(t, "words")
		}
	}
	for _, log := range s.logs {
		for i := range log {
			if some.Draw(t, "entry") == 0 {
				log[i] = n.Draw(t, "log")
			}
		}
		if rapid.Bool().Draw(t, "sorted") {
			slices.Sort(log)
		}
	}
	for _, set := range s.sets {
		for i := range set {
			if some.Draw(t, "sighting") == 0 {
				set[i].at = n.Draw(t, "set")
			}
		}
	}
}

// Whatever numbers a snapshot holds, it is refused or what is restored answers at any time
// and cost in figures that have not wrapped around.
func TestRestoredExtremes(t *testing.T) {
	t.Parallel()
	limits := []policy.Limit{
		policy.TokenBucket{Max: 1, Per: policy.MaxDuration},
		policy.TokenBucket{Max: 7, Per: time.Minute, Burst: 3},
		policy.SlidingWindow{Max: 3, Window: time.Hour},
		policy.SlidingWindow{Max: 5000, Window: policy.MaxDuration},
		policy.CalendarWindow{Max: 3, Unit: policy.Month},
		policy.Gap{Min: time.Second, Max: policy.MaxDuration, Every: 3},
		policy.Concurrency{Max: 2},
		policy.UniqueRecipients{Max: 3, Window: time.Hour},
		policy.NewContacts{Max: 3, Window: time.Hour},
	}
	year := func(n int) time.Time { return time.Date(n, 6, 1, 0, 0, 0, 0, time.UTC) }
	times := []time.Time{year(1678), year(1900), year(1969), year(2026), year(2027), year(2261)}
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom(limits).Draw(t, "limit")
		p := policy.Policy{Rules: []policy.Rule{{Name: "only", Limit: limit}}}
		l, err := New(p, &Options{Seed: 1})
		require.NoError(t, err)
		req := Request{Account: "a", Action: policy.SendMessage, Recipient: "r", NewContact: true}
		for _, who := range []string{"r", "s"} {
			req.Recipient = who
			l.Take(year(2026), req)
		}
		if rapid.Bool().Draw(t, "moved") {
			require.NoError(t, l.SetPolicy(year(2026), "a", policy.Policy{Rules: []policy.Rule{{
				Name: "next", Limit: rapid.SampledFrom(limits).Draw(t, "next"),
			}}}))
		}
		b, err := l.Snapshot(year(2026), "a")
		require.NoError(t, err)
		picture, _, err := readPicture(b)
		require.NoError(t, err)
		for _, r := range picture.records {
			r.spoil(t)
		}
		for _, r := range picture.rests {
			r.record.spoil(t)
		}
		if rapid.Bool().Draw(t, "another last") {
			picture.last = extremes().Draw(t, "last")
		}
		for i := range picture.flights {
			if rapid.IntRange(0, 4).Draw(t, "flight") == 0 {
				picture.flights[i].at = instant{tick: extremes().Draw(t, "tick"), wall: extremes().Draw(t, "wall")}
			}
		}
		if b, err = picture.write(); err != nil {
			return
		}
		if l.Restore(rapid.SampledFrom(times).Draw(t, "now"), b) != nil {
			return
		}
		for range rapid.IntRange(1, 6).Draw(t, "calls") {
			now := rapid.SampledFrom(times).Draw(t, "then")
			req.Cost = rapid.SampledFrom([]int64{0, 1, 2, math.MaxInt64}).Draw(t, "cost")
			req.Keep = rapid.SampledFrom([]int64{0, 1, math.MaxInt64}).Draw(t, "keep")
			requireFigures(t, l, now, req)
			permit, _ := l.Take(now, req)
			permit.Settle(now, Outcome(rapid.IntRange(0, 3).Draw(t, "outcome")))
			requireFigures(t, l, now, req)
			if rapid.IntRange(0, 3).Draw(t, "again") == 0 {
				require.NoError(t, l.SetPolicy(now, "a", policy.Policy{Rules: []policy.Rule{{
					Name: "only", Limit: rapid.SampledFrom(limits).Draw(t, "set"),
				}}}))
			}
			again, err := l.Snapshot(now, "a")
			require.NoError(t, err)
			require.NoError(t, l.Restore(now, again))
		}
	})
}

// requireFigures asks for figures that can be, and that nobody is let through before the
// time that was told.
func requireFigures(t require.TestingT, l *Limiter, now time.Time, req Request) {
	d := l.Check(now, req)
	for _, g := range append(l.Gates(now, req), d.Gate) {
		require.GreaterOrEqual(t, g.RetryAfter, time.Duration(0), "%+v", g)
		require.GreaterOrEqual(t, g.Reset, time.Duration(0), "%+v", g)
		require.GreaterOrEqual(t, g.Remaining, int64(0), "%+v", g)
		require.LessOrEqual(t, g.Remaining, g.Limit, "%+v", g)
	}
	if d.Answer == Later {
		require.Positive(t, d.RetryAfter, "%+v", d)
		require.NotEqual(t, Allowed, l.Check(now.Add(d.RetryAfter/2), req).Answer, "half of %+v", d)
	}
}
