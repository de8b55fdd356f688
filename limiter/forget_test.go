package limiter_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func roomFor(t require.TestingT, most int, ttl time.Duration, rules ...policy.Rule) *limiter.Limiter {
	for i := range rules {
		rules[i].Name = fmt.Sprint("r", i)
	}
	l, err := limiter.New(policy.Policy{Rules: rules}, &limiter.Options{Seed: 7, MaxAccounts: most, PermitTTL: ttl})
	require.NoError(t, err)
	return l
}

// noRoom is what a new key gets where there is no room.
var noRoom = limiter.Gate{Rule: "capacity", Answer: limiter.Busy}

func of(account string) limiter.Request {
	return limiter.Request{Account: account, Action: policy.SendMessage, Recipient: "r", Portfolio: "p"}
}

func TestNegativeMaxAccountsIsAnError(t *testing.T) {
	t.Parallel()
	_, err := limiter.New(policy.Standard(), &limiter.Options{MaxAccounts: -1})
	require.EqualError(t, err, "limiter: max accounts -1: use 1 or more, or 0 for the default")
}

// TestAFloodOfKeysIsRefusedAndTheLiveGoOn fills a limiter with live accounts and
// pours new keys over it.
func TestAFloodOfKeysIsRefusedAndTheLiveGoOn(t *testing.T) {
	t.Parallel()
	const most = 200
	l := roomFor(t, most, -1, policy.Rule{Limit: policy.SlidingWindow{Max: 3, Window: time.Hour}})
	for i := range most {
		require.Equal(t, limiter.Allowed, l.Allow(monday, of(fmt.Sprint("live", i))).Answer)
	}
	now := monday
	for i := range 5 * most {
		now = now.Add(time.Millisecond)
		req := of(fmt.Sprint("flood", i))
		require.Equal(t, noRoom, l.Check(now, req).Gate)
		p, d := l.Take(now, req)
		require.Equal(t, limiter.Permit{}, p)
		require.Equal(t, noRoom, d.Gate)
		require.ErrorIs(t, d.Err(), limiter.ErrRefused)
		require.Equal(t, []limiter.Gate{noRoom}, l.Gates(now, req))
		if i%5 == 0 {
			require.Equal(t, int64(1), l.Check(now, of(fmt.Sprint("live", i/5))).Remaining, "a live budget was flushed")
		}
	}
	require.Equal(t, most, l.Accounts())
	for i := range most {
		req := of(fmt.Sprint("live", i))
		require.Equal(t, limiter.Allowed, l.Allow(now, req).Answer)
		require.Equal(t, limiter.Allowed, l.Allow(now, req).Answer)
		require.Equal(t, limiter.Later, l.Allow(now, req).Answer)
	}
	// An hour later all are as good as new, and each new key finds room at once.
	now = now.Add(time.Hour + time.Second)
	for i := range 5 * most {
		require.Equal(t, limiter.Allowed, l.Allow(now, of(fmt.Sprint("next", i))).Answer, "key %d", i)
		require.LessOrEqual(t, l.Accounts(), most)
		if (i+1)%(most/4) == 0 {
			now = now.Add(time.Hour + time.Second)
		}
	}
}

// TestTheOnlyIdleAccountMakesRoom has room for one, so that whoever is next has to
// take its place, wherever that is.
func TestTheOnlyIdleAccountMakesRoom(t *testing.T) {
	t.Parallel()
	const s = time.Second
	bucket := policy.TokenBucket{Max: 1, Per: 10 * s, Burst: 2}
	for name, tt := range map[string]struct {
		rules []policy.Rule
		ttl   time.Duration
		idle  time.Duration // after a Take that is not settled
	}{
		"allowed":          {[]policy.Rule{{Limit: bucket}}, -1, 10 * s},
		"a set":            {[]policy.Rule{{Limit: policy.UniqueRecipients{Max: 2, Window: 10 * s}}}, -1, 10 * s},
		"equal pauses":     {[]policy.Rule{{Limit: policy.Gap{Min: 10 * s, Max: 10 * s}}}, -1, 10 * s},
		"left in flight":   {[]policy.Rule{{Limit: policy.Concurrency{Max: 2}}}, 10 * s, 10 * s},
		"then a pause":     {[]policy.Rule{{Limit: policy.Gap{Min: 3 * s, Max: 3 * s}}}, 7 * s, 10 * s},
		"recipients":       {[]policy.Rule{{Limit: bucket, Scope: policy.ScopeRecipient}}, -1, 10 * s},
		"many in flight":   {[]policy.Rule{{Limit: policy.Concurrency{Max: 2}, Scope: policy.ScopeRecipient}}, 10 * s, 10 * s},
		"portfolios":       {[]policy.Rule{{Limit: bucket, Scope: policy.ScopePortfolio}}, -1, 10 * s},
		"and their permit": {[]policy.Rule{{Limit: bucket, Scope: policy.ScopePortfolio}}, 10 * s, 10 * s},
	} {
		l := roomFor(t, 1, tt.ttl, tt.rules...)
		now := monday
		for i := range 200 {
			req := of(fmt.Sprint("a", i))
			req.Portfolio = fmt.Sprint("p", i)
			permit, d := l.Take(now, req)
			require.Equal(t, limiter.Allowed, d.Answer, "%s: key %d: %+v", name, i, d)
			if tt.ttl < 0 {
				permit.Settle(now, limiter.Sent)
			}
			next := of(fmt.Sprint("a", i+1))
			next.Portfolio = fmt.Sprint("p", i+1)
			// A second's grace, for callers whose clock was read a little before.
			now = now.Add(tt.idle + s)
			require.Equal(t, noRoom, l.Allow(now.Add(-1), next).Gate, "%s: key %d", name, i)
		}
	}
}

// TestPausesThatDifferAreNotForgotten keeps the count that decides which comes
// next.
func TestPausesThatDifferAreNotForgotten(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]policy.Limit{
		"random":      policy.Gap{Min: time.Second, Max: 2 * time.Second},
		"every third": policy.Gap{Min: time.Second, Max: time.Second, Every: 3},
	} {
		l := roomFor(t, 1, -1, policy.Rule{Limit: limit})
		require.Equal(t, limiter.Allowed, l.Allow(monday, of(alice)).Answer)
		require.Equal(t, noRoom, l.Allow(monday.AddDate(1, 0, 0), of(bob)).Gate, name)
	}
	// After a third send the count stands where it began.
	l := roomFor(t, 1, -1, policy.Rule{Limit: policy.Gap{Min: time.Second, Max: time.Second, Every: 3}})
	for range 3 {
		require.Equal(t, limiter.Allowed, l.Allow(monday, of(alice)).Answer)
	}
	require.Equal(t, limiter.Allowed, l.Allow(monday.Add(2*time.Second), of(bob)).Answer)
}

// TestANewPortfolioNeedsRoomToo has one portfolio and a known account.
func TestANewPortfolioNeedsRoomToo(t *testing.T) {
	t.Parallel()
	const s = time.Second
	l := roomFor(t, 1, -1,
		policy.Rule{Limit: policy.SlidingWindow{Max: 3, Window: time.Hour}},
		policy.Rule{Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 2, Window: 10 * s}})
	req := of(alice)
	require.Equal(t, limiter.Allowed, l.Allow(monday, req).Answer)
	other := req
	other.Portfolio = "q"
	require.Equal(t, noRoom, l.Check(monday, other).Gate)
	require.Equal(t, noRoom, l.Allow(monday, other).Gate)
	require.Equal(t, []limiter.Gate{noRoom}, l.Gates(monday, other))
	require.Equal(t, int64(0), l.Check(monday, req).Remaining, "the portfolio's last")
	require.Equal(t, limiter.Allowed, l.Allow(monday.Add(11*s), other).Answer, "idle, and a second")
	require.Equal(t, noRoom, l.Allow(monday.Add(11*s), req).Gate)
	for _, g := range l.Gates(monday.Add(11*s), other) {
		if g.Rule == "r0" {
			require.Equal(t, int64(0), g.Remaining, "refused for want of room, and charged")
		}
	}
}

// TestAShadowRuleGoesWithoutRoom refuses nothing for want of room that only a shadow
// rule needs.
func TestAShadowRuleGoesWithoutRoom(t *testing.T) {
	t.Parallel()
	window := policy.SlidingWindow{Max: 5, Window: time.Hour}
	l := roomFor(t, 1, -1,
		policy.Rule{Limit: window, Actions: []policy.Action{"real"}},
		policy.Rule{Limit: window, Shadow: true},
		policy.Rule{Limit: window, Shadow: true, Scope: policy.ScopePortfolio})
	req := of(alice)
	req.Action = "real"
	require.Equal(t, limiter.Allowed, l.Allow(monday, req).Answer)
	req.Portfolio = "q"
	require.Equal(t, limiter.Allowed, l.Allow(monday, req).Answer, "only a shadow rule counts by portfolio")
	req.Account, req.Action = bob, "other"
	require.Equal(t, free, l.Allow(monday, req).Gate, "only shadow rules cover it")
	require.Empty(t, l.Check(monday, req).ShadowRule)
	req.Action = "real"
	require.Equal(t, noRoom, l.Allow(monday, req).Gate)
	require.Equal(t, 1, l.Accounts())
}

// TestForgettingCannotBeSeen compares a limiter with little room, which forgets all
// it can, with limiters that serve one holder each and so have nobody to forget.
// The clocks of callers differ by up to a second.
func TestForgettingCannotBeSeen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		scope := rapid.SampledFrom([]policy.Scope{policy.ScopeAccount, policy.ScopeRecipient, policy.ScopePortfolio}).Draw(t, "scope")
		window := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, 2500 * time.Millisecond})
		var rules []policy.Rule
		for range rapid.IntRange(1, 2).Draw(t, "rules") {
			r := policy.Rule{Scope: scope}
			most := rapid.Int64Range(1, 3).Draw(t, "max")
			span := window.Draw(t, "window")
			last := 6
			if scope != policy.ScopeAccount {
				last = 4
			}
			switch kind := rapid.IntRange(0, last).Draw(t, "kind"); {
			case kind == 0:
				r.Limit = policy.TokenBucket{Max: 3, Per: span, Burst: most}
			case kind == 1:
				r.Limit = policy.SlidingWindow{Max: most, Window: span}
			case kind == 2:
				r.Limit = policy.CalendarWindow{Max: most, Unit: policy.Minute}
			case kind == 3 && scope != policy.ScopePortfolio:
				r.Limit = policy.Gap{Min: span, Max: span, Every: rapid.Int64Range(1, 2).Draw(t, "every")}
			case kind == 4 && scope != policy.ScopePortfolio:
				r.Limit = policy.Concurrency{Max: most}
			case scope != policy.ScopeRecipient && kind%2 == 1:
				r.Limit = policy.NewContacts{Max: most, Window: span}
			default:
				r.Limit = policy.SlidingWindow{Max: 1500, Window: span}
				if scope != policy.ScopeRecipient {
					r.Limit = policy.UniqueRecipients{Max: most, Window: span}
				}
			}
			rules = append(rules, r)
		}
		ttl := rapid.SampledFrom([]time.Duration{-1, time.Millisecond, 3 * time.Second}).Draw(t, "ttl")
		most := rapid.IntRange(1, 4).Draw(t, "room")
		l := roomFor(t, most, ttl, rules...)
		alone := map[string]*limiter.Limiter{}
		type taken struct{ l, alone limiter.Permit }
		var open []taken
		clock, retry := monday, time.Duration(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			pass := []time.Duration{0, 0, 1, 300 * time.Millisecond, retry, time.Second, 4 * time.Second, time.Minute}
			clock = clock.Add(rapid.SampledFrom(pass).Draw(t, "pass"))
			now := clock
			if scope != policy.ScopeRecipient { // alone, pairs do not share an account's latest time
				now = clock.Add(-time.Duration(rapid.SampledFrom([]int64{0, 0, 1, 5e8, 1e9 - 1}).Draw(t, "behind")))
			}
			if n := len(open); n > 0 && rapid.Bool().Draw(t, "settle") {
				i, o := rapid.IntRange(0, n-1).Draw(t, "permit"), drawOutcome(t)
				open[i].l.Settle(now, o)
				open[i].alone.Settle(now, o)
				open = append(open[:i:i], open[i+1:]...)
			}
			req := limiter.Request{
				Account:    fmt.Sprint("a", rapid.IntRange(0, 9).Draw(t, "account")),
				Action:     policy.SendMessage,
				Recipient:  fmt.Sprint("r", rapid.IntRange(0, 5).Draw(t, "recipient")),
				Cost:       rapid.Int64Range(0, 2).Draw(t, "cost"),
				NewContact: true,
			}
			key := req.Account
			switch scope {
			case policy.ScopeRecipient:
				key += req.Recipient
			case policy.ScopePortfolio:
				req.Portfolio = fmt.Sprint("p", req.Account[1]%4)
				key = req.Portfolio
			}
			if alone[key] == nil {
				alone[key] = roomFor(t, 0, ttl, rules...)
			}
			mine, got := l.Take(now, req)
			require.LessOrEqual(t, l.Accounts(), most)
			if got.Rule == "capacity" {
				continue
			}
			own, want := alone[key].Take(now, req)
			require.Equal(t, want, got, "%+v at %v", req, now)
			open, retry = append(open, taken{mine, own}), got.RetryAfter
		}
	})
}

// TestManyNewKeysAtOnceFindRoom has callers come with new keys all the time, look
// for room in each other's shards, and leave permits to run out.
func TestManyNewKeysAtOnceFindRoom(t *testing.T) {
	t.Parallel()
	const most = 100
	l := roomFor(t, most, time.Second,
		policy.Rule{Limit: policy.SlidingWindow{Max: 2, Window: time.Second}},
		policy.Rule{Limit: policy.SlidingWindow{Max: 2, Window: time.Second}, Scope: policy.ScopeRecipient},
		policy.Rule{Limit: policy.SlidingWindow{Max: 1 << 20, Window: time.Second}, Scope: policy.ScopePortfolio})
	live := of("live")
	require.Equal(t, limiter.Allowed, l.Allow(monday, live).Answer)
	var admitted, refused atomic.Int64
	crowd(func(caller int) {
		for i := range 60 {
			now := monday.Add(time.Duration(i) * 200 * time.Millisecond)
			req := of(fmt.Sprint(caller, "-", i))
			req.Portfolio = fmt.Sprint("p", i%7)
			p, d := l.Take(now, req)
			switch d.Answer {
			case limiter.Allowed:
				admitted.Add(1)
				if i%2 == 0 {
					p.Settle(now, limiter.Unsent)
				}
			default:
				refused.Add(1)
			}
		}
	})
	require.Positive(t, refused.Load())
	require.Greater(t, admitted.Load(), int64(most))
	require.LessOrEqual(t, l.Accounts(), most+callers, "each caller may find the last room free")
}

// TestLookingAheadForgetsNobody asks what new accounts, recipients and portfolios
// may do when those that there are will be idle.
func TestLookingAheadForgetsNobody(t *testing.T) {
	t.Parallel()
	for _, scope := range []policy.Scope{policy.ScopeAccount, policy.ScopeRecipient, policy.ScopePortfolio} {
		l := roomFor(t, 20, time.Minute, policy.Rule{Scope: scope, Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}})
		req := func(i int) limiter.Request {
			r := of(fmt.Sprint("a", i%10))
			r.Recipient, r.Portfolio = fmt.Sprint("r", i), fmt.Sprint("p", i)
			return r
		}
		for i := range 10 {
			_, d := l.Take(monday, req(i))
			require.Equal(t, limiter.Allowed, d.Answer)
		}
		for i := range 1000 {
			ahead := req(10 + i)
			if i%2 == 0 {
				ahead.Account = fmt.Sprint("new", i)
			}
			l.Check(monday.Add(2*time.Hour), ahead)
			l.Gates(monday.Add(2*time.Hour), ahead)
		}
		for i := range 10 {
			require.Equal(t, limiter.Later, l.Check(monday.Add(time.Hour-1), req(i)).Answer, "%s: %d was forgotten", scope, i)
		}
	}
}

// TestWhatAPolicyHasLeftIsNotForgotten takes rules away from accounts that have
// spent under them, has others come and go, and brings the rules back.
func TestWhatAPolicyHasLeftIsNotForgotten(t *testing.T) {
	t.Parallel()
	own := policy.Policy{Rules: []policy.Rule{{Name: "own", Limit: policy.SlidingWindow{Max: 100, Window: time.Second}}}}
	for _, scope := range []policy.Scope{policy.ScopeAccount, policy.ScopeRecipient} {
		before := policy.Policy{Rules: []policy.Rule{{Name: "before", Scope: scope, Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}}}}
		l, err := limiter.New(own, &limiter.Options{Seed: 1, MaxAccounts: 10})
		require.NoError(t, err)
		require.NoError(t, l.SetPolicy(monday, alice, before))
		require.Equal(t, limiter.Allowed, l.Allow(monday, of(alice)).Answer)
		require.NoError(t, l.SetPolicy(monday, alice, own))
		now := monday
		come := func() {
			for i := range 100 {
				now = now.Add(time.Second)
				require.Equal(t, limiter.Allowed, l.Allow(now, of(fmt.Sprint("b", i))).Answer)
			}
		}
		come()
		require.NoError(t, l.SetPolicy(now, alice, before))
		require.Equal(t, monday.Add(time.Hour).Sub(now), l.Allow(now, of(alice)).RetryAfter, scope)
		require.NoError(t, l.SetPolicy(now, alice, own))

		// Once the hour is over nothing is left to be kept.
		now = now.Add(time.Hour)
		come()
		require.False(t, l.State(alice).Known, scope)
	}
}

// An account with a policy of its own is not forgotten, and the policy neither.
func TestAnAccountWithItsOwnPolicyIsNotForgotten(t *testing.T) {
	t.Parallel()
	l, err := limiter.New(only(policy.SlidingWindow{Max: 9, Window: time.Second}), &limiter.Options{MaxAccounts: 1})
	require.NoError(t, err)
	own := only(policy.SlidingWindow{Max: 1, Window: time.Second})
	require.NoError(t, l.SetPolicy(monday, alice, own))
	require.Equal(t, limiter.Allowed, l.Allow(monday, of(alice)).Answer)
	later := monday.Add(time.Hour)
	require.Equal(t, limiter.Busy, l.Allow(later, of(bob)).Answer)
	require.Equal(t, own.Rules, l.PolicyOf(alice).Rules)
	require.NoError(t, l.SetPolicy(later, alice, only(policy.SlidingWindow{Max: 9, Window: time.Second})))
	require.Equal(t, limiter.Allowed, l.Allow(later.Add(time.Hour), of(bob)).Answer)
}

// TestWhatIsGivenFindsRoom keeps the accounts that were restored or have a policy of
// their own, however many, and has them leave no room for others.
func TestWhatIsGivenFindsRoom(t *testing.T) {
	t.Parallel()
	limit := policy.SlidingWindow{Max: 1, Window: time.Hour}
	from := roomFor(t, 10, -1, policy.Rule{Limit: limit})
	l := roomFor(t, 1, -1, policy.Rule{Limit: limit})
	for i := range 5 {
		account := fmt.Sprint("a", i)
		require.Equal(t, limiter.Allowed, from.Allow(monday, of(account)).Answer)
		saved, err := from.Snapshot(monday, account)
		require.NoError(t, err)
		require.NoError(t, l.Restore(monday, saved))
		own := only(limit)
		require.NoError(t, l.SetPolicy(monday, fmt.Sprint("b", i), own))
	}
	require.Equal(t, 10, l.Accounts())
	for i := range 5 {
		require.Equal(t, limiter.Later, l.Allow(monday, of(fmt.Sprint("a", i))).Answer, "it was restored")
		require.Equal(t, limiter.Allowed, l.Allow(monday, of(fmt.Sprint("b", i))).Answer, "it is known")
	}
	require.Equal(t, noRoom, l.Allow(monday, of(bob)).Gate)
	require.Equal(t, noRoom, l.Allow(monday.Add(2*time.Hour), of(bob)).Gate, "those with a policy of their own stay")
	require.LessOrEqual(t, l.Accounts(), 10)
}
