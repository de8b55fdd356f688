package policy

import (
	"math"
	"math/bits"
	"time"
)

// unbounded is a count that nothing bounds.
const unbounded = math.MaxInt64

// WorstCase is the most messages that one account can send within any window of the
// given length under the policy, from a window's first instant to just before its
// last, however cleverly it waits first. It is [math.MaxInt64] where nothing bounds
// them, and 0 for a window of no time and for a policy that [Policy.Validate]
// refuses.
//
// For a policy with one rule the figure is exact: some sender reaches it, with pauses
// that are all drawn as short as they can be. The exceptions are a bucket of 1 whose
// tokens do not come back at whole nanoseconds, a calendar window in a zone whose
// clocks change, and months counted over years. There, and where several rules cover
// sends, no sender exceeds the figure, and it may be that none reaches it: it is the
// least that one rule allows, a pause taken together with a gap, and a bound for each
// recipient together with one on recipients. [ActiveHours] and [Concurrency] bound
// nothing unless they refuse everything, and shadow rules do not count. Zones are
// taken as their clocks go from 1970 to 2100.
func (p Policy) WorstCase(window time.Duration) int64 {
	if window <= 0 || p.Validate() != nil {
		return 0
	}
	n, _ := worstCase(covering(p.Rules, SendMessage), window)
	return n
}

// covering is the rules that can refuse action a.
func covering(rules []Rule, a Action) []Rule {
	var those []Rule
	for _, r := range rules {
		if !r.Shadow && r.Covers(a) {
			those = append(those, r)
		}
	}
	return those
}

// worstCase is the most requests that the rules let one account make within any
// window w, and the names of the rules that bound it. All rules cover all requests.
func worstCase(rules []Rule, w time.Duration) (n int64, by []string) {
	n = unbounded
	least := func(m int64, names ...string) {
		if m < n {
			n, by = m, names
		}
	}
	for i, r := range rules {
		most := r.Limit.most(w)
		if r.Scope != ScopeRecipient || most == 0 {
			least(most, r.Name)
			continue
		}
		for _, u := range rules {
			if recipients, ok := u.Limit.(UniqueRecipients); ok {
				least(multiply(recipients.distinct(w), most), u.Name, rules[i].Name)
			}
		}
	}
	base, name := baseGap(rules)
	for _, r := range rules {
		if g, ok := r.Limit.(Gap); ok && name != "" && r.Scope != ScopeRecipient && g.Period() > 1 {
			least(g.mostWith(base.Min, w), name, r.Name)
		}
	}
	return n, by
}

// baseGap is the longest pause that follows each request of an account, and the
// name of its rule, which is empty where there is none.
func baseGap(rules []Rule) (base Gap, name string) {
	for _, r := range rules {
		g, ok := r.Limit.(Gap)
		if ok && g.Period() == 1 && r.Scope != ScopeRecipient && (name == "" || g.Min > base.Min) {
			base, name = g, r.Name
		}
	}
	return base, name
}

// refusing bounds requests by a Max that bounds something else.
func refusing(n int64) int64 {
	if n == 0 {
		return 0
	}
	return unbounded
}

// ceil is how many spans of length d it takes to cover w; both are positive.
func ceil(w, d time.Duration) int64 { return int64((w-1)/d) + 1 }

// add is a + b, saturated; neither is negative.
func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// multiply is a * b, saturated; neither is negative.
func multiply(a, b int64) int64 { return scale(a, b, 1) }

// scale is a * b / c, rounded down and saturated; none is negative, c is not 0.
func scale(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi >= uint64(c) {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(min(q, math.MaxInt64))
}
