package limiter

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wapace/wapace/policy"
)

// plans are the policies that accounts of a limiter have been given, the
// limiter's own first. Equal ones share a plan.
type plans struct {
	all   atomic.Pointer[[]*plan]
	mu    sync.Mutex
	known map[string]uint16
}

// mostPlans is how many different policies a limiter can tell apart.
const mostPlans = math.MaxUint16

// numbered is the plan with a number.
func (p *plans) numbered(n uint16) *plan { return (*p.all.Load())[n] }

// number is the number of the plan of a policy, which is made where there is none
// yet. The policy must be valid.
func (p *plans) number(pol policy.Policy) (uint16, error) {
	alike := fingerprint(pol)
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, ok := p.known[alike]; ok {
		return n, nil
	}
	var all []*plan
	if old := p.all.Load(); old != nil {
		all = *old
	}
	if len(all) >= mostPlans {
		return 0, fmt.Errorf("limiter: policy %q: accounts have %d different policies already; share them", pol.Slug, len(all))
	}
	n := uint16(len(all))
	more := append(all[:n:n], newPlan(pol))
	if p.known == nil {
		p.known = make(map[string]uint16)
	}
	p.known[alike] = n
	p.all.Store(&more)
	return n, nil
}

// fingerprint is the same for policies that decide alike.
func fingerprint(p policy.Policy) string {
	var b strings.Builder
	for _, r := range p.Rules {
		fmt.Fprintf(&b, "%q %q %q %v ", r.Name, r.Actions, r.Scope, r.Shadow)
		switch limit := r.Limit.(type) {
		case policy.CalendarWindow:
			fmt.Fprintf(&b, "%T %d %s %s\n", limit, limit.Max, limit.Unit, zonePrint(limit.Zone()))
		case policy.ActiveHours:
			fmt.Fprintf(&b, "%T %d %d %v %s\n", limit, limit.From, limit.To, limit.Days, zonePrint(limit.Zone()))
		default:
			fmt.Fprintf(&b, "%T %+v\n", limit, limit)
		}
	}
	return b.String()
}

// zonePrint tells zones apart by name and, for those that a program makes up, by
// their offsets in the two halves of a year.
func zonePrint(zone *time.Location) string {
	january := time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
	july := time.Date(2026, 7, 1, 0, 0, 0, 0, zone)
	return fmt.Sprintf("%q %d %d", zone, offsetOf(january), offsetOf(july))
}
