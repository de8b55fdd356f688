package limiter_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// Whichever rule of all kinds refuses, and in whatever place it stands, the others
// keep every bit of what they had.
func TestRefusedRequestChangesNothing(t *testing.T) {
	t.Parallel()
	both := []policy.Action{"send", "look"}
	roomy := []policy.Rule{
		{Name: "bucket", Actions: both, Limit: policy.TokenBucket{Max: 7, Per: time.Second, Burst: 50}},
		{Name: "sliding", Actions: both, Limit: policy.SlidingWindow{Max: 50, Window: time.Minute}},
		{Name: "chunked", Actions: both, Limit: policy.SlidingWindow{Max: 5000, Window: time.Minute}},
		{Name: "calendar", Actions: both, Limit: policy.CalendarWindow{Max: 50, Unit: policy.Day}},
		{Name: "gap", Actions: both, Limit: policy.Gap{Min: time.Second, Max: time.Minute, Every: 50}},
		{Name: "concurrency", Actions: both, Limit: policy.Concurrency{Max: 50}},
	}
	tests := []struct {
		tight policy.Limit
		fill  int64 // the cost that fills it; 0 where it is full from the start
		want  limiter.Answer
	}{
		{policy.TokenBucket{Max: 1, Per: time.Hour, Burst: 3}, 3, limiter.Later},
		{policy.SlidingWindow{Max: 3, Window: time.Hour}, 3, limiter.Later},
		{policy.SlidingWindow{Max: 1500, Window: time.Hour}, 1500, limiter.Later},
		{policy.CalendarWindow{Max: 3, Unit: policy.Day}, 3, limiter.Later},
		{policy.Gap{Min: time.Hour, Max: time.Hour}, 1, limiter.Later},
		{policy.Gap{Every: 5}, 0, limiter.Busy},
		{policy.Concurrency{Max: 1}, 0, limiter.Busy},
		{policy.TokenBucket{Per: time.Hour}, 0, limiter.Never},
		{policy.SlidingWindow{Window: time.Hour}, 0, limiter.Never},
		{policy.CalendarWindow{Unit: policy.Day}, 0, limiter.Never},
		{policy.Concurrency{}, 0, limiter.Never},
	}
	for _, tt := range tests {
		for place := range len(roomy) + 1 {
			rules := slices.Insert(slices.Clone(roomy), place, policy.Rule{Name: "tight", Actions: []policy.Action{"send", "fill"}, Limit: tt.tight})
			l := newLimiter(t, policy.Policy{Rules: rules})
			for range 3 {
				l.Allow(monday, limiter.Request{Account: alice, Action: "look", Cost: 2})
			}
			permit, d := l.Take(monday.Add(time.Second), limiter.Request{Account: alice, Action: "fill", Cost: tt.fill})
			require.Equal(t, tt.want != limiter.Never, d.Answer == limiter.Allowed)
			if tt.want == limiter.Later {
				permit.Settle(monday.Add(time.Second), limiter.Sent)
			}
			now := monday.Add(1300 * time.Millisecond)
			before := l.State(alice)

			send := limiter.Request{Account: alice, Action: "send"}
			p, d := l.Take(now, send)
			require.Equal(t, tt.want, d.Answer, "%+v at %d", tt.tight, place)
			require.Equal(t, "tight", d.Rule, "%+v at %d", tt.tight, place)
			require.Equal(t, limiter.Permit{}, p)
			l.Allow(now, send)
			l.Check(now, send)
			l.Gates(now, send)
			require.Equal(t, before, l.State(alice), "%+v at %d", tt.tight, place)
		}
	}
}

// An account that was only ever refused, or asked about, is not remembered.
func TestRefusedRequestRemembersNoAccount(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, only(policy.SlidingWindow{Max: 1, Window: time.Hour}))
	l.Allow(monday, request(2))
	l.Check(monday, request(1))
	l.Gates(monday, request(1))
	require.Zero(t, l.Accounts())
}
