package limiter_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A trace is a random history as data: what was done with a limiter, in order. It
// can be played, cut down and printed.
type trace struct {
	start    time.Time
	clock    clockwise
	ttl      time.Duration // of permits; negative: for ever
	most     int           // the accounts that there is room for; 0: any number
	policies []policy.Policy
	acts     []act
}

// A clockwise says how the clock of a trace goes.
type clockwise uint8

const (
	forward   clockwise = iota // never back
	setBack                    // by hours, now and then
	trembling                  // by less than a second
)

// An act is one thing that is done after some time has passed.
type act struct {
	verb    verb
	pass    pass
	by      time.Duration // how long, where pass does not say
	req     limiter.Request
	n       int // which policy, permit or snapshot
	outcome limiter.Outcome
	target  limiter.Target
}

type verb uint8

const (
	doTake verb = iota
	doAllow
	doSettle
	doSet
	doHold
	doRelease
	doKeep    // takes snapshots of the account and the portfolio
	doRestore // of one of the two of a time
	doRestart // restores everything in a new limiter
	verbs
)

func (v verb) String() string {
	return [...]string{"take", "allow", "settle", "set", "hold", "release", "keep", "restore", "restart"}[v]
}

// A pass is how much time passes.
type pass uint8

const (
	byItself pass = iota // by what the act says
	asTold               // until what was refused last may go
	nearly               // a nanosecond less
)

// String is the trace as it is read best, an act a line.
func (tr *trace) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "start %s, clock %d, permits run out after %v, room for %d\n", tr.start.Format(time.RFC3339Nano), tr.clock, tr.ttl, tr.most)
	for i, p := range tr.policies {
		fmt.Fprintf(&b, "policy %d\n", i)
		for _, r := range p.Rules {
			fmt.Fprintf(&b, "\t%q %v %s shadow=%v %T%+v\n", r.Name, r.Actions, r.Scope, r.Shadow, r.Limit, r.Limit)
		}
	}
	for i, a := range tr.acts {
		fmt.Fprintf(&b, "%3d %s\n", i, a)
	}
	return b.String()
}

func (a act) String() string {
	when := a.by.String() + " later"
	switch a.pass {
	case asTold:
		when = "as told"
	case nearly:
		when = "1ns before the time told"
	case byItself:
	}
	what := ""
	switch a.verb {
	case doTake, doAllow:
		what = fmt.Sprintf("%+v", a.req)
	case doSettle:
		what = fmt.Sprintf("permit %d as %v", a.n, a.outcome)
	case doSet:
		what = fmt.Sprintf("%s to policy %d", a.req.Account, a.n)
	case doHold:
		what = fmt.Sprintf("%+v for %v", a.target, time.Duration(a.n)*time.Second)
	case doRelease:
		what = fmt.Sprintf("%+v", a.target)
	case doKeep:
		what = a.req.Account + ", " + a.req.Portfolio
	case doRestore:
		what = fmt.Sprintf("snapshot %d", a.n)
	case doRestart, verbs:
	}
	return fmt.Sprintf("%-26s %-7v %s", when+":", a.verb, what)
}

// smallest is a trace that fails as this one does, from which nothing can be left
// out.
func (tr *trace) smallest(fails func(*trace) bool) *trace {
	best := *tr
	try := func(next trace) bool {
		if !fails(&next) {
			return false
		}
		best = next
		return true
	}
	for smaller := true; smaller; {
		smaller = false
		for size := len(best.acts); size > 0; size /= 2 {
			for i := 0; i+size <= len(best.acts); {
				next := best
				next.acts = append(append([]act(nil), best.acts[:i]...), best.acts[i+size:]...)
				if try(next) {
					smaller = true
				} else {
					i++
				}
			}
		}
		for i := range best.policies {
			for k := 0; k < len(best.policies[i].Rules); {
				next := best
				next.policies = append([]policy.Policy(nil), best.policies...)
				rules := best.policies[i].Rules
				next.policies[i].Rules = append(append([]policy.Rule(nil), rules[:k]...), rules[k+1:]...)
				if try(next) {
					smaller = true
				} else {
					k++
				}
			}
		}
	}
	return &best
}
