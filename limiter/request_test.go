package limiter_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func TestBadRequestIsNamedAndTouchesNothing(t *testing.T) {
	t.Parallel()
	good := limiter.Request{Account: alice, Action: policy.SendMessage}
	with := func(change func(*limiter.Request)) limiter.Request {
		r := good
		change(&r)
		return r
	}
	tests := []struct {
		name string
		now  time.Time
		req  limiter.Request
		want string
	}{
		{"no account", monday, with(func(r *limiter.Request) { r.Account = "" }),
			`limiter: account "": name the account whose budget is spent`},
		{"NUL in the account", monday, with(func(r *limiter.Request) { r.Account = "4477\x0000900001" }),
			`limiter: account "4477�******01": leave NUL bytes out`},
		{"an account of 257 bytes", monday, with(func(r *limiter.Request) { r.Account = strings.Repeat("x", limiter.MaxKey+1) }),
			`limiter: account "` + strings.Repeat("x", 64) + `...": use at most 256 bytes, not 257`},
		{"an account of 1 MB", monday, with(func(r *limiter.Request) { r.Account = strings.Repeat("9", 1<<20) }),
			`limiter: account "9999` + strings.Repeat("*", 60) + `...": use at most 256 bytes, not 1048576`},
		{"no action", monday, with(func(r *limiter.Request) { r.Action = "" }),
			`limiter: action "": name the action, such as send_message`},
		{"a negative cost", monday, with(func(r *limiter.Request) { r.Cost = -5 }),
			`limiter: cost -5: use 1 or more, or 0 for 1`},
		{"the zero time", time.Time{}, good,
			`limiter: time 0001-01-01T00:00:00Z: use a time of the years 1678 to 2261`},
		{"the year 9999", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), good,
			`limiter: time 9999-12-31T23:59:59Z: use a time of the years 1678 to 2261`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLimiter(t, only(policy.Concurrency{Max: 1}))
			held, d := l.Take(monday, good)
			require.NoError(t, d.Err())
			before := l.State(good.Account)

			gate := limiter.Gate{Rule: "request", Answer: limiter.Never}
			p, d := l.Take(tt.now, tt.req)
			require.Equal(t, limiter.Permit{}, p)
			for _, d := range []limiter.Decision{d, l.Check(tt.now, tt.req), l.Allow(tt.now, tt.req)} {
				require.Equal(t, gate, d.Gate)
				require.EqualError(t, d.Err(), tt.want)
				require.ErrorIs(t, d.Err(), limiter.ErrRefused)
				var wrong *limiter.RequestError
				require.ErrorAs(t, d.Err(), &wrong)
				require.Equal(t, tt.want, "limiter: "+wrong.Field+" "+wrong.Value+": "+wrong.Remedy)
			}
			require.Equal(t, []limiter.Gate{gate}, l.Gates(tt.now, tt.req))
			p.Settle(monday, limiter.Sent) // holds nothing

			require.Equal(t, before, l.State(good.Account))
			require.Equal(t, 1, l.Accounts())
			held.Settle(monday, limiter.Sent)
			require.Equal(t, limiter.Allowed, l.Check(monday, good).Answer)
		})
	}
}

func TestRefusalIsAnErrorThatSaysWhatRefusedAndWhen(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
		{Name: "minute", Actions: []policy.Action{"later"}, Limit: policy.SlidingWindow{Max: 2, Window: time.Minute}},
		{Name: "one", Actions: []policy.Action{"busy"}, Limit: policy.Concurrency{Max: 1}},
	}})
	ask := func(a policy.Action, cost int64) error {
		_, d := l.Take(monday, limiter.Request{Account: alice, Action: a, Cost: cost})
		return d.Err()
	}
	require.NoError(t, ask("later", 2))
	require.NoError(t, ask("busy", 1))
	for _, tt := range []struct {
		err  error
		want string
	}{
		{ask("later", 1), `limiter: refused by rule "minute" (limit 2, remaining 0): try again in 1m0s`},
		{ask("busy", 1), `limiter: refused by rule "one" (limit 1, remaining 0): try again when a request in flight has ended`},
		{ask("later", 3), `limiter: refused by rule "minute" (limit 2, remaining 0): no waiting helps`},
	} {
		require.EqualError(t, tt.err, tt.want)
		require.ErrorIs(t, tt.err, limiter.ErrRefused)
		var refused *limiter.RefusedError
		require.ErrorAs(t, tt.err, &refused)
		require.NotEmpty(t, refused.Rule)
		require.False(t, errors.Is(tt.err, policy.ErrInvalid))
	}
}

func TestAnswersAndOutcomesHaveNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "allowed later busy never Answer(9)", strings.Join([]string{
		limiter.Allowed.String(), limiter.Later.String(), limiter.Busy.String(), limiter.Never.String(), limiter.Answer(9).String(),
	}, " "))
	require.Equal(t, "sent refused unsent", strings.Join([]string{
		limiter.Sent.String(), limiter.Refused.String(), limiter.Unsent.String(),
	}, " "))
}

// Every byte of a key counts, and keys are never taken apart.
func TestKeysDoNotCollide(t *testing.T) {
	t.Parallel()
	keys := []string{
		"a", "A", " a", "a ", "a\n", "a:b", "a:", ":b", "b:a", "a|b", "a/b", "{a}b", "{a}{b}", "a{b}",
		"\xff", "\xfe", "\xff\xfe", "\ufffd", "é", "e\u0301", "447700900001", "+447700900001", "447700900001@s.whatsapp.net",
		strings.Repeat("x", limiter.MaxKey), strings.Repeat("x", limiter.MaxKey-1), strings.Repeat("x", limiter.MaxKey-1) + "y",
	}
	l := newLimiter(t, only(policy.SlidingWindow{Max: 1, Window: time.Hour}))
	for _, want := range []limiter.Answer{limiter.Allowed, limiter.Later} {
		for _, key := range keys {
			d := l.Allow(monday, limiter.Request{Account: key, Action: "x"})
			require.Equal(t, want, d.Answer, "%q", key)
		}
	}
	require.Equal(t, len(keys), l.Accounts())
}

// However many accounts there are, each keeps its own budget.
func TestManyAccountsKeepTheirOwnBudgets(t *testing.T) {
	t.Parallel()
	const n = 10_000
	l := newLimiter(t, only(policy.TokenBucket{Max: 1, Per: time.Hour}))
	key := func(i int) string { return time.Duration(i).String() }
	for i := range n {
		require.Equal(t, limiter.Allowed, l.Allow(monday, limiter.Request{Account: key(i), Action: "x"}).Answer)
	}
	require.Equal(t, n, l.Accounts())
	for i := range n {
		require.Equal(t, limiter.Later, l.Check(monday, limiter.Request{Account: key(i), Action: "x"}).Answer)
	}
}
