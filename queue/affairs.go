package queue

import "slices"

// The affairs of a lane are what it has besides its line. Most lanes have none most of
// the time.
type affairs struct {
	claimed []*item // on their way; at most the queue's width, and those that are being recorded
	gone    []*item // those that will not be sent and wait to be recorded, in order
	checks  *checks // nil where none are needed
	link    *link   // nil where the account was connected for long

	portfolio string // whose budget the account shares; empty where none is needed
}

// mostSpare is how many affairs a shard keeps for other lanes.
const mostSpare = 64

// own is the affairs of a lane to write to.
func (l *lane) own() *affairs {
	s := l.shard()
	if l.affairs != &s.none {
		return l.affairs
	}
	if last := len(s.spare) - 1; last >= 0 {
		l.affairs, s.spare = s.spare[last], s.spare[:last]
	} else {
		l.affairs = &affairs{}
	}
	return l.affairs
}

// rest leaves the affairs of a lane to others where it has none.
func (l *lane) rest() {
	a, s := l.affairs, l.shard()
	if a == &s.none {
		return
	}
	if a.checks != nil && len(a.checks.all) == 0 {
		a.checks = nil
	}
	if len(a.claimed) > 0 || len(a.gone) > 0 || a.checks != nil || a.link != nil || a.portfolio != "" {
		return
	}
	l.affairs = &s.none
	if a.gone = nil; len(s.spare) < mostSpare {
		s.spare = append(s.spare, a)
	}
}

// carry adds an item to those on their way.
func (l *lane) carry(it *item) {
	a := l.own()
	a.claimed = append(a.claimed, it)
}

// drop takes an item out of those that are on their way.
func (l *lane) drop(it *item) {
	i := slices.Index(l.claimed, it)
	l.claimed = slices.Delete(l.claimed, i, i+1)
}
