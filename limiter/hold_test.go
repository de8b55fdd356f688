package limiter_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func hold(t require.TestingT, l *limiter.Limiter, now time.Time, target limiter.Target, lasts time.Duration) {
	require.NoError(t, l.Hold(now, target, now.Add(lasts), "for a test"))
}

func TestHoldsStopWhatTheyName(t *testing.T) {
	t.Parallel()
	requests := map[string]limiter.Request{
		"plain":        {Account: alice},
		"to r":         {Account: alice, Recipient: "r"},
		"to s":         {Account: alice, Recipient: "s"},
		"of c":         {Account: alice, Campaign: "c"},
		"of d":         {Account: alice, Campaign: "d"},
		"new":          {Account: alice, Recipient: "n", NewContact: true},
		"all":          {Account: alice, Recipient: "r", Campaign: "c", NewContact: true},
		"bob":          {Account: bob},
		"bob's to r":   {Account: bob, Recipient: "r"},
		"bob's of c":   {Account: bob, Campaign: "c"},
		"bob's new":    {Account: bob, Recipient: "n", NewContact: true},
		"r as account": {Account: "r"},
		"c to c":       {Account: "c", Recipient: "c"},
	}
	for _, tt := range []struct {
		target limiter.Target
		stops  string
	}{
		{limiter.Target{}, "plain, to r, to s, of c, of d, new, all, bob, bob's to r, bob's of c, bob's new, r as account, c to c"},
		{limiter.Target{Account: alice}, "plain, to r, to s, of c, of d, new, all"},
		{limiter.Target{Recipient: "r"}, "to r, all, bob's to r"},
		{limiter.Target{Account: alice, Recipient: "r"}, "to r, all"},
		{limiter.Target{Campaign: "c"}, "of c, all, bob's of c"},
		{limiter.Target{Account: bob, Campaign: "c"}, "bob's of c"},
		{limiter.Target{NewContacts: true}, "new, all, bob's new"},
		{limiter.Target{Account: alice, NewContacts: true}, "new, all"},
		{limiter.Target{Account: "nobody"}, ""},
	} {
		for _, p := range []policy.Policy{policy.Unlimited(), only(policy.SlidingWindow{Max: 9, Window: time.Hour})} {
			l := newLimiter(t, p)
			hold(t, l, monday, tt.target, time.Hour)
			for name, req := range requests {
				req.Action = policy.SendMessage
				stopped := strings.Contains(", "+tt.stops+", ", ", "+name+", ")
				d := l.Check(monday, req)
				require.Equal(t, d, l.Allow(monday, req))
				require.Equal(t, stopped, d.Rule == "hold", "%+v: %s", tt.target, name)
				if !stopped {
					require.Equal(t, limiter.Allowed, d.Answer)
					require.Empty(t, d.Reason())
					continue
				}
				require.Equal(t, limiter.Later, d.Answer)
				require.Equal(t, time.Hour, d.RetryAfter)
				require.Equal(t, "for a test", d.Reason())
				require.Equal(t, "hold", l.Gates(monday, req)[0].Rule)
				require.Equal(t, "for a test", l.Gates(monday, req)[0].Reason())
				require.EqualError(t, d.Err(), "limiter: held (for a test): try again in 1h0m0s")
				require.ErrorIs(t, d.Err(), limiter.ErrRefused)
				require.NotEqual(t, limiter.Allowed, l.Check(monday.Add(time.Hour-1), req).Answer)
				require.Equal(t, limiter.Allowed, l.Check(monday.Add(time.Hour), req).Answer)
			}
		}
	}
}

// targets are one of each form.
func targets() []limiter.Target {
	return []limiter.Target{
		{}, {Account: alice}, {Recipient: "r"}, {Campaign: "c"}, {NewContacts: true},
		{Account: alice, Recipient: "r"}, {Account: alice, Campaign: "c"}, {Account: alice, NewContacts: true},
	}
}

// allOf is a request that each of the targets stops.
func allOf() limiter.Request {
	return limiter.Request{Account: alice, Action: policy.SendMessage, Recipient: "r", Campaign: "c", NewContact: true}
}

func TestHoldsOnlyMoveForward(t *testing.T) {
	t.Parallel()
	for _, target := range targets() {
		l := newLimiter(t, policy.Unlimited())
		wants := func(until time.Duration, reason string) {
			t.Helper()
			d := l.Check(monday, allOf())
			require.Equal(t, until, d.RetryAfter, "%+v", target)
			require.Equal(t, reason, d.Reason(), "%+v", target)
		}
		until := func(d time.Duration, reason string) {
			t.Helper()
			require.NoError(t, l.Hold(monday, target, monday.Add(d), reason))
		}
		until(time.Hour, "first")
		wants(time.Hour, "first")
		until(time.Minute, "shorter")
		wants(time.Hour, "first")
		until(time.Hour, "as long")
		wants(time.Hour, "first")
		until(2*time.Hour, "longer")
		wants(2*time.Hour, "longer")

		require.NoError(t, l.Hold(monday, target, time.Time{}, "for good"))
		until(1000*time.Hour, "not for good")
		d := l.Check(monday.AddDate(100, 0, 0), allOf())
		require.Equal(t, limiter.Busy, d.Answer)
		require.Equal(t, "for good", d.Reason())
		require.EqualError(t, d.Err(), "limiter: held (for good): wait until it is released")

		require.True(t, l.Release(monday, target))
		require.Equal(t, limiter.Allowed, l.Check(monday, allOf()).Answer)
		until(time.Minute, "again")
		wants(time.Minute, "again")
	}
}

func TestReleaseLiftsByExactNameOnly(t *testing.T) {
	t.Parallel()
	for _, held := range targets() {
		l := newLimiter(t, policy.Unlimited())
		hold(t, l, monday, held, time.Hour)
		for _, other := range targets() {
			if other != held {
				require.False(t, l.Release(monday, other), "%+v for %+v", other, held)
			}
		}
		require.Equal(t, limiter.Later, l.Check(monday, allOf()).Answer)
		require.True(t, l.Release(monday, held))
		require.False(t, l.Release(monday, held))
		require.Equal(t, limiter.Allowed, l.Check(monday, allOf()).Answer)

		hold(t, l, monday, held, time.Minute)
		require.False(t, l.Release(monday.Add(time.Minute), held), "it was over")
	}
	// The one that ends last binds, and the others stay.
	l := newLimiter(t, policy.Unlimited())
	for i, target := range targets() {
		hold(t, l, monday, target, time.Duration(i+1)*time.Hour)
	}
	for i := len(targets()) - 1; i >= 0; i-- {
		require.Equal(t, time.Duration(i+1)*time.Hour, l.Check(monday, allOf()).RetryAfter)
		require.True(t, l.Release(monday, targets()[i]))
	}
	require.Equal(t, limiter.Allowed, l.Check(monday, allOf()).Answer)
}

func TestBadHoldsAreNamedAndHoldNothing(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Unlimited())
	later := monday.Add(time.Hour)
	for _, tt := range []struct {
		target limiter.Target
		until  time.Time
		reason string
		field  string
		want   string
	}{
		{limiter.Target{}, monday, "why", "until", "limiter: hold: until 2026-01-05T08:00:00Z: use a time after now, or the zero time to hold until released"},
		{limiter.Target{}, monday.Add(-1), "why", "until", "limiter: hold: until 2026-01-05T07:59:59.999999999Z: use a time after now, or the zero time to hold until released"},
		{limiter.Target{}, later, "", "reason", `limiter: hold: reason "": say why, for whoever asks what it waits for`},
		{limiter.Target{Recipient: "r", Campaign: "c"}, later, "why", "target", "limiter: hold: target with 2 fields: name a recipient, a campaign or new contacts; hold each by itself"},
		{limiter.Target{Account: alice, Recipient: "r", NewContacts: true}, later, "why", "target", "limiter: hold: target with 2 fields: name a recipient, a campaign or new contacts; hold each by itself"},
		{limiter.Target{Recipient: "r", Campaign: "c", NewContacts: true}, later, "why", "target", "limiter: hold: target with 3 fields: name a recipient, a campaign or new contacts; hold each by itself"},
		{limiter.Target{Account: "a\x00b"}, later, "why", "account", "leave NUL bytes out"},
		{limiter.Target{Recipient: "\x00"}, later, "why", "recipient", "leave NUL bytes out"},
		{limiter.Target{Campaign: strings.Repeat("c", limiter.MaxKey+1)}, later, "why", "campaign", "use at most 256 bytes, not 257"},
		{limiter.Target{Account: strings.Repeat("4", 1<<20)}, later, "why", "account", "use at most 256 bytes, not 1048576"},
		{limiter.Target{Recipient: "447700900001" + strings.Repeat("x", 1<<20)}, later, "why", "recipient", "4477"},
	} {
		err := l.Hold(monday, tt.target, tt.until, tt.reason)
		require.ErrorIs(t, err, limiter.ErrHold)
		require.ErrorContains(t, err, tt.want)
		require.Less(t, len(err.Error()), 300)
		require.NotContains(t, err.Error(), "447700900001")
		var bad *limiter.HoldError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, tt.field, bad.Field)
		require.NotEmpty(t, bad.Remedy)
	}
	b, err := l.SnapshotHolds()
	require.NoError(t, err)
	require.Nil(t, b)
	require.Equal(t, limiter.Allowed, l.Check(monday, allOf()).Answer)

	// A reason is for people; a long one, or a number in it, is not repeated whole.
	long := "ask 447700900001 " + strings.Repeat("why ", 1<<18)
	require.NoError(t, l.Hold(monday, limiter.Target{}, later, long))
	d := l.Check(monday, allOf())
	require.Equal(t, long, d.Reason())
	require.Less(t, len(d.Err().Error()), 1000)
	require.NotContains(t, d.Err().Error(), "447700900001")
}

// With other rules a hold waits for the later of them; the rules with their own
// exact time.
func TestHoldsAndOtherRules(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{
		{Name: "window", Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}},
		{Name: "hours", Limit: policy.ActiveHours{From: 7 * time.Hour, To: 12 * time.Hour, Location: time.UTC}},
	}})
	ask := func(rule string, wait time.Duration) {
		t.Helper()
		d := l.Check(monday, request(1))
		require.Equal(t, limiter.Later, d.Answer)
		require.Equal(t, rule, d.Rule)
		require.Equal(t, wait, d.RetryAfter)
		require.NotEqual(t, limiter.Allowed, l.Check(monday.Add(wait-1), request(1)).Answer)
		require.Equal(t, limiter.Allowed, l.Check(monday.Add(wait), request(1)).Answer)
	}
	hold(t, l, monday, limiter.Target{Account: alice}, time.Minute)
	ask("hold", time.Minute)
	require.Len(t, l.Gates(monday.Add(time.Minute-1), request(1)), 3)
	require.Len(t, l.Gates(monday.Add(time.Minute), request(1)), 2, "a hold that is over is no gate")
	hold(t, l, monday, limiter.Target{Account: alice}, 3*time.Hour)
	ask("hold", 3*time.Hour)
	// It ends when the hours are over: they open again the next morning.
	hold(t, l, monday, limiter.Target{Account: alice}, 5*time.Hour)
	ask("hours", 23*time.Hour)
	require.True(t, l.Release(monday, limiter.Target{Account: alice}))
	require.Equal(t, limiter.Allowed, l.Allow(monday, request(1)).Answer)
	ask("window", time.Hour)
	hold(t, l, monday, limiter.Target{}, 30*time.Minute)
	ask("window", time.Hour)

	// Until it is released, with the rules' own wait as the least.
	require.NoError(t, l.Hold(monday, limiter.Target{}, time.Time{}, "why"))
	d := l.Check(monday, request(1))
	require.Equal(t, limiter.Busy, d.Answer)
	require.Equal(t, time.Hour, d.RetryAfter)
	// No waiting helps beats any hold.
	require.Equal(t, limiter.Never, l.Check(monday, request(2)).Answer)
}

// A hold follows the wall clock: it lasts until its time is shown.
func TestHoldsFollowTheWallClock(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Unlimited())
	now := steady()
	hold(t, l, now, limiter.Target{Account: alice}, time.Hour)
	require.Equal(t, 2*time.Hour, l.Check(setWall(now, -time.Hour), request(1)).RetryAfter)
	require.Equal(t, limiter.Allowed, l.Check(setWall(now, time.Hour), request(1)).Answer)
}

func TestHoldsSurviveARestart(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Unlimited())
	for i, target := range targets() {
		hold(t, l, monday, target, time.Duration(i+1)*time.Hour)
	}
	require.NoError(t, l.Hold(monday, limiter.Target{Account: alice, Campaign: "for good"}, time.Time{}, "why"))
	later := newLimiter(t, policy.Unlimited())
	hold(t, later, monday, limiter.Target{Account: alice, NewContacts: true}, 99*time.Hour)
	global, err := l.SnapshotHolds()
	require.NoError(t, err)
	for _, b := range [][]byte{global, snapshot(t, l, monday)} {
		require.NoError(t, later.Restore(monday.Add(time.Minute), b))
		require.NoError(t, later.Restore(monday.Add(time.Minute), b))
	}
	now := monday.Add(time.Minute)
	good := request(1)
	good.Campaign = "for good"
	require.Equal(t, limiter.Busy, later.Check(now, good).Answer)
	require.Equal(t, 99*time.Hour-time.Minute, later.Check(now, allOf()).RetryAfter, "the longer one stays")
	require.True(t, later.Release(now, targets()[7]))
	for i := len(targets()) - 2; i >= 0; i-- {
		d := later.Check(now, allOf())
		require.Equal(t, time.Duration(i+1)*time.Hour-time.Minute, d.RetryAfter)
		require.Equal(t, "for a test", d.Reason())
		require.True(t, later.Release(now, targets()[i]))
	}
	require.Equal(t, limiter.Allowed, later.Check(now, allOf()).Answer)
}

// Holds that are long over are forgotten as new ones come.
func TestHoldsThatAreOverAreForgotten(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Unlimited())
	for i := range 20_000 {
		hold(t, l, monday.Add(time.Duration(i)*time.Hour), limiter.Target{Account: alice, Campaign: fmt.Sprint(i)}, time.Minute)
	}
	require.Less(t, len(snapshot(t, l, monday)), 40_000)
}

//nolint:paralleltest // AllocsPerRun counts what other tests allocate too
func TestHoldsCostNothing(t *testing.T) {
	l := newLimiter(t, only(policy.TokenBucket{Max: 1e9, Per: time.Second, Burst: 1e6}))
	now := monday
	ask := func() {
		now = now.Add(time.Millisecond)
		l.Allow(now, allOf())
		l.Check(now, allOf())
	}
	ask()
	require.Zero(t, testing.AllocsPerRun(500, ask), "none there")
	for _, target := range targets() {
		hold(t, l, now, target, time.Hour)
	}
	require.Zero(t, testing.AllocsPerRun(500, ask), "some there")
}

func TestHoldReleaseAndTakeAtOnce(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, policy.Standard())
	all := targets()
	crowd(func(caller int) {
		for i := range 60 {
			target := all[(caller+i)%len(all)]
			switch caller % 4 {
			case 0:
				hold(t, l, monday, target, time.Hour+time.Duration(i))
			case 1:
				l.Release(monday, target)
			case 2:
				p, d := l.Take(monday, allOf())
				if d.Answer == limiter.Later && d.Rule == "hold" && d.Reason() != "for a test" {
					t.Errorf("%+v", d)
				}
				p.Settle(monday, limiter.Unsent)
			default:
				if _, err := l.SnapshotHolds(); err != nil {
					t.Error(err)
				}
				l.Gates(monday, allOf())
			}
		}
	})
	for _, target := range all {
		l.Release(monday, target)
	}
	require.Equal(t, limiter.Allowed, l.Check(monday, allOf()).Answer)
	b, err := l.SnapshotHolds()
	require.NoError(t, err)
	require.Nil(t, b)
}

// Who waits behind a hold goes when the last one that holds it is released.
func TestWaitGoesWhenTheLastHoldIsReleased(t *testing.T) {
	t.Parallel()
	for _, target := range targets() {
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(t, policy.Unlimited())
			q := newQueue(t, l)
			require.NoError(t, l.Hold(time.Now(), target, time.Time{}, "why"))
			hold(t, l, time.Now(), limiter.Target{Account: alice, Recipient: "r"}, 10*time.Second)
			hold(t, l, time.Now(), limiter.Target{}, 8*time.Second)
			q.join("held", allOf())
			q.after(5 * time.Second)
			q.nobody()
			require.True(t, l.Release(time.Now(), target))
			want := 10 * time.Second
			if target == (limiter.Target{Account: alice, Recipient: "r"}) {
				want = 8 * time.Second
			}
			q.want("held", want)
		})
	}
}
