package queuetest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// auditNoon is the start of the logs in these tests.
var auditNoon = time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)

const (
	sec = time.Second
	ns  = time.Nanosecond
)

// at is a call of cost 1, taken and settled at noon + d.
func at(d time.Duration) queuetest.Call { return span(d, d) }

// span is a call of cost 1 in flight from noon + taken to noon + settled.
func span(taken, settled time.Duration) queuetest.Call {
	return queuetest.Call{
		Account: "447700900001",
		Action:  policy.SendMessage,
		At:      auditNoon.Add(taken),
		Done:    auditNoon.Add(settled),
	}
}

// unsettled is a call of cost 1 in flight from noon + taken.
func unsettled(taken time.Duration) queuetest.Call {
	c := at(taken)
	c.Done = time.Time{}
	return c
}

func unsent(c queuetest.Call) queuetest.Call {
	c.Unsent = true
	return c
}

func costing(cost int64, c queuetest.Call) queuetest.Call {
	c.Cost = cost
	return c
}

func by(account string, c queuetest.Call) queuetest.Call {
	c.Account = account
	return c
}

func to(recipient string, c queuetest.Call) queuetest.Call {
	c.Recipient = recipient
	return c
}

// strange is a call to a new contact.
func strange(c queuetest.Call) queuetest.Call {
	c.NewContact = true
	return c
}

// refusing is a call that the other side said no to.
func refusing(c queuetest.Call) queuetest.Call {
	c.Refused = true
	return c
}

func doing(a policy.Action, c queuetest.Call) queuetest.Call {
	c.Action = a
	return c
}

// only is a policy of one rule.
func only(limit policy.Limit, actions ...policy.Action) policy.Policy {
	return policy.Policy{Rules: []policy.Rule{{Name: "only", Actions: actions, Limit: limit}}}
}

// broken is when, after noon, the calls were made that Audit finds.
func broken(p policy.Policy, calls []queuetest.Call) []time.Duration {
	var found []time.Duration
	for _, v := range queuetest.Audit(p, calls) {
		found = append(found, v.At.Sub(auditNoon))
	}
	return found
}

func TestAudit(t *testing.T) {
	t.Parallel()
	type calls = []queuetest.Call
	window := policy.SlidingWindow{Max: 2, Window: 10 * sec}
	bucket := policy.TokenBucket{Max: 2, Per: 10 * sec, Burst: 3} // a token every 5 s
	day := policy.CalendarWindow{Max: 2, Unit: policy.Day}
	gap := policy.Gap{Min: 5 * sec, Max: 9 * sec}
	third := policy.Gap{Min: 5 * sec, Max: 9 * sec, Every: 3}
	pair := policy.Concurrency{Max: 2}
	people := policy.UniqueRecipients{Max: 2, Window: 10 * sec}
	strangers := policy.NewContacts{Max: 2, Window: 10 * sec}
	office := policy.ActiveHours{From: 12 * time.Hour, To: 13*time.Hour + 30*sec} // from noon on
	night := policy.ActiveHours{From: 23 * time.Hour, To: time.Hour, Days: policy.Days(time.Monday)}
	const h = time.Hour
	const midnight = 12 * time.Hour // from noon

	tests := []struct {
		name  string
		limit policy.Limit
		calls calls
		want  []time.Duration // when the calls were made that broke the limit
	}{
		{"window: empty log", window, nil, nil},
		{"window: full", window, calls{at(0), at(3 * sec), at(10 * sec), at(13 * sec)}, nil},
		{"window: three within", window, calls{at(0), at(3 * sec), at(10*sec - ns)}, []time.Duration{10*sec - ns}},
		{"window: starts anywhere", window, calls{at(0), at(8 * sec), at(10 * sec), at(18*sec - ns)}, []time.Duration{18*sec - ns}},
		{"window: three at one instant", window, calls{at(0), at(0), at(0)}, []time.Duration{0}},
		{"window: each call over", window, calls{at(0), at(0), at(1), at(2)}, []time.Duration{1, 2}},
		{"window: costs", window, calls{costing(2, at(0)), costing(2, at(10*sec)), costing(1, at(19*sec))}, []time.Duration{19 * sec}},
		{"window: cost over capacity", window, calls{costing(3, at(0))}, []time.Duration{0}},
		{"window: unsent", window, calls{at(0), unsent(at(0)), at(0)}, nil},
		{"window: unsettled counts", window, calls{unsettled(0), unsettled(0), unsettled(0)}, []time.Duration{0}},
		{"window: unsettled is not unsent", window, calls{at(0), at(0), unsent(unsettled(0))}, []time.Duration{0}},
		{"window: nothing allowed", policy.SlidingWindow{Window: sec}, calls{at(0)}, []time.Duration{0}},
		{"window: nothing allowed, unsent", policy.SlidingWindow{Window: sec}, calls{unsent(at(0))}, nil},

		{"bucket: burst", bucket, calls{at(0), at(0), at(0)}, nil},
		{"bucket: burst and one", bucket, calls{at(0), at(0), at(0), at(0)}, []time.Duration{0}},
		{"bucket: refilled", bucket, calls{at(0), at(0), at(0), at(5 * sec), at(10 * sec)}, nil},
		{"bucket: 1 ns early is allowed", bucket, calls{at(0), at(0), at(0), at(5*sec - ns)}, nil},
		{"bucket: 2 ns early is not", bucket, calls{at(0), at(0), at(0), at(5*sec - 2*ns)}, []time.Duration{5*sec - 2*ns}},
		{"bucket: fills no further than its size", bucket, calls{at(0), at(60 * sec), at(60 * sec), at(60 * sec), at(60 * sec)}, []time.Duration{60 * sec}},
		{"bucket: idle before a burst", bucket, calls{at(0), at(60 * sec), at(60 * sec), at(60 * sec), at(65 * sec)}, nil},
		{"bucket: early after a long log", bucket, calls{at(0), at(0), at(0), at(5 * sec), at(10 * sec), at(15 * sec), at(19 * sec)}, []time.Duration{19 * sec}},
		{"bucket: costs", bucket, calls{costing(3, at(0)), costing(2, at(10*sec)), costing(2, at(19*sec))}, []time.Duration{19 * sec}},
		{"bucket: cost over size", bucket, calls{costing(4, at(0))}, []time.Duration{0}},
		{"bucket: burst zero is one", policy.TokenBucket{Max: 1, Per: sec}, calls{at(0), at(0)}, []time.Duration{0}},
		{"bucket: unsent", bucket, calls{costing(3, at(0)), unsent(costing(3, at(0)))}, nil},
		{"bucket: nothing allowed", policy.TokenBucket{Per: sec, Burst: 5}, calls{at(0)}, []time.Duration{0}},
		{"bucket: odd refill, just after", policy.TokenBucket{Max: 3, Per: sec}, calls{at(0), at(333_333_334)}, nil},
		{"bucket: odd refill, within 1 ns", policy.TokenBucket{Max: 3, Per: sec}, calls{at(0), at(333_333_333)}, nil},
		{"bucket: odd refill, before", policy.TokenBucket{Max: 3, Per: sec}, calls{at(0), at(333_333_332)}, []time.Duration{333_333_332}},
		{"bucket: 1 ns is not saved up", policy.TokenBucket{Max: 1, Per: sec}, calls{at(0), at(sec - ns), at(2*sec - 2*ns)}, []time.Duration{2*sec - 2*ns}},

		{"day: full", day, calls{at(0), at(midnight - ns), at(midnight), at(midnight)}, nil},
		{"day: three", day, calls{at(0), at(0), at(midnight - ns)}, []time.Duration{midnight - ns}},
		{"day: three next day", day, calls{at(0), at(midnight), at(midnight), at(midnight)}, []time.Duration{midnight}},
		{"day: costs", day, calls{at(0), costing(2, at(0))}, []time.Duration{0}},
		{"day: unsent", day, calls{at(0), unsent(at(0)), at(0)}, nil},
		{"day: nothing allowed", policy.CalendarWindow{Unit: policy.Day}, calls{at(0)}, []time.Duration{0}},

		{"gap: kept", gap, calls{span(0, sec), span(6*sec, 7*sec), span(12*sec, 13*sec)}, nil},
		{"gap: 1 ns early", gap, calls{span(0, sec), at(6*sec - ns)}, []time.Duration{6*sec - ns}},
		{"gap: counts from the end", gap, calls{span(0, 4*sec), at(5 * sec)}, []time.Duration{5 * sec}},
		{"gap: unsettled", gap, calls{unsettled(0), at(time.Hour)}, []time.Duration{time.Hour}},
		{"gap: overlap", policy.Gap{}, calls{span(0, 4*sec), at(4*sec - ns), at(4 * sec)}, []time.Duration{4*sec - ns}},
		{"gap: unsent has no pause", gap, calls{span(0, sec), unsent(span(6*sec, 7*sec)), at(7 * sec)}, nil},
		{"gap: unsent keeps the pause before it", gap, calls{span(0, sec), unsent(at(3 * sec)), at(5 * sec)}, []time.Duration{5 * sec}},
		{"gap: unsent is in flight", gap, calls{unsent(span(0, 4*sec)), at(4*sec - ns)}, []time.Duration{4*sec - ns}},
		{"gap: unsent takes its turn", gap, calls{span(0, 4*sec), unsent(at(4*sec - ns))}, []time.Duration{4*sec - ns}},
		{"gap: cost is not counted", gap, calls{costing(9, at(0)), costing(9, at(5*sec))}, nil},
		{"gap: settled before taken", gap, calls{span(3*sec, 0), at(8*sec - ns), at(13*sec - ns)}, []time.Duration{8*sec - ns}},
		{"gap: every third, kept", third, calls{at(0), at(0), at(0), at(5 * sec), at(5 * sec), at(5 * sec), at(10 * sec)}, nil},
		{"gap: every third, 1 ns early", third, calls{at(0), at(0), at(0), at(5*sec - ns)}, []time.Duration{5*sec - ns}},
		{"gap: every third, the second time", third, calls{at(0), at(0), at(0), at(5 * sec), at(6 * sec), at(7 * sec), at(11 * sec)}, []time.Duration{11 * sec}},
		{"gap: every third, no reset", third, calls{at(0), at(0), at(24 * time.Hour), at(24*time.Hour + sec)}, []time.Duration{24*time.Hour + sec}},
		{"gap: every third, unsent is not counted", third, calls{at(0), at(0), unsent(at(0)), at(sec), at(2 * sec)}, []time.Duration{2 * sec}},
		{"gap: every third, all pass in the pause", third, calls{at(0), at(0), at(0), at(sec), at(2 * sec)}, []time.Duration{sec, 2 * sec}},

		{"concurrency: full", pair, calls{span(0, 4*sec), span(sec, 4*sec), span(4*sec, 5*sec)}, nil},
		{"concurrency: three", pair, calls{span(0, 4*sec), span(sec, 4*sec), span(4*sec-ns, 5*sec)}, []time.Duration{4*sec - ns}},
		{"concurrency: at one instant", pair, calls{span(0, sec), span(0, sec), span(0, sec)}, []time.Duration{0}},
		{"concurrency: of no length", pair, calls{at(0), at(0), at(0)}, nil},
		{"concurrency: unsettled", pair, calls{unsettled(0), unsettled(sec), at(time.Hour)}, []time.Duration{time.Hour}},
		{"concurrency: unsent is in flight", pair, calls{unsent(span(0, 4*sec)), unsent(span(0, 4*sec)), unsent(span(0, 4*sec))}, []time.Duration{0}},
		{"concurrency: cost is not counted", pair, calls{costing(9, unsettled(0)), costing(9, unsettled(0))}, nil},
		{"concurrency: nothing allowed", policy.Concurrency{}, calls{at(0)}, []time.Duration{0}},
		{"concurrency: refused is in flight", pair, calls{refusing(span(0, 4*sec)), refusing(span(0, 4*sec)), at(4*sec - ns)}, []time.Duration{4*sec - ns}},

		{"recipients: full", people, calls{to("a", at(0)), to("b", at(sec)), to("c", at(10*sec)), to("d", at(11*sec))}, nil},
		{"recipients: three within", people, calls{to("a", at(0)), to("b", at(sec)), to("c", at(10*sec-ns))}, []time.Duration{10*sec - ns}},
		{"recipients: again and again", people, calls{to("a", at(0)), to("b", at(sec)), to("a", at(2*sec)), to("b", at(2*sec)), to("a", at(2*sec))}, nil},
		{"recipients: renewed", people, calls{to("a", at(0)), to("b", at(sec)), to("a", at(9*sec)), to("c", at(11*sec)), to("d", at(19*sec-ns))}, []time.Duration{19*sec - ns}},
		{"recipients: until a window after the last", people, calls{to("a", at(0)), to("b", at(sec)), to("a", at(9*sec)), to("c", at(11*sec)), to("d", at(19*sec))}, []time.Duration(nil)},
		{"recipients: not from the first", people, calls{to("a", at(0)), to("b", at(sec)), to("a", at(9*sec)), to("c", at(11*sec-ns))}, []time.Duration{11*sec - ns}},
		{"recipients: each new one over", people, calls{to("a", at(0)), to("b", at(0)), to("c", at(1)), to("a", at(2)), to("c", at(3)), to("d", at(4))}, []time.Duration{1, 4}},
		{"recipients: three at one instant", people, calls{to("a", at(0)), to("b", at(0)), to("c", at(0))}, []time.Duration{0}},
		{"recipients: cost is not counted", people, calls{to("a", costing(9, at(0))), to("b", costing(9, at(0)))}, nil},
		{"recipients: unsent", people, calls{to("a", at(0)), to("b", unsent(at(0))), to("c", at(0))}, nil},
		{"recipients: refused was not reached", people, calls{to("a", at(0)), to("b", refusing(at(0))), to("c", at(0))}, nil},
		{"recipients: refused once, reached once", people, calls{to("a", at(0)), to("b", refusing(at(0))), to("b", at(sec)), to("c", at(sec))}, []time.Duration{sec}},
		{"recipients: refused does not renew", people, calls{to("a", at(0)), to("b", at(sec)), to("a", refusing(at(9*sec))), to("c", at(10*sec))}, nil},
		{"recipients: unsettled counts", people, calls{to("a", unsettled(0)), to("b", refusing(unsettled(0))), to("c", unsent(unsettled(0)))}, []time.Duration{0}},
		{"recipients: nothing allowed", policy.UniqueRecipients{Window: sec}, calls{to("a", at(0))}, []time.Duration{0}},

		{"contacts: full", strangers, calls{strange(at(0)), strange(at(sec)), strange(at(10 * sec)), strange(at(11 * sec))}, nil},
		{"contacts: three within", strangers, calls{strange(at(0)), strange(at(sec)), strange(at(10*sec - ns))}, []time.Duration{10*sec - ns}},
		{"contacts: others do not count", strangers, calls{strange(at(0)), at(0), at(0), strange(at(0)), at(0)}, nil},
		{"contacts: cost is not counted", strangers, calls{strange(costing(9, at(0))), strange(costing(9, at(0)))}, nil},
		{"contacts: one recipient counts each time", strangers, calls{to("a", strange(at(0))), to("a", strange(at(0))), to("a", strange(at(0)))}, []time.Duration{0}},
		{"contacts: unsent", strangers, calls{strange(at(0)), unsent(strange(at(0))), strange(at(0))}, nil},
		{"contacts: refused was tried", strangers, calls{strange(at(0)), refusing(strange(at(0))), strange(at(0))}, []time.Duration{0}},
		{"contacts: nothing allowed", policy.NewContacts{Window: sec}, calls{at(0), strange(at(0))}, []time.Duration{0}},

		{"hours: open", office, calls{at(0), at(sec), at(h + 30*sec - ns)}, nil},
		{"hours: too early", office, calls{at(-ns)}, []time.Duration{-ns}},
		{"hours: too late", office, calls{at(h + 30*sec)}, []time.Duration{h + 30*sec}},
		{"hours: ended after them", office, calls{span(h, 9*h)}, nil},
		{"hours: each call outside", office, calls{at(-h), at(0), at(2 * h)}, []time.Duration{-h, 2 * h}},
		{"hours: every day", office, calls{at(24 * h), at(48 * h), at(-24 * h)}, nil},
		{"hours: unsent", office, calls{unsent(at(-ns))}, nil},
		{"hours: refused was tried", office, calls{refusing(at(-ns))}, []time.Duration{-ns}},
		{"hours: cost is not counted", office, calls{costing(9, at(0)), costing(9, at(0))}, nil},
		{"hours: over midnight", night, calls{at(11 * h), at(13*h - ns)}, nil},
		{"hours: over midnight, before", night, calls{at(11*h - ns)}, []time.Duration{11*h - ns}},
		{"hours: over midnight, after", night, calls{at(13 * h)}, []time.Duration{13 * h}},
		{"hours: over midnight, the night before", night, calls{at(-12*h - ns), at(-12 * h), at(-11*h - ns)}, []time.Duration{-12*h - ns, -12 * h, -11*h - ns}},
		{"hours: over midnight, the night after", night, calls{at(35 * h), at(36 * h)}, []time.Duration{35 * h, 36 * h}},
		{"hours: whole days", policy.ActiveHours{To: 24 * h, Days: policy.Days(time.Monday)}, calls{at(-12*h - ns), at(-12 * h), at(12*h - ns), at(12 * h)}, []time.Duration{-12*h - ns, 12 * h}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, broken(only(tt.limit), tt.calls))
		})
	}
}

func TestAudit_Budgets(t *testing.T) {
	t.Parallel()
	one := policy.SlidingWindow{Max: 1, Window: time.Minute}
	limits := []policy.Limit{
		one,
		policy.TokenBucket{Max: 1, Per: time.Minute},
		policy.CalendarWindow{Max: 1, Unit: policy.Hour},
		policy.Gap{Min: time.Minute, Max: time.Minute},
		policy.Concurrency{Max: 1},
	}
	for _, limit := range limits {
		t.Run(fmt.Sprintf("%T", limit), func(t *testing.T) {
			t.Parallel()
			mine, yours := span(0, 3*sec), by("447700900002", span(sec, 3*sec))
			upload := doing(policy.UploadMedia, span(sec, 3*sec))

			require.Empty(t, broken(only(limit), []queuetest.Call{mine, yours}), "each account has its own budget")
			require.Equal(t, []time.Duration{2 * sec}, broken(only(limit), []queuetest.Call{mine, yours, span(2*sec, 3*sec)}))

			require.Equal(t, []time.Duration{sec}, broken(only(limit), []queuetest.Call{mine, upload}), "no actions are all actions")
			require.Empty(t, broken(only(limit, policy.SendMessage), []queuetest.Call{mine, upload}))
			require.Equal(t, []time.Duration{sec},
				broken(only(limit, policy.SendMessage, policy.UploadMedia), []queuetest.Call{mine, upload}), "two actions share one budget")

			media := []queuetest.Call{doing("POST /media/photo", span(0, 3*sec)), doing("POST /media/video", span(sec, 3*sec))}
			require.Equal(t, []time.Duration{sec}, broken(only(limit, "POST /media/*"), media), "a pattern is one budget")
			require.Empty(t, broken(only(limit, "GET *"), media))
		})
	}
}

// A rule in another scope than the account's holds for each budget of that scope
// alone, and Audit says which one was passed.
func TestAudit_Scopes(t *testing.T) {
	t.Parallel()
	limits := []policy.Limit{
		policy.SlidingWindow{Max: 1, Window: time.Minute},
		policy.TokenBucket{Max: 1, Per: time.Minute},
		policy.CalendarWindow{Max: 1, Unit: policy.Hour},
		policy.Gap{Min: time.Minute, Max: time.Minute},
		policy.Concurrency{Max: 1},
		policy.UniqueRecipients{Max: 1, Window: time.Minute},
		policy.NewContacts{Max: 1, Window: time.Minute},
	}
	const alice, bob, carol = "447700900001", "447700900002", "447700900003"
	made := func(account, recipient, portfolio string, d time.Duration) queuetest.Call {
		c := to(recipient, by(account, strange(span(d, d+9*sec))))
		c.Portfolio = portfolio
		return c
	}
	for _, limit := range limits {
		for _, scope := range []policy.Scope{policy.ScopeAccount, policy.ScopeRecipient, policy.ScopePortfolio} {
			p := policy.Policy{Rules: []policy.Rule{{Name: "only", Scope: scope, Limit: limit}}}
			if p.Validate() != nil {
				continue // the kind does not have the scope
			}
			t.Run(fmt.Sprintf("%T %s", limit, scope), func(t *testing.T) {
				t.Parallel()
				first := made(alice, carol, "p", 0)
				others := map[policy.Scope][]queuetest.Call{
					policy.ScopeAccount:   {made(bob, carol, "p", sec)},
					policy.ScopeRecipient: {made(alice, bob, "p", sec), made(bob, carol, "p", sec)},
					policy.ScopePortfolio: {made(alice, carol, "q", sec)},
				}[scope]
				require.Empty(t, broken(p, append(others, first)), "they have budgets of their own")

				second := map[policy.Scope]queuetest.Call{
					policy.ScopeAccount:   made(alice, bob, "q", 2*sec),
					policy.ScopeRecipient: made(alice, carol, "q", 2*sec),
					policy.ScopePortfolio: made(bob, bob, "p", 2*sec),
				}[scope]
				found := queuetest.Audit(p, append(others, first, second))
				require.Len(t, found, 1)
				v := found[0]
				require.Equal(t, second.Account, v.Account, "of a portfolio's calls, the one that was too many")
				want := map[policy.Scope][2]string{policy.ScopeRecipient: {carol, ""}, policy.ScopePortfolio: {"", "p"}}[scope]
				require.Equal(t, want, [2]string{v.Recipient, v.Portfolio})
			})
		}
	}
}

// Keys that run together are two pairs.
func TestAudit_KeysDoNotCollide(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{{Name: "pair", Scope: policy.ScopeRecipient, Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}}}}
	require.Empty(t, queuetest.Audit(p, []queuetest.Call{to("bc", by("a", at(0))), to("c", by("ab", at(0)))}))
}

func TestAudit_ShadowRulesRefuseNothing(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "shadow", Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}, Shadow: true},
		{Name: "people", Limit: policy.UniqueRecipients{Max: 1, Window: time.Hour}, Shadow: true},
		{Name: "shared", Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}, Scope: policy.ScopePortfolio, Shadow: true},
		{Name: "firm", Limit: policy.SlidingWindow{Max: 2, Window: time.Hour}},
	}}
	found := queuetest.Audit(p, []queuetest.Call{at(0), at(sec), at(2 * sec)})
	require.Len(t, found, 1)
	require.Equal(t, "firm", found[0].Rule)
}

func TestAudit_EveryRule(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "hour", Limit: policy.SlidingWindow{Max: 2, Window: time.Hour}},
		{Name: "pace", Limit: policy.Gap{Min: 5 * sec, Max: 9 * sec}},
	}}
	calls := []queuetest.Call{at(0), at(sec), at(10 * sec), at(11 * sec)}
	var got []string
	for _, v := range queuetest.Audit(p, calls) {
		got = append(got, v.At.Sub(auditNoon).String()+" "+v.Rule)
	}
	require.Equal(t, []string{"1s pace", "10s hour", "11s hour", "11s pace"}, got, "in the order of the calls, then of the rules")
	require.Empty(t, queuetest.Audit(policy.Policy{}, calls), "no rules allow everything")
}

func TestAudit_AnyOrder(t *testing.T) {
	t.Parallel()
	log := []queuetest.Call{at(12 * sec), at(0), at(9 * sec), at(3 * sec)}
	given := slices.Clone(log)
	require.Equal(t, []time.Duration{9 * sec, 12 * sec}, broken(only(policy.SlidingWindow{Max: 2, Window: 10 * sec}), log))
	require.Equal(t, given, log, "the log stays as it was")

	// At one instant the order given decides.
	first, second := at(0), span(0, sec)
	require.Empty(t, broken(only(policy.Concurrency{Max: 1}), []queuetest.Call{first, second}))
	require.Equal(t, []time.Duration{0}, broken(only(policy.Concurrency{Max: 1}), []queuetest.Call{second, first}))
}

func BenchmarkAudit(b *testing.B) {
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "bucket", Limit: policy.TokenBucket{Max: 20, Per: time.Minute, Burst: 5}},
		{Name: "hour", Limit: policy.SlidingWindow{Max: 60, Window: time.Hour}},
		{Name: "day", Limit: policy.CalendarWindow{Max: 1000, Unit: policy.Day}},
		{Name: "pace", Limit: policy.Gap{Min: 5 * sec, Max: 9 * sec}},
		{Name: "one", Limit: policy.Concurrency{Max: 1}},
	}}
	for _, accounts := range []int{1, 1000} {
		calls := make([]queuetest.Call, 10_000)
		for i := range calls {
			taken := time.Duration(i) * 30 * 24 * time.Hour / 10_000
			calls[i] = by(fmt.Sprintf("44770090%04d", i%accounts), span(taken, taken+sec))
		}
		b.Run(fmt.Sprintf("10000 calls of a month, %d accounts", accounts), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if found := queuetest.Audit(p, calls); len(found) > 0 {
					b.Fatal(found[0])
				}
			}
		})
	}
}
