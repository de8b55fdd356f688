package limiter_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// sized are the limits that count, each with room for n.
func sized(n int64) map[string]policy.Limit {
	return map[string]policy.Limit{
		"bucket":   policy.TokenBucket{Max: 1, Per: time.Second, Burst: n},
		"sliding":  policy.SlidingWindow{Max: n, Window: time.Hour},
		"calendar": policy.CalendarWindow{Max: n, Unit: policy.Hour},
		"people":   policy.UniqueRecipients{Max: n, Window: time.Hour},
		"contacts": policy.NewContacts{Max: n, Window: time.Hour},
	}
}

// TestKeepLeavesTheLastPartToOthers takes with and without Keep until nothing is
// left. A bulk request goes as long as more than it keeps is left.
func TestKeepLeavesTheLastPartToOthers(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{10, 1100} {
		for name, limit := range sized(size) {
			for _, keep := range []int64{1, 3, size - 1} {
				l := newLimiter(t, only(limit))
				for used := range size {
					plain := request(1)
					plain.Recipient, plain.NewContact = fmt.Sprint(used), true
					bulk := plain
					bulk.Keep = keep
					left := size - used
					d := l.Check(monday, bulk)
					says := fmt.Sprintf("%s: %d of %d used, %d kept: %+v", name, used, size, keep, d)
					require.Equal(t, left > keep, d.Answer == limiter.Allowed, says)
					if d.Answer == limiter.Allowed {
						require.Equal(t, left-1, d.Remaining, says)
					} else {
						require.Equal(t, limiter.Later, d.Answer, says)
						require.Equal(t, left, d.Remaining, says)
						require.NotEqual(t, limiter.Allowed, l.Check(monday.Add(d.RetryAfter-1), bulk).Answer, says)
						require.Equal(t, limiter.Allowed, l.Check(monday.Add(d.RetryAfter), bulk).Answer, says)
					}
					require.Equal(t, limiter.Allowed, l.Allow(monday, plain).Answer, says)
				}
				if size > 10 {
					break
				}
			}
		}
	}
}

// TestKeepWaitsForWhatIsKeptToo has each charge leave at a time of its own.
func TestKeepWaitsForWhatIsKeptToo(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tell(t, []story{
		{
			name: "sliding", limit: policy.SlidingWindow{Max: 4, Window: 10 * s},
			steps: []step{
				{0, allow(1).keeping(3), yes(4, 3, 10*s)},
				{s, allow(1).keeping(3), wait(9*s, 4, 3, 9*s)},
				{s, allow(1).keeping(2), yes(4, 2, 9*s)},
				{2 * s, allow(2).keeping(1), wait(8*s, 4, 2, 8*s)},
				{2 * s, allow(2).keeping(2), wait(9*s, 4, 2, 9*s)},
				{2 * s, allow(2).keeping(3), no(4, 2)},
				{2 * s, allow(2), yes(4, 0, 9*s)},
			},
		},
		{
			name: "bucket", limit: policy.TokenBucket{Max: 1, Per: 3 * s, Burst: 4},
			steps: []step{
				{0, allow(2).keeping(2), yes(4, 2, 6*s)},
				{0, allow(1).keeping(2), wait(3*s, 4, 2, 6*s)},
				{2 * s, allow(1).keeping(2), wait(s, 4, 2, 4*s)},
				{2 * s, allow(1).keeping(1), yes(4, 1, 7*s)},
				{2 * s, allow(1).keeping(4), no(4, 1)},
				{2 * s, allow(1), yes(4, 0, 10*s)},
			},
		},
		{
			name: "calendar", limit: policy.CalendarWindow{Max: 4, Unit: policy.Minute},
			steps: []step{
				{0, allow(2).keeping(2), yes(4, 2, 60*s)},
				{s, allow(1).keeping(2), wait(59*s, 4, 2, 59*s)},
				{s, allow(1).keeping(4), no(4, 2)},
				{s, allow(1).keeping(1), yes(4, 1, 59*s)},
			},
		},
		{
			name: "pauses and permits keep nothing back",
			rules: []policy.Rule{
				{Name: "gap", Limit: policy.Gap{Min: s, Max: s}},
				{Name: "flying", Limit: policy.Concurrency{Max: 1}},
			},
			steps: []step{{0, allow(1).keeping(math.MaxInt64), by("gap", yes(1, 0, 0))}},
		},
	})
}

// TestKeepBeyondWhatThereIsNeverGoes adds up to more than any number holds.
func TestKeepBeyondWhatThereIsNeverGoes(t *testing.T) {
	t.Parallel()
	limits := sized(5)
	for name, limit := range sized(math.MaxInt64) {
		if _, ok := limit.(policy.TokenBucket); ok {
			limit = policy.TokenBucket{Max: math.MaxInt64, Per: 1, Burst: math.MaxInt64}
		}
		limits["largest "+name] = limit
	}
	for name, limit := range limits {
		l := newLimiter(t, only(limit))
		req := request(1)
		req.Recipient, req.NewContact = "r", true
		size := l.Check(monday, req).Limit
		for _, tt := range []struct {
			cost, keep int64
			want       limiter.Answer
		}{
			{1, size - 1, limiter.Allowed},
			{1, size, limiter.Never},
			{1, math.MaxInt64, limiter.Never},
			{math.MaxInt64, math.MaxInt64, limiter.Never},
			{math.MaxInt64, 1, limiter.Never},
			{size, 0, limiter.Allowed},
		} {
			req.Cost, req.Keep = tt.cost, tt.keep
			if tt.cost == math.MaxInt64 && tt.keep == 1 && (name == "people" || name == "contacts" || name == "largest people" || name == "largest contacts") {
				tt.want = limiter.Allowed // they count requests
			}
			d := l.Check(monday, req)
			require.Equal(t, tt.want, d.Answer, "%s: %+v: %+v", name, tt, d)
			require.Zero(t, d.RetryAfter)
			if tt.want == limiter.Never {
				require.Equal(t, size, d.Remaining, name)
				require.NotEqual(t, limiter.Allowed, l.Allow(monday, req).Answer)
			}
		}
	}
	l := newLimiter(t, policy.Policy{})
	req := request(1)
	req.Keep = -1
	d := l.Check(monday, req)
	require.Equal(t, limiter.Never, d.Answer)
	require.EqualError(t, d.Err(), "limiter: keep -1: use 0 or more")
}
