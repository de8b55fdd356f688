package queue

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A Gate is one thing that keeps a message from going on the wire now.
type Gate struct {
	// Kind says what it is.
	Kind GateKind

	// Rule is the name of the policy's rule, where Kind is GateRule, or GateCheck
	// and the rule is one on checks.
	Rule string

	// Target is what is held, where Kind is GateHold.
	Target limiter.Target

	// Ahead is how many messages are before it, where Kind is GateAhead.
	Ahead int

	// Until is when it frees. Zero: nobody knows. [Queue.ETA] may.
	Until time.Time

	// Text is the gate for people, in one line, with numbers masked.
	Text string
}

// A GateKind says what keeps a message from going.
type GateKind string

// The kinds of gates.
const (
	// GateStopped: the queue has stopped.
	GateStopped GateKind = "stopped"

	// GateInDoubt: nobody knows whether it went out; see [Queue.Resolve].
	GateInDoubt GateKind = "in_doubt"

	// GateHold: something that it is part of is held; see [Queue.Hold].
	GateHold GateKind = "hold"

	// GateOffline: its account is not connected.
	GateOffline GateKind = "offline"

	// GateAhead: others of its lane go first.
	GateAhead GateKind = "ahead"

	// GateRule: a rule of the policy.
	GateRule GateKind = "rule"

	// GateCheck: its recipient has to be verified.
	GateCheck GateKind = "check"

	// GateNotBefore: its [Message].NotBefore has not come.
	GateNotBefore GateKind = "not_before"

	// GateRetry: it was refused, and waits before it is tried again.
	GateRetry GateKind = "retry"

	// GateRamp: its account was not connected and comes back slowly; see [Ramp].
	GateRamp GateKind = "ramp"

	// GateTyping: typing is shown.
	GateTyping GateKind = "typing"

	// GateWorkers: all of [Options].Workers are busy.
	GateWorkers GateKind = "workers"
)

// Gates says everything that keeps a message from going on the wire now, first what
// frees last: what nobody knows the end of comes before what ends at a time. It is
// nil for a message that nothing keeps, that is on the wire or that is done with; one
// in doubt waits for [Queue.Resolve]. Errors: [ErrUnknownMessage], the store's. All
// may call it at once.
func (q *Queue) Gates(ctx context.Context, id string) ([]Gate, error) {
	if err := given(ctx); err != nil {
		return nil, err
	}
	r, err := q.store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	var g gates
	switch r.Status {
	case InDoubt:
		g.add(GateInDoubt, time.Time{}, "nobody knows whether it went out: it waits until it is resolved")
		return g.all, nil
	case Sending, Sent, Failed, Cancelled, Expired:
		return nil, nil
	case Queued:
	}
	now := q.clock.Now()
	if q.stopped.Load() {
		g.add(GateStopped, time.Time{}, "the queue has stopped")
	}
	if c := q.crew.Load(); c != nil && c.busy() {
		g.add(GateWorkers, time.Time{}, fmt.Sprintf("all %d workers are busy", q.options.Workers))
	}
	g.limits(q, q.lookUp(&g, &r, q.portfolioOf(r.Account), now), now)
	g.sort()
	return g.all, nil
}

// gates are those of one message.
type gates struct{ all []Gate }

func (g *gates) add(kind GateKind, until time.Time, text string) *Gate {
	g.all = append(g.all, Gate{Kind: kind, Until: until.Round(0), Text: text})
	return &g.all[len(g.all)-1]
}

// sort puts those first that free last.
func (g *gates) sort() {
	order := []GateKind{
		GateStopped, GateInDoubt, GateHold, GateOffline, GateAhead, GateRule, GateCheck,
		GateNotBefore, GateRetry, GateRamp, GateTyping, GateWorkers,
	}
	slices.SortStableFunc(g.all, func(a, b Gate) int {
		switch {
		case a.Until.IsZero() && b.Until.IsZero():
			return cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind))
		case a.Until.IsZero():
			return -1
		case b.Until.IsZero():
			return 1
		}
		return cmp.Or(b.Until.Compare(a.Until), cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)))
	})
}

// lookUp adds what a message's lane keeps it for, and returns what the message asks of
// the limiter.
func (q *Queue) lookUp(g *gates, r *Record, portfolio string, now time.Time) limiter.Request {
	s := q.shardOf(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes.find(r.Account)
	if l == nil {
		return q.requestOf(&r.Message, origin{portfolio: portfolio})
	}
	it := l.line.find(r)
	if it == nil { // it is being taken in, or done with
		return q.requestOf(&r.Message, origin{portfolio: portfolio})
	}
	g.times(it, r, now)
	if k := l.link; k != nil && k.down {
		g.add(GateOffline, time.Time{}, "the account is not connected")
	} else if opens := k.opens(); opens.After(now) {
		g.add(GateRamp, opens, "the account was not connected and comes back slowly: it waits until "+clockText(opens))
	}
	if ahead := l.ahead(it); ahead > 0 {
		g.add(GateAhead, time.Time{}, aheadText(ahead)).Ahead = ahead
	}
	g.check(q, l, it, now)
	return q.request(l.account, l.portfolio, it)
}

// ahead is how many messages of a lane go before one. One that has been typed waits for
// those that rank before it and are still being typed.
func (l *lane) ahead(it *item) (n int) {
	if it.phase.claimed() && it.phase != typing {
		return 0
	}
	for _, other := range l.claimed {
		if other != it && other.campaign != nil && (it.phase != typing || other.phase == typing && ranks(other, it)) {
			n++
		}
	}
	if it.phase != typing {
		n += l.line.before(it)
	}
	return n
}

func aheadText(n int) string {
	if n == 1 {
		return "1 message of its account goes first"
	}
	return fmt.Sprintf("%d messages of its account go first", n)
}

// times adds the times that a message waits for on its own account.
func (g *gates) times(it *item, r *Record, now time.Time) {
	if r.NotBefore.After(now) {
		g.add(GateNotBefore, r.NotBefore, "it is not to go before "+clockText(r.NotBefore))
	}
	if r.RetryAt.After(now) {
		again := r.RetryAt
		if it.phase == delayed && !it.held && !r.NotBefore.After(now) {
			again = it.until() // on a clock that was set back
		}
		g.add(GateRetry, again, fmt.Sprintf("attempt %d was refused (%s): it is tried again at %s", r.Attempts, mask.Text(r.Err), clockText(again)))
	}
	if until := it.until(); it.phase == typing && until.After(now) {
		g.add(GateTyping, until, "typing is shown until "+clockText(until))
	}
}

// check adds what the check of a recipient waits for.
func (g *gates) check(q *Queue, l *lane, it *item, now time.Time) {
	to := it.to
	if q.verifier == nil || it.verified || !isPhone(to) || it.phase.claimed() && it.phase != checking {
		return
	}
	known, ok := q.answers.of(to, now)
	if ok = ok && known.registered; ok && it.phase != parked {
		return
	}
	who := mask.Phone(to)
	if it.phase == checking {
		g.add(GateCheck, time.Time{}, who+" is being verified")
		return
	}
	if l.checks != nil {
		for _, r := range l.checks.resting {
			if r.to == to && r.failed > 0 && r.until.After(now) {
				g.add(GateCheck, r.until, fmt.Sprintf("%s could not be verified (%d times): it is tried again at %s", who, r.failed, clockText(r.until)))
				return
			}
		}
	}
	if ok { // the lane looks when it may check again
		g.add(GateCheck, time.Time{}, who+" was verified for another account")
		return
	}
	found := false
	for _, limit := range q.limiter.Gates(now, limiter.Request{Account: l.account, Action: policy.CheckNumber, Recipient: to, Portfolio: l.portfolio}) {
		if until, refuses := frees(limit, now); refuses {
			g.add(GateCheck, until, who+" is to be verified, and "+ruleText(limit, until)).Rule = limit.Rule
			found = true
		}
	}
	if !found {
		g.add(GateCheck, time.Time{}, who+" is to be verified")
	}
}

// limits adds the rules and holds that refuse what a message asks of the limiter.
func (g *gates) limits(q *Queue, req limiter.Request, now time.Time) {
	for _, limit := range q.limiter.Gates(now, req) {
		if until, refuses := frees(limit, now); refuses {
			g.add(GateRule, until, ruleText(limit, until)).Rule = limit.Rule
		}
	}
	for _, h := range q.limiter.Holds(now, req) {
		until := "until it is released"
		if !h.Until.IsZero() {
			until = "until " + clockText(h.Until)
		}
		g.add(GateHold, h.Until, fmt.Sprintf("%s: held %s (%s)", targetOf(h.Target), until, mask.Text(h.Reason))).Target = h.Target
	}
}

// frees is when a rule opens, zero where that is not known, if it refuses.
func frees(g limiter.Gate, now time.Time) (until time.Time, refuses bool) {
	switch {
	case g.Shadow, g.Answer == limiter.Allowed, g.Rule == "hold":
		return until, false
	case g.Answer == limiter.Later:
		until = now.Add(g.RetryAfter)
	}
	return until, true
}

func ruleText(g limiter.Gate, until time.Time) string {
	switch {
	case g.Answer == limiter.Never:
		return fmt.Sprintf("rule %q never allows it", g.Rule)
	case until.IsZero():
		return fmt.Sprintf("rule %q waits for what is on its way", g.Rule)
	}
	return fmt.Sprintf("rule %q (%d of %d left) opens at %s", g.Rule, g.Remaining, g.Limit, clockText(until))
}

// clockText is a time for people.
func clockText(t time.Time) string { return t.Format("2006-01-02 15:04:05 MST") }

// busy reports whether a crew has nobody who could look.
func (c *crew) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hired >= c.queue.options.Workers && len(c.resting) == 0 && !c.seeking.Load()
}
