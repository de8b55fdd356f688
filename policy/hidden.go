package policy

import (
	"fmt"
	"math/bits"
	"time"
)

// hiddenBy is the trap that a rule is in which other rules, on which all its requests
// draw as well, keep from ever refusing: by which of them, and why. The trap is empty
// where they do not, as far as can be told.
func (r Rule) hiddenBy(others []Rule) (t Trap, by []string, why string) {
	switch l := r.Limit.(type) {
	case SlidingWindow:
		return hiddenCount(others, l.Max, l.Window)
	case CalendarWindow:
		for _, o := range others {
			if n, ok := l.holding(o.Limit); ok && n <= l.Max {
				return NeverBinds, []string{o.Name}, fmt.Sprintf("%q allows at most %d per %s, and it allows %d", o.Name, n, l.Unit, l.Max)
			}
		}
		return hiddenCount(others, l.Max, l.Unit.longest(l.Zone()))
	case NewContacts:
		return hiddenCount(others, l.Max, l.Window)
	case UniqueRecipients:
		for _, o := range others {
			if u, ok := o.Limit.(UniqueRecipients); ok && u.distinct(l.Window) <= l.Max {
				return NeverBinds, []string{o.Name}, fmt.Sprintf("%q allows at most %d recipients in %s, and it allows %d", o.Name, u.distinct(l.Window), formatDuration(l.Window), l.Max)
			}
		}
		return hiddenCount(others, l.Max, l.Window)
	case TokenBucket:
		for _, o := range others {
			if b, ok := envelope(o.Limit); ok && l.Max > 0 && b.Size() <= l.Size() && slower(b, l) {
				return NeverBinds, []string{o.Name}, fmt.Sprintf("%q allows no more at once, and no faster", o.Name)
			}
		}
	case Gap:
		for _, o := range others {
			g, ok := o.Limit.(Gap)
			switch {
			case !ok || g.Period() > 1 || g.Min < l.Max:
			case l.Period() > 1:
				return HiddenPause, []string{o.Name}, fmt.Sprintf("its pause is at most %s, and %q makes one of at least %s after every send; of two the longer holds, never the sum", formatDuration(l.Max), o.Name, formatDuration(g.Min))
			default:
				return NeverBinds, []string{o.Name}, fmt.Sprintf("its gap is at most %s, and that of %q at least %s", formatDuration(l.Max), o.Name, formatDuration(g.Min))
			}
		}
	case Concurrency:
		for _, o := range others {
			if c, ok := o.Limit.(Concurrency); ok && c.Max <= l.Max {
				return NeverBinds, []string{o.Name}, fmt.Sprintf("%q allows %d at once, and it allows %d", o.Name, c.Max, l.Max)
			}
		}
	case ActiveHours:
	}
	return "", nil, ""
}

func hiddenCount(others []Rule, most int64, w time.Duration) (t Trap, by []string, why string) {
	n, by := worstCase(others, w)
	if len(by) == 0 || n > most {
		return "", nil, ""
	}
	return NeverBinds, by, fmt.Sprintf("%s allows at most %d in %s, and it allows %d", quotedList(by), n, formatDuration(w), most)
}

// holding is the most that another calendar cap lets into one of w's windows, where
// w's windows are whole numbers of its own.
func (w CalendarWindow) holding(l Limit) (n int64, ok bool) {
	other, isCalendar := l.(CalendarWindow)
	switch {
	case !isCalendar || other.Zone().String() != w.Zone().String():
	case other.Unit == w.Unit:
		return other.Max, true
	case w.Zone() == time.UTC && other.Unit.shortest() < w.Unit.shortest() && other.Unit != Week:
		return multiply(other.Max, int64(w.Unit.longest(time.UTC)/other.Unit.shortest())), true
	}
	return 0, false
}

// envelope is a bucket that never refuses what the limit allows, and is no larger
// than it has to be.
func envelope(l Limit) (b TokenBucket, ok bool) {
	switch l := l.(type) {
	case TokenBucket:
		return l, true
	case SlidingWindow:
		return TokenBucket{Max: l.Max, Per: l.Window, Burst: l.Max}, true
	case Gap:
		return TokenBucket{Max: l.Period(), Per: l.Min, Burst: l.Period()}, l.Min > 0
	}
	return b, false
}

// slower reports whether a fills no faster than b.
func slower(a, b TokenBucket) bool {
	aHi, aLo := bits.Mul64(uint64(a.Max), uint64(b.Per))
	bHi, bLo := bits.Mul64(uint64(b.Max), uint64(a.Per))
	return aHi < bHi || aHi == bHi && aLo <= bLo
}
