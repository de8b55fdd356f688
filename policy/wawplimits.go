package policy

import (
	"fmt"
	"math"
	"time"
)

// A WawpLimits is the limits object of a policy at Wawp. Nil means that there is no
// such limit. Zero refuses everything, but for AccountProtectionSeconds, where it is
// no protection, as nil is; a negative number is an error.
type WawpLimits struct {
	// SendMessagePerMinute caps sends in any minute.
	SendMessagePerMinute *int64

	// SendMessageDailyCap caps sends in a UTC day.
	SendMessageDailyCap *int64

	// AccountProtectionSeconds is the pause after each send.
	AccountProtectionSeconds *int64

	// ConcurrentLimit caps sends that are not done yet.
	ConcurrentLimit *int64

	// GroupReqPerMinute caps group look-ups in any minute.
	GroupReqPerMinute *int64

	// GroupDailyCap caps group look-ups in a UTC day.
	GroupDailyCap *int64

	// CheckReqPerMinute caps number checks in any minute.
	CheckReqPerMinute *int64

	// CheckDailyCap caps number checks in a UTC day.
	CheckDailyCap *int64
}

// A wawpLimit is one row of the table of Wawp's limits.
type wawpLimit struct {
	field  string                      // its name at Wawp
	rule   string                      // its name as a rule
	action Action                      // what it limits
	at     func(l *WawpLimits) **int64 // where its number is
	limit  func(n int64) Limit         // the number as a limit
	number func(l Limit) (int64, bool) // and back
}

// wawpLimits is the table, in the order in which the rules of a policy stand.
func wawpLimits() []wawpLimit {
	return []wawpLimit{
		{"send_message_per_minute", "minute", SendMessage, func(l *WawpLimits) **int64 { return &l.SendMessagePerMinute }, anyMinute, ofMinute},
		{"send_message_daily_cap", "day", SendMessage, func(l *WawpLimits) **int64 { return &l.SendMessageDailyCap }, utcDay, ofUTCDay},
		{protection, "gap", SendMessage, func(l *WawpLimits) **int64 { return &l.AccountProtectionSeconds }, gapSeconds, ofGapSeconds},
		{"concurrent_limit", "one_at_a_time", SendMessage, func(l *WawpLimits) **int64 { return &l.ConcurrentLimit }, inFlight, ofInFlight},
		{"group_req_per_minute", "group_minute", GroupInfo, func(l *WawpLimits) **int64 { return &l.GroupReqPerMinute }, anyMinute, ofMinute},
		{"group_daily_cap", "group_day", GroupInfo, func(l *WawpLimits) **int64 { return &l.GroupDailyCap }, utcDay, ofUTCDay},
		{"check_req_per_minute", "check_minute", CheckNumber, func(l *WawpLimits) **int64 { return &l.CheckReqPerMinute }, anyMinute, ofMinute},
		{"check_daily_cap", "check_day", CheckNumber, func(l *WawpLimits) **int64 { return &l.CheckDailyCap }, utcDay, ofUTCDay},
	}
}

const (
	protection    = "account_protection_seconds"
	maxProtection = int64(MaxDuration / time.Second)
)

// Rules is the limits as rules, one for each number that limits something. Minutes are
// any minute, days are UTC's, and protection is a gap, the safest reading of each;
// see [Strict]. The error is a join of [*FieldError] values.
func (l WawpLimits) Rules() ([]Rule, error) {
	var found problems
	rules := l.rules("", &found)
	if err := found.err(); err != nil {
		return nil, err
	}
	return rules, nil
}

func (l WawpLimits) rules(path string, found *problems) []Rule {
	var rules []Rule
	for _, w := range wawpLimits() {
		n := *w.at(&l)
		switch {
		case n == nil:
		case *n == 0 && w.field == protection: // a gap of 0 s would still let one go at a time
		case *n < 0:
			found.add(path+w.field, *n, "use 0 or more, or leave it out for no limit")
		case w.field == protection && *n > maxProtection:
			found.add(path+w.field, *n, fmt.Sprintf("use at most %d", maxProtection))
		default:
			name := w.rule
			if name == "one_at_a_time" && *n != 1 {
				name = "concurrent"
			}
			rules = append(rules, Rule{Name: name, Actions: []Action{w.action}, Limit: w.limit(*n)})
		}
	}
	return rules
}

// WawpLimits is what the policy's rules say in Wawp's words, and the rules that
// these words do not say, or not as strictly as they could: others than the eight
// kinds, and shadow rules. Where two rules are one limit the stricter stands. A
// random gap counts as its longest pause, and a pause as whole seconds, rounded up,
// so whoever keeps to the words keeps to the rule.
func (p Policy) WawpLimits() (l WawpLimits, unsaid []Rule) {
	for _, r := range p.Rules {
		if !l.say(r) {
			unsaid = append(unsaid, r)
		}
	}
	return l, unsaid
}

// say adds the rule to the limits, and reports whether they say it to the letter.
func (l *WawpLimits) say(r Rule) bool {
	if r.Shadow || len(r.Actions) != 1 || r.Scope != "" && r.Scope != ScopeAccount {
		return false
	}
	for _, w := range wawpLimits() {
		n, ok := w.number(r.Limit)
		if !ok || w.action != r.Actions[0] {
			continue
		}
		at := w.at(l)
		if _, isGap := r.Limit.(Gap); *at == nil || isGap == (n > **at) {
			*at = &n
		}
		return w.limit(n) == r.Limit
	}
	return false
}

func anyMinute(n int64) Limit { return SlidingWindow{Max: n, Window: time.Minute} }

func ofMinute(l Limit) (int64, bool) {
	w, ok := l.(SlidingWindow)
	return w.Max, ok && w.Window == time.Minute
}

func utcDay(n int64) Limit { return CalendarWindow{Max: n, Unit: Day, Location: time.UTC} }

func ofUTCDay(l Limit) (int64, bool) {
	w, ok := l.(CalendarWindow)
	return w.Max, ok && w.Unit == Day && w.Zone() == time.UTC
}

func gapSeconds(n int64) Limit {
	d := time.Duration(n) * time.Second
	return Gap{Min: d, Max: d}
}

func ofGapSeconds(l Limit) (int64, bool) {
	g, ok := l.(Gap)
	if !ok || g.Period() != 1 || g.Max <= 0 || g.Max > math.MaxInt64-time.Second {
		return 0, false
	}
	return int64((g.Max + time.Second - 1) / time.Second), true
}

func inFlight(n int64) Limit { return Concurrency{Max: n} }

func ofInFlight(l Limit) (int64, bool) {
	c, ok := l.(Concurrency)
	return c.Max, ok
}
