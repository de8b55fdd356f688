package limiter_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

const group = "portfolio"

// withGroup is everyKind with rules of a portfolio.
func withGroup() policy.Policy {
	p := everyKind()
	p.Rules = append(p.Rules,
		policy.Rule{Name: "group", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 9, Window: time.Minute}},
		policy.Rule{Name: "group people", Scope: policy.ScopePortfolio, Limit: policy.UniqueRecipients{Max: 5, Window: time.Minute}},
		policy.Rule{Name: "group day", Scope: policy.ScopePortfolio, Limit: policy.CalendarWindow{Max: 50, Unit: policy.Day, Location: time.UTC}},
		policy.Rule{Name: "group bucket", Scope: policy.ScopePortfolio, Limit: policy.TokenBucket{Max: 9, Per: time.Minute, Burst: 9}},
	)
	return p
}

func to(recipient string) limiter.Request {
	return limiter.Request{
		Account: alice, Action: policy.SendMessage, Recipient: recipient, Portfolio: group, NewContact: true,
	}
}

// spent is a limiter in which alice has spent a little of everything, has a permit
// in flight, a hold, and rests of another policy.
func spent(t testing.TB, now time.Time) *limiter.Limiter {
	l := newLimiter(t, withGroup())
	held := limiter.Target{Account: alice, Recipient: "z"}
	require.NoError(t, l.Hold(now, held, now.Add(time.Hour), "for a test"))
	require.NoError(t, l.Hold(now, limiter.Target{Campaign: "c"}, now.Add(time.Hour), "for a test"))
	require.NoError(t, l.SetPolicy(now, alice, policy.Policy{Rules: []policy.Rule{
		{Name: "rest", Limit: policy.SlidingWindow{Max: 9, Window: 10 * time.Minute}},
		{Name: "pair rest", Scope: policy.ScopeRecipient, Limit: policy.SlidingWindow{Max: 9, Window: 10 * time.Minute}},
	}}))
	require.Equal(t, limiter.Allowed, l.Allow(now, to("0")).Answer)
	require.NoError(t, l.SetPolicy(now, alice, withGroup()))
	for i := range 3 {
		p, d := l.Take(now.Add(time.Duration(2*i)*time.Second), to(fmt.Sprint(i)))
		require.Equal(t, limiter.Allowed, d.Answer)
		if i < 2 {
			p.Settle(now.Add(time.Duration(2*i+1)*time.Second), limiter.Sent)
		}
	}
	return l
}

// snapshots are one of each kind.
func snapshots(t testing.TB, l *limiter.Limiter, now time.Time) map[string][]byte {
	portfolio, err := l.SnapshotPortfolio(now, group)
	require.NoError(t, err)
	holds, err := l.SnapshotHolds()
	require.NoError(t, err)
	all := map[string][]byte{"account": snapshot(t, l, now), "portfolio": portfolio, "holds": holds}
	for name, b := range all {
		require.NotEmpty(t, b, name)
	}
	return all
}

// framed is a snapshot's body in a frame that is sound.
func framed(version, kind byte, body []byte) []byte {
	b := append([]byte("wapace"), version, kind)
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

func bodyOf(snapshot []byte) []byte { return snapshot[8 : len(snapshot)-4] }

// A snapshot that is damaged anywhere, or cut off, is an error and changes nothing.
func TestBadSnapshotChangesNothing(t *testing.T) {
	t.Parallel()
	now := monday.Add(5 * time.Second)
	l := spent(t, monday)
	before := snapshots(t, l, now)
	state := l.State(alice)
	refuse := func(b []byte, says string) {
		t.Helper()
		err := l.Restore(now, b)
		require.ErrorIs(t, err, limiter.ErrSnapshot)
		require.ErrorContains(t, err, says)
	}
	for kind, b := range before {
		for i := 0; i < len(b); i += slower {
			for _, flip := range []byte{1, 0x80, 0xff} {
				bad := append([]byte{}, b...)
				bad[i] ^= flip
				refuse(bad, "limiter: bad snapshot: ")
			}
			refuse(b[:i], "limiter: bad snapshot: ")
			// Cut off, and the checksum made right: the body is found out.
			if 8 < i && i < len(b)-4 {
				refuse(framed(1, b[7], b[8:i]), "limiter: bad snapshot: ")
			}
		}
		refuse(append(append([]byte{}, b...), 0), "its checksum is wrong")
		refuse(framed(1, b[7], append(append([]byte{}, bodyOf(b)...), 0)), "1 bytes are left over")
		refuse(framed(2, b[7], bodyOf(b)), "its version is 2 and this library reads up to 1; update it")
		refuse(framed(0, b[7], bodyOf(b)), "its version is 0")
		refuse(framed(1, 'x', bodyOf(b)), "it is of kind 'x', which this library does not know")
		if kind == "account" {
			refuse(framed(1, 'p', bodyOf(b)), "limiter: bad snapshot: ")
			refuse(framed(1, 'h', bodyOf(b)), "limiter: bad snapshot: ")
		}
	}
	for _, none := range [][]byte{nil, {}} {
		refuse(none, "it does not begin as one; give what Snapshot returned")
	}
	refuse([]byte("wapace\x01a"), "it is cut off after 8 bytes")
	require.Error(t, l.Restore(time.Time{}, before["account"]))
	require.Equal(t, before, snapshots(t, l, now))
	require.Equal(t, state, l.State(alice))
	require.Equal(t, 1, l.Accounts())
}

// What a process that comes later restores has aged by as much.
func TestRestoreInALaterProcess(t *testing.T) {
	t.Parallel()
	now := monday.Add(5 * time.Second)
	l := spent(t, monday)
	all := snapshots(t, l, now)
	for _, passed := range []time.Duration{0, 1, 900 * time.Millisecond, 7 * time.Second, time.Minute, time.Hour, 30 * 24 * time.Hour} {
		later := newLimiter(t, withGroup())
		for _, b := range all {
			require.NoError(t, later.Restore(now.Add(passed), b))
		}
		for _, who := range []string{"0", "1", "9", "z"} {
			require.Equal(t, answers(l, now.Add(passed), to(who)), answers(later, now.Add(passed), to(who)), "%v to %s", passed, who)
		}
		campaign := to("1")
		campaign.Campaign = "c"
		require.Equal(t, answers(l, now.Add(passed), campaign), answers(later, now.Add(passed), campaign))
	}
}

// answers are the gates without what names the limiter.
func answers(l *limiter.Limiter, now time.Time, req limiter.Request) (said []string) {
	for _, g := range l.Gates(now, req) {
		said = append(said, fmt.Sprint(g.Rule, g.Answer, g.RetryAfter, g.Limit, g.Remaining, g.Reset, g.Reason()))
	}
	return said
}

// With the clock behind, waits start again in full and nobody waits for the time
// that the snapshot was taken at; nor where the policy is another by then.
func TestRestoreWithTheClockBehind(t *testing.T) {
	t.Parallel()
	ahead := monday.AddDate(1, 0, 0)
	for name, p := range map[string]policy.Policy{
		"same":         withGroup(),
		"without gaps": kept(withGroup(), "gap", "pause", "pair gap"),
		"standard":     policy.Standard(),
		"unlimited":    policy.Unlimited(),
	} {
		original := spent(t, ahead)
		require.NoError(t, original.SetPolicy(ahead, alice, policy.Standard()))
		require.NoError(t, original.SetPolicy(ahead, alice, withGroup()))
		all := snapshots(t, original, ahead.Add(5*time.Second))
		l := withTTL(t, p, 10*time.Second)
		delete(all, "holds") // which are meant to last until a time on the wall
		for _, b := range all {
			require.NoError(t, l.Restore(monday, b), name)
		}
		require.True(t, l.Release(monday, limiter.Target{Account: alice, Recipient: "z"}))
		sent, now := 0, monday
		for now.Before(monday.Add(10 * time.Minute)) {
			req := to(fmt.Sprint(sent % 3))
			d := l.Allow(now, req)
			if d.Answer == limiter.Allowed {
				sent++
			}
			require.LessOrEqual(t, d.RetryAfter, 2*time.Minute, "%s: %+v", name, d)
			now = now.Add(time.Second)
		}
		require.Greater(t, sent, 5, name)
	}
	// In full: what was spent a year ahead counts for a window from now on.
	original := newLimiter(t, only(policy.SlidingWindow{Max: 2, Window: time.Minute}))
	original.Allow(ahead, request(2))
	l := newLimiter(t, only(policy.SlidingWindow{Max: 2, Window: time.Minute}))
	require.NoError(t, l.Restore(monday, snapshot(t, original, ahead.Add(30*time.Second))))
	require.Equal(t, time.Minute, l.Allow(monday, request(1)).RetryAfter)
}

// Under another policy the spending is carried as by SetPolicy.
func TestRestoreUnderAnotherPolicy(t *testing.T) {
	t.Parallel()
	window := func(n int64) policy.Rule {
		return policy.Rule{Name: fmt.Sprint("w", n), Limit: policy.SlidingWindow{Max: n, Window: time.Minute}}
	}
	hour := policy.Rule{Name: "hour", Limit: policy.CalendarWindow{Max: 9, Unit: policy.Hour}}
	pause := policy.Rule{Name: "gap", Limit: policy.Gap{Min: time.Minute, Max: time.Minute, Every: 3}}
	original := newLimiter(t, policy.Policy{Rules: []policy.Rule{window(5), hour, pause}})
	for range 3 {
		require.Equal(t, limiter.Allowed, original.Allow(monday, request(1)).Answer)
	}
	b := snapshot(t, original, monday)

	l := newLimiter(t, policy.Policy{Rules: []policy.Rule{window(4)}})
	require.NoError(t, l.Restore(monday, b))
	d := l.Check(monday, request(1))
	require.Equal(t, "a pause of the policy before", d.Reason())
	require.Equal(t, time.Minute, d.RetryAfter)
	gates := l.Gates(monday, request(1))
	require.Equal(t, "w4", gates[1].Rule)
	require.Zero(t, gates[1].Remaining)
	setPolicy(t, l, monday, policy.Policy{Rules: []policy.Rule{hour}})
	require.Equal(t, int64(5), l.Gates(monday, request(1))[1].Remaining)

	// An account's own policy comes with it.
	require.NoError(t, original.SetPolicy(monday, alice, policy.Policy{Rules: []policy.Rule{window(7)}}))
	b = snapshot(t, original, monday)
	l = newLimiter(t, policy.Unlimited())
	require.NoError(t, l.Restore(monday, b))
	require.Equal(t, "w7", l.PolicyOf(alice).Rules[0].Name)
	require.Empty(t, l.PolicyOf(bob).Rules)
	require.Equal(t, b, snapshot(t, l, monday))
}

// What an account has spent since is forgotten, and permits of before settle
// nothing, in the account or in its portfolio.
func TestRestoreTakesThePlaceOfWhatThereIs(t *testing.T) {
	t.Parallel()
	now := monday.Add(5 * time.Second)
	l := spent(t, monday)
	all := snapshots(t, l, now)
	want := answers(l, now, to("1"))
	var permits []limiter.Permit
	for i := range 20 {
		req := to(fmt.Sprint(i % 4))
		req.Action = policy.CheckNumber // sends wait for the permit in flight
		p, d := l.Take(now.Add(time.Duration(i)*10*time.Second), req)
		if d.Answer == limiter.Allowed {
			permits = append(permits, p)
			if i%3 > 0 {
				p.Settle(now.Add(time.Duration(i)*10*time.Second), limiter.Sent)
			}
		}
	}
	require.NotEmpty(t, permits)
	require.NotEqual(t, want, answers(l, now, to("1")))
	for range 2 {
		for _, b := range all {
			require.NoError(t, l.Restore(now, b))
		}
		for _, p := range permits {
			p.Settle(now, limiter.Unsent)
		}
		require.Equal(t, want, answers(l, now, to("1")))
		require.Equal(t, all, snapshots(t, l, now))
	}
}

// Those in flight count as sent once their time is over.
func TestFlightsOfASnapshotRunOut(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "flights", Limit: policy.Concurrency{Max: 2}},
		{Name: "gap", Limit: policy.Gap{Min: time.Second, Max: time.Second}},
	}}
	l := newLimiter(t, p)
	l.Take(monday, request(1))
	b := snapshot(t, l, monday.Add(2*time.Second))
	l = withTTL(t, p, 10*time.Second)
	require.NoError(t, l.Restore(monday.Add(3*time.Second), b))
	require.Equal(t, limiter.Busy, l.Check(monday.Add(10*time.Second-1), request(1)).Answer)
	require.Equal(t, time.Second, l.Check(monday.Add(10*time.Second), request(1)).RetryAfter)
	require.Equal(t, limiter.Allowed, l.Allow(monday.Add(11*time.Second), request(1)).Answer)

	// Their time starts again where the clock is behind.
	l = withTTL(t, p, 10*time.Second)
	require.NoError(t, l.Restore(monday.AddDate(-1, 0, 0), b))
	require.Equal(t, limiter.Allowed, l.Check(monday.AddDate(-1, 0, 0).Add(11*time.Second), request(1)).Answer)
}

func TestSnapshotOfWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, withGroup())
	require.Nil(t, snapshot(t, l, monday))
	require.Nil(t, portfolioOf(t, l))
	b, err := l.SnapshotHolds()
	require.NoError(t, err)
	require.Nil(t, b)
	_, err = l.Snapshot(time.Time{}, alice)
	require.ErrorContains(t, err, "use a time of the years 1678 to 2261")
	_, err = l.SnapshotPortfolio(time.Time{}, group)
	require.ErrorContains(t, err, "use a time of the years 1678 to 2261")
	require.Zero(t, l.Accounts())

	// Of one who is held and has done nothing there is something to say, and nothing
	// to remember.
	require.NoError(t, l.Hold(monday, limiter.Target{Account: alice}, monday.Add(time.Hour), "for a test"))
	held := snapshot(t, l, monday)
	require.Zero(t, l.Accounts())
	again := newLimiter(t, withGroup())
	require.NoError(t, again.Restore(monday, held))
	require.Equal(t, time.Hour, again.Check(monday, to("r")).RetryAfter)
	require.Equal(t, limiter.Allowed, again.Check(monday.Add(time.Hour), to("r")).Answer)

	l = newLimiter(t, only(policy.CalendarWindow{Max: 1, Unit: policy.Day, Location: time.FixedZone("", 3600)}))
	l.Allow(monday, request(1))
	_, err = l.Snapshot(monday, alice)
	require.ErrorContains(t, err, "limiter: snapshot: ")
}

// FuzzRestore reads bodies in frames that are sound. What is read answers, at any time;
// the rest is an error that changes nothing.
func FuzzRestore(f *testing.F) {
	l := spent(f, monday)
	for _, b := range snapshots(f, l, monday.Add(5*time.Second)) {
		f.Add(b[7], bodyOf(b))
	}
	small := newLimiter(f, only(policy.TokenBucket{Max: 3, Per: time.Minute, Burst: 2}))
	small.Take(monday, request(1))
	f.Add(byte('a'), bodyOf(snapshot(f, small, monday)))
	f.Add(byte('a'), bodyOf(snapshot(f, newStandard(f), monday)))
	first, last := time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2261, 12, 31, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		l := withTTL(t, withGroup(), time.Minute)
		l.Allow(monday, to("before"))
		before := snapshot(t, l, monday)
		b := framed(1, kind, body)
		if err := l.Restore(monday, b); err != nil {
			require.Equal(t, before, snapshot(t, l, monday))
			return
		}
		key := alice
		if n, size := binary.Uvarint(body); size > 0 && kind == 'a' {
			key = string(body[size : size+int(n)])
		}
		for _, now := range []time.Time{monday, monday.Add(time.Minute), monday.AddDate(-3, 0, 0), monday.AddDate(9, 0, 0), first, last} {
			for _, who := range []string{"0", "9"} {
				req := to(who)
				req.Account = key
				if kind == 'p' {
					req.Portfolio = key
				}
				l.Check(now, req)
				l.Gates(now, req)
				p, _ := l.Take(now, req)
				l.Allow(now, req)
				p.Settle(now, limiter.Unsent)
			}
			again, err := l.Snapshot(now, key)
			require.NoError(t, err, "what was restored cannot be saved")
			require.NoError(t, newLimiter(t, withGroup()).Restore(now, again), "what was saved cannot be restored")
			require.NoError(t, l.SetPolicy(now, key, policy.Standard()))
		}
	})
}

func newStandard(t testing.TB) *limiter.Limiter {
	l := newLimiter(t, policy.Unlimited())
	require.NoError(t, l.SetPolicy(monday, alice, policy.Standard()))
	l.Take(monday, request(1))
	return l
}
