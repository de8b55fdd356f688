package limiter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// What was in flight when a process died is settled by the next one: the pause
// after it begins then.
func TestAbandon(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "one", Limit: policy.Concurrency{Max: 1}},
		{Name: "gap", Limit: policy.Gap{Min: 7 * time.Second, Max: 7 * time.Second}},
		{Name: "day", Limit: policy.CalendarWindow{Max: 3, Unit: policy.Day}},
	}}
	o := &limiter.Options{Seed: 1, PermitTTL: -1}
	died, err := limiter.New(p, o)
	require.NoError(t, err)
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	req := limiter.Request{Account: "447700900000", Action: policy.SendMessage}
	permit, d := died.Take(now, req)
	require.Equal(t, limiter.Allowed, d.Answer)
	snapshot, err := died.Snapshot(now, req.Account)
	require.NoError(t, err)

	l, err := limiter.New(p, o)
	require.NoError(t, err)
	require.NoError(t, l.Abandon(now, req.Account), "it knows nothing of it")
	now = now.Add(time.Hour)
	require.NoError(t, l.Restore(now, snapshot))
	require.Equal(t, limiter.Busy, l.Check(now, req).Answer)
	require.Error(t, l.Abandon(time.Time{}, req.Account))
	require.NoError(t, l.Abandon(now, req.Account))
	d = l.Check(now, req)
	require.Equal(t, limiter.Later, d.Answer)
	require.Equal(t, 7*time.Second, d.RetryAfter)
	now = now.Add(d.RetryAfter)
	second, d := l.Take(now, req)
	require.Equal(t, limiter.Allowed, d.Answer)
	require.NoError(t, l.Abandon(now.Add(-time.Millisecond), req.Account), "a clock that is a little behind")
	second.Settle(now, limiter.Unsent)
	permit.Settle(now, limiter.Unsent) // of another limiter
	now = now.Add(7 * time.Second)
	d = l.Allow(now, req)
	require.Equal(t, limiter.Allowed, d.Answer)
	require.Equal(t, "day", l.Check(now.Add(time.Minute), req).Rule, "all three count")
}

// A gate says whether it is about this request alone.
func TestGate_Narrow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	req := limiter.Request{Account: "a", Action: policy.SendMessage, Recipient: "r", Campaign: "c", NewContact: true}
	tests := []struct {
		name   string
		rule   policy.Rule
		hold   *limiter.Target
		narrow bool
	}{
		{"window", policy.Rule{Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}}, nil, false},
		{"gap", policy.Rule{Limit: policy.Gap{Min: time.Hour, Max: time.Hour}}, nil, false},
		{"pair", policy.Rule{Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}, Scope: policy.ScopeRecipient}, nil, true},
		{"new contacts", policy.Rule{Limit: policy.NewContacts{Max: 1, Window: time.Hour}}, nil, true},
		{"recipients", policy.Rule{Limit: policy.UniqueRecipients{Max: 1, Window: time.Hour}}, nil, true},
		{"all held", policy.Rule{Limit: policy.Concurrency{Max: 9}}, &limiter.Target{}, false},
		{"account held", policy.Rule{Limit: policy.Concurrency{Max: 9}}, &limiter.Target{Account: "a"}, false},
		{"recipient held", policy.Rule{Limit: policy.Concurrency{Max: 9}}, &limiter.Target{Recipient: "r2"}, true},
		{"campaign held", policy.Rule{Limit: policy.Concurrency{Max: 9}}, &limiter.Target{Account: "a", Campaign: "c"}, true},
		{"new contacts held", policy.Rule{Limit: policy.Concurrency{Max: 9}}, &limiter.Target{NewContacts: true}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.rule.Name = "rule"
			l, err := limiter.New(policy.Policy{Rules: []policy.Rule{tt.rule}}, nil)
			require.NoError(t, err)
			if tt.hold != nil {
				require.NoError(t, l.Hold(now, *tt.hold, now.Add(time.Hour), "why"))
			}
			require.True(t, tt.hold != nil || l.Allow(now, req).Answer == limiter.Allowed)
			other := req
			other.Recipient = "r2"
			if tt.name == "pair" {
				other.Recipient = "r"
			}
			d := l.Check(now, other)
			require.Equal(t, limiter.Later, d.Answer)
			require.Equal(t, tt.narrow, d.Narrow)
			require.Equal(t, tt.narrow, l.Gates(now, other)[0].Narrow)
		})
	}
}

// A request that is held until after hours waits for them, but others may go until then.
func TestGate_NarrowThenHours(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	l, err := limiter.New(policy.Policy{Rules: []policy.Rule{
		{Name: "hours", Limit: policy.ActiveHours{From: 8 * time.Hour, To: 17 * time.Hour}},
	}}, nil)
	require.NoError(t, err)
	require.NoError(t, l.Hold(now, limiter.Target{Campaign: "c"}, now.Add(12*time.Hour), "why"))
	held := limiter.Request{Account: "a", Action: policy.SendMessage, Recipient: "r", Campaign: "c"}
	d := l.Check(now, held)
	require.Equal(t, "hours", d.Rule)
	require.Equal(t, 24*time.Hour, d.RetryAfter)
	require.True(t, d.Narrow, "others may go")
	require.Empty(t, d.Reason())
	require.NotContains(t, d.Err().Error(), "held")
	require.Equal(t, limiter.Allowed, l.Check(now, limiter.Request{Account: "a", Action: policy.SendMessage, Recipient: "r"}).Answer)

	d = l.Check(now.Add(13*time.Hour), held)
	require.Equal(t, "hours", d.Rule)
	require.False(t, d.Narrow, "nobody may go")
}
