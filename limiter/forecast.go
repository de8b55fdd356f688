package limiter

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/wapace/wapace/policy"
)

// mostForecast is the most messages that one forecast sends.
const mostForecast = 10_000_000

// Forecast is how long n messages take under a policy, each sent to another
// recipient as soon as the rules allow it, in no time, from start on. They are sent
// on a limiter with this seed, so one that sends does the same to the nanosecond.
// Zero means a secret seed, as in [Options].
//
// Pauses depend on the account: this one is 447700900000, of the portfolio
// "portfolio", and nobody is a new contact to it. [Limiter.Forecast] is for others.
//
// n is at most 10,000,000; none is none. Errors: a policy that is not valid, a
// negative or larger n, a start outside the years 1678 to 2261.
func Forecast(p policy.Policy, n int, start time.Time, seed uint64) (*Projection, error) {
	l, err := New(p, &Options{Seed: seed})
	if err != nil {
		return nil, err
	}
	return l.Forecast(start, Request{Account: "447700900000", Action: policy.SendMessage, Portfolio: "portfolio"}, n)
}

// Forecast is how long n requests like req take from now on, as the account, its
// holds and its portfolio stand, if nothing else is asked for meanwhile: each is
// made as soon as it is allowed, ends as it begins, and goes to a recipient of its
// own where req names none. Permits in flight stay so until Options.PermitTTL. It
// works on a copy and takes nothing; the days are those of now's time zone.
//
// n is at most 10,000,000; none is none. Errors: a request that cannot be, as
// [Decision.Err] says it; a negative or larger n; what [Limiter.Snapshot] finds.
func (l *Limiter) Forecast(now time.Time, req Request, n int) (*Projection, error) {
	if n < 0 || n > mostForecast {
		return nil, fmt.Errorf("limiter: forecast of %d messages: use 0 to %d", n, mostForecast)
	}
	if d := l.Check(now, req.to(1)); d.problem != nil {
		return nil, d.problem
	}
	now = now.Round(0)
	future, err := l.Fork(now, req.Account, req.Portfolio)
	if err != nil {
		return nil, err
	}
	p := l.PolicyOf(req.Account)
	c := newCourse(now, n, p.Slug)
	shuts := slices.ContainsFunc(p.Rules, shutsAgain)
	for c.found.Sent < n {
		next := req.to(c.found.Sent + 1)
		d := future.Allow(c.now, next)
		if d.Answer == Allowed {
			c.sent()
			continue
		}
		free, ok := future.frees(c.now, req.Account, d)
		if !ok {
			c.stop(d.Rule)
			break
		}
		for shuts && d.Answer == Later && c.now.Before(free) {
			g := future.Gates(c.now, next)[0]
			if g.Answer != Later || !c.now.Add(g.RetryAfter).Before(free) {
				d.Rule = g.Rule
				break
			}
			c.wait(c.now.Add(g.RetryAfter), g.Rule)
		}
		c.wait(free, d.Rule)
	}
	return c.found, nil
}

// shutsAgain reports whether a rule can refuse later what it allows now. Then a wait
// may be that of one rule after the other.
func shutsAgain(r policy.Rule) bool {
	switch r.Limit.(type) {
	case policy.ActiveHours, policy.UniqueRecipients:
		return true
	default:
		return false
	}
}

// frees is when to ask again after a refusal at now, if that is before the end of
// the years that a request may have.
func (l *Limiter) frees(now time.Time, account string, d Decision) (free time.Time, ok bool) {
	wait := d.RetryAfter
	switch d.Answer {
	case Never:
		return free, false
	case Busy: // until a permit runs out: nobody settles one
		wait = max(l.lapses(now, account), 1)
	default:
	}
	free = now.Add(wait)
	return free, wait != never && l.instant(free).known()
}

// to is the request to the n-th recipient.
func (r Request) to(n int) Request {
	if r.Recipient == "" {
		r.Recipient = strconv.Itoa(n)
	}
	return r
}

// A course is a forecast under way.
type course struct {
	now   time.Time
	ends  time.Time // the day that now is in
	found *Projection
}

func newCourse(now time.Time, n int, slug string) *course {
	c := &course{now: now, found: &Projection{Policy: slug, Asked: n, Start: now}}
	c.open()
	return c
}

// open begins the day that now is in.
func (c *course) open() {
	today := firstDate(policy.Day, c.now)
	c.found.Days = append(c.found.Days, Day{Date: today})
	for c.ends = c.now; !c.ends.After(c.now); {
		today = nextDate(policy.Day, today)
		c.ends = dateStart(c.now.Location(), today).In(c.now.Location())
	}
}

func (c *course) today() *Day { return &c.found.Days[len(c.found.Days)-1] }

func (c *course) sent() {
	day := c.today()
	if day.Sent == 0 {
		day.First = c.now
	}
	day.Last, c.found.End = c.now, c.now
	day.Sent++
	c.found.Sent++
}

// stop ends the forecast for a rule that lets no more through.
func (c *course) stop(rule string) {
	c.found.StoppedBy = rule
	c.today().hold(rule, 0)
}

// wait passes the time until next, for which the rule holds the message, and gives
// each day its part.
func (c *course) wait(next time.Time, rule string) {
	for !next.Before(c.ends) {
		c.today().hold(rule, c.ends.Sub(c.now))
		c.now = c.ends
		c.open()
	}
	if next.After(c.now) {
		c.today().hold(rule, next.Sub(c.now))
		c.now = next
	}
}
