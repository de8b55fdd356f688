package policy

import "time"

// cap is the most that the rule allows in a period, for the limits that count
// requests over time. It is 0 for the others.
func (r Rule) cap() (most int64, period time.Duration) {
	switch l := r.Limit.(type) {
	case SlidingWindow:
		return l.Max, l.Window
	case CalendarWindow:
		return l.Max, l.Unit.longest(time.UTC)
	case TokenBucket:
		return l.Max, l.Per
	}
	return 0, 0
}

// meanPace is how long the rules take for a request in the mean, where there are
// always more: the longest that gaps make of it, or a cap over less than period.
// By is the rules that do; gaps says that they are gaps.
func meanPace(rules []Rule, period time.Duration) (each time.Duration, by []string, gaps bool) {
	longest := func(d time.Duration, isGap bool, names ...string) {
		if d > each {
			each, by, gaps = d, names, isGap
		}
	}
	for _, r := range rules {
		if most, over := r.cap(); most > 0 && over < period && r.Scope != ScopeRecipient {
			longest(time.Duration(int64(over)/most), false, r.Name)
		}
	}
	base, name := baseGap(rules)
	short := base.mean()
	longest(short, true, name)
	for _, r := range rules {
		g, ok := r.Limit.(Gap)
		if !ok || g.Period() == 1 || r.Scope == ScopeRecipient {
			continue
		}
		round := add(multiply(g.Period()-1, int64(short)), int64(max(g.mean(), short)))
		names := []string{r.Name}
		if short > 0 {
			names = []string{name, r.Name}
		}
		longest(time.Duration(round/g.Period()), true, names...)
	}
	return each, by, gaps
}

func (g Gap) mean() time.Duration { return g.Min + (g.Max-g.Min)/2 }
