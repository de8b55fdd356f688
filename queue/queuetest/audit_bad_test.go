package queuetest_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

func TestAudit_BadCall(t *testing.T) {
	t.Parallel()
	noTime, far := at(0), at(0)
	noTime.At = time.Time{}
	far.At = time.Unix(math.MaxInt64, 0)
	tests := []struct {
		name string
		call queuetest.Call
		want string
	}{
		{"no account", by("", at(0)), `rule "request", 2026-01-05T12:00:00Z: the call has no account; every call spends the budget of one`},
		{"negative cost", costing(-7, at(0)), `rule "request", account "4477******01", 2026-01-05T12:00:00Z: the call has the cost -7; use 1 or more, or 0 for 1`},
		{"no time", noTime, `rule "request", account "4477******01": the call has no time of the years 1 to 9999; set At to when its permit was taken`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found := queuetest.Audit(only(policy.Concurrency{Max: 1}), []queuetest.Call{tt.call, at(0)})
			require.Len(t, found, 1, "the call counts for nothing else")
			require.Equal(t, "request", found[0].Rule)
			require.Equal(t, tt.want, found[0].String())
		})
	}
	found := queuetest.Audit(only(policy.CalendarWindow{Max: 1, Unit: policy.Day}), []queuetest.Call{far})
	require.Len(t, found, 1)
	require.Equal(t, "request", found[0].Rule)
}

// A call without a key that a rule counts by is one that no limiter admits, unless
// the rule would not have looked at it.
func TestAudit_MissingKeys(t *testing.T) {
	t.Parallel()
	hour := policy.SlidingWindow{Max: 9, Window: time.Hour}
	one := policy.Rule{Name: "one", Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}}
	tests := []struct {
		name string
		rule policy.Rule
		call queuetest.Call
		want string
	}{
		{"pair", policy.Rule{Scope: policy.ScopeRecipient, Limit: hour}, at(sec), `the call has no recipient; rule "asks" counts by it`},
		{"people", policy.Rule{Limit: policy.UniqueRecipients{Max: 9, Window: time.Hour}}, at(sec), `the call has no recipient; rule "asks" counts by it`},
		{"portfolio", policy.Rule{Scope: policy.ScopePortfolio, Limit: hour}, at(sec), `the call has no portfolio; rule "asks" counts by it`},
		{"portfolio's people", policy.Rule{Scope: policy.ScopePortfolio, Limit: policy.UniqueRecipients{Max: 9, Window: time.Hour}}, to("a", at(sec)), `the call has no portfolio; rule "asks" counts by it`},
		{"portfolio's contacts", policy.Rule{Scope: policy.ScopePortfolio, Limit: policy.NewContacts{Max: 9, Window: time.Hour}}, strange(at(sec)), `the call has no portfolio; rule "asks" counts by it`},
		{"no new contact", policy.Rule{Scope: policy.ScopePortfolio, Limit: policy.NewContacts{Max: 9, Window: time.Hour}}, at(sec), ""},
		{"other actions", policy.Rule{Actions: []policy.Action{policy.CheckNumber}, Scope: policy.ScopePortfolio, Limit: hour}, at(sec), ""},
		{"shadow", policy.Rule{Scope: policy.ScopePortfolio, Limit: hour, Shadow: true}, at(sec), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.rule.Name = "asks"
			p := policy.Policy{Rules: []policy.Rule{tt.rule, one}}
			whole := to("r", at(2*sec))
			whole.Portfolio = "p"
			found := queuetest.Audit(p, []queuetest.Call{tt.call, whole})
			require.Len(t, found, 1)
			if tt.want == "" {
				require.Equal(t, "one", found[0].Rule)
				require.Equal(t, whole.At, found[0].At, "the call counts")
				return
			}
			require.Equal(t, queuetest.Violation{Rule: "request", Account: tt.call.Account, At: tt.call.At, Text: tt.want}, found[0], "it counts for nothing")
		})
	}
}

func TestAudit_BadPolicy(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{{Name: "a", Limit: policy.SlidingWindow{Max: -1}}}}
	found := queuetest.Audit(p, nil)
	require.Len(t, found, 1, "whatever the log says")
	require.Empty(t, found[0].Rule)
	require.Contains(t, found[0].String(), "nothing was audited: policy: rules[0].max: -1: ")
	require.Contains(t, found[0].String(), "; policy: rules[0].window: ")
	require.NotContains(t, found[0].String(), "\n")
}

func TestViolation_Masked(t *testing.T) {
	t.Parallel()
	found := queuetest.Audit(only(policy.Concurrency{}), []queuetest.Call{at(0)})
	want := `rule "only", account "4477******01", 2026-01-05T12:00:00Z: 1 in flight, where at most 0 may be (1 too many)`
	require.Equal(t, want, found[0].String())
	require.Equal(t, "["+want+"]", fmt.Sprintf("%+v", found), "also in a failed test's output")
	require.Equal(t, "447700900001", found[0].Account, "data is not masked")

	p := policy.Policy{Rules: []policy.Rule{
		{Name: "pair", Scope: policy.ScopeRecipient, Limit: policy.Concurrency{}},
		{Name: "shared", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Window: time.Hour}},
	}}
	c := to("447700900002", at(0))
	c.Portfolio = "447700900003"
	found = queuetest.Audit(p, []queuetest.Call{c})
	require.Equal(t, `rule "pair", account "4477******01", recipient "4477******02", 2026-01-05T12:00:00Z: 1 in flight, where at most 0 may be (1 too many)`, found[0].String())
	require.Equal(t, `rule "shared", account "4477******01", portfolio "4477******03", 2026-01-05T12:00:00Z: 1 in the 1h0m0s from 2026-01-05T12:00:00Z, where at most 0 may be (1 too many)`, found[1].String())
}
