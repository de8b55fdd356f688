package queue

import (
	"math"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A dawn is an instant from which on all futures of a march are alike: a day's messages
// were sent long before, whatever the calls of the sender took, and the next one waits
// for the new day. What the rules have counted before then is forgotten by it, or is as
// many in each future.
type dawn struct {
	next   int // of the order, that goes first then
	at     time.Time
	stands limiter.Checkpoint
	tempo  tempo
}

// nights says which waits of a march end at a dawn.
type nights struct {
	rule   string        // the cap of a day
	most   int           // how many messages a day has at most
	memory time.Duration // how long a send is remembered by the other rules
	last   time.Time     // of the dawns; the start before the first
	days   int           // how many there were
	calls  int           // that began before the last
}

// nightsOf is the nights under a policy, nil where its days are not alike in all
// futures.
func nightsOf(p *policy.Policy, start time.Time) *nights {
	n := &nights{last: start}
	var where *time.Location
	for _, r := range p.Rules {
		if r.Shadow || !r.Covers(policy.SendMessage) {
			continue
		}
		memory := time.Duration(0)
		switch l := r.Limit.(type) {
		case policy.CalendarWindow:
			if where != nil && where != l.Location || n.rule != "" && l.Unit == policy.Day {
				return nil
			}
			if where = l.Location; l.Unit == policy.Day {
				n.rule, n.most = r.Name, int(min(l.Max, math.MaxInt32))
			}
		case policy.Gap:
			memory = l.Max
		case policy.SlidingWindow:
			memory = l.Window
		case policy.TokenBucket:
			memory = time.Duration(min(float64(l.Per)*float64(max(l.Burst, 1))/float64(max(l.Max, 1)), math.MaxInt64/2))
		case policy.UniqueRecipients:
			memory = l.Window
		case policy.NewContacts:
			memory = l.Window
		case policy.Concurrency:
		default:
			return nil
		}
		n.memory = max(n.memory, memory)
	}
	if n.rule == "" {
		return nil
	}
	return n
}

// see notes the dawn at which a wait of the likely future ends that a message of the
// order has from now on, if it is one. left is how many messages follow.
func (n *nights) see(d limiter.Decision, now time.Time, left int, t *tempo) (found bool) {
	if d.Rule != n.rule || d.Answer != limiter.Later {
		return false
	}
	at := now.Add(d.RetryAfter)
	longest := 23 * time.Hour // no day is shorter
	if n.days > 0 {
		longest = 25 * time.Hour
	}
	calls := float64(t.calls - n.calls + 1)
	late := seconds(reach * math.Sqrt(t.sends.each*calls+t.sends.doubt*calls*calls))
	if at.Sub(n.last) > longest || d.RetryAfter < late || d.RetryAfter-late < n.memory {
		n.rule = "" // from here on the days are not alike
		return false
	}
	n.last, n.calls = at, t.calls
	n.days++
	return left <= n.most
}
