package queue_test

import (
	"slices"
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// A sway is a policy that an account was put under while it sent.
type sway struct {
	account string
	policy  policy.Policy
	at      time.Time
	call    int // the first one in the ledger after it
}

// sway is other code that changes the policy of an account.
func (l *life) sway() {
	w := l.world
	if !w.shared || !w.oneIn(4) {
		return
	}
	account := pick(w, w.accounts...)
	p := pick(w, policy.Standard(), policy.Strict(), rules(policy.Gap{Min: 3 * time.Second, Max: 5 * time.Second}, policy.SlidingWindow{Max: 4, Window: 2 * time.Minute}))
	err := w.limiter.SetPolicy(w.clock.Now(), account, p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tracef("%s is under %q: %v", account, p.Slug, err)
	if err != nil {
		w.faultf("SetPolicy: %v", err)
		return
	}
	w.swayed[account] = true
	w.sways = append(w.sways, sway{account, p, w.now(), len(w.ledger)})
}

// auditSways holds that accounts whose policy was changed have kept each one for as long
// as they were under it, and returns the calls of the others. What was spent before is
// carried on by meaning, so only what came after is held against it; how many sends
// came since the last longer pause is not known. It requires w.mu.
func (w *world) auditSways() (others []queuetest.Call) {
	if len(w.sways) == 0 {
		return w.ledger
	}
	under := map[string]policy.Policy{}
	from := map[string]int{}
	check := func(account string, to int) {
		p, swayed := under[account]
		if !swayed {
			p = w.policy
		}
		if w.trembles {
			p = passing(p)
		}
		p.Rules = slices.DeleteFunc(slices.Clone(p.Rules), func(r policy.Rule) bool {
			g, ok := r.Limit.(policy.Gap)
			return ok && g.Period() > 1
		})
		var calls []queuetest.Call
		for _, c := range w.ledger[from[account]:to] {
			if c.Account == account {
				calls = append(calls, c)
			}
		}
		for _, v := range queuetest.Audit(p, calls) {
			w.faultf("the policy of %s is broken: %v", account, v)
		}
		from[account] = to
	}
	for _, s := range w.sways {
		check(s.account, s.call)
		under[s.account] = s.policy
	}
	for account := range w.swayed {
		check(account, len(w.ledger))
	}
	for _, c := range w.ledger {
		if !w.swayed[c.Account] {
			others = append(others, c)
		}
	}
	return others
}
