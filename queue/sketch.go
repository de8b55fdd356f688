package queue

import (
	"iter"
	"runtime"
	"slices"
	"time"
)

// A sketch is the messages of a lane as they stand at one moment, in short: what their
// order and pace hang on. Their terms are the lane's, which nobody changes.
type sketch struct {
	marks     []mark      // chain by chain; first those that may go, campaign by campaign
	times     []stay      // of the marks that have some
	campaigns []contender // without their messages
	ready     int         // how many campaigns have a message that may go
	passed    []priorityPass
	claimed   []int32 // marks
	target    int32   // the mark of the message that is asked for, -1 where it is in no line
}

// A mark is one message of a sketch.
type mark struct {
	core
	campaign int32
	stay     int32 // among the times, plus 1
	phase    phase
	behind   bool // the mark before it, which is of its chain
	ends     bool // it expires in the line
}

// A stay is the times of a message that has any.
type stay struct {
	until, typed, began time.Time
	again               *terms
}

// stayOf is the times of a mark.
func (s *sketch) stayOf(m *mark) stay {
	if m.stay == 0 {
		return stay{}
	}
	return s.times[m.stay-1]
}

// A sketching is a sketch under way. It leaves the shard's lock to others now and
// then, and sees whether they change the line.
type sketching struct {
	sketch
	lane   *lane
	target *item
	whole  bool // the lock is kept
	moved  bool // the line has changed
}

// mostMarked is how many messages are copied before others may have the lock.
const mostMarked = 256

// sketch copies a lane, with the message of a record as the one that is asked for, as
// it stood before others had the lock. It fails where they have changed it, which they
// cannot where the lock is kept for the whole of it. Meanwhile it calls do, without the
// lock if others may have it. It requires the shard's lock.
func (l *lane) sketch(r *Record, whole bool, do func()) (*sketch, bool) {
	s := &sketching{lane: l, whole: whole}
	sh, n, steps := l.shard(), l.line.size(), l.steps()
	sh.sketches = append(sh.sketches, s)
	defer sh.drawn(s)
	s.leave(func() {
		s.marks = make([]mark, 0, n)
		do()
	})
	if s.moved {
		return nil, false
	}
	s.target, s.sketch.target = l.line.find(r), -1
	return &s.sketch, s.draw() && slices.Equal(steps, l.steps())
}

// leave does something without the lock, unless that is kept.
func (s *sketching) leave(do func()) {
	if !s.whole {
		s.lane.shard().mu.Unlock()
		defer s.lane.shard().mu.Lock()
	}
	do()
}

// A step is where a message stands on its way.
type step struct {
	item  *item
	phase phase
	until time.Time
}

// steps is where those stand that are on their way.
func (l *lane) steps() []step {
	all := make([]step, len(l.claimed))
	for i, it := range l.claimed {
		all[i] = step{it, it.phase, it.until()}
	}
	return all
}

// drawn is the end of a sketch.
func (s *shard) drawn(done *sketching) {
	s.sketches = slices.DeleteFunc(s.sketches, func(other *sketching) bool { return other == done })
}

// stir tells those who copy a line that it changes.
func (q *line) stir() {
	for _, s := range q.shard().sketches {
		s.moved = s.moved || &s.lane.line == q
	}
}

// draw makes the marks. It is false where the line has changed.
func (s *sketching) draw() bool {
	from := &s.lane.line
	all, ready := from.contenders()
	s.ready, s.passed = ready, slices.Clone(from.rare.passed)
	s.campaigns = make([]contender, len(all))
	own := make([]campaign, len(all))
	for i, c := range all {
		own[i] = campaign{title: c.title, at: c.at, n: c.n}
		s.campaigns[i] = contender{&own[i], c.pass}
	}
	for _, c := range all {
		if !s.all(&c.ready) {
			return false
		}
	}
	if !s.all(&from.rare.later) {
		return false
	}
	if s.lane.checks != nil && !s.parked(s.lane.checks) {
		return false
	}
	for _, it := range s.lane.claimed {
		if it.campaign == nil {
			continue // it is out of the line
		}
		s.claimed = append(s.claimed, int32(len(s.marks)))
		if !s.chain(it) {
			return false
		}
	}
	if s.target != nil && s.sketch.target < 0 && s.target.campaign != nil { // it is on its way back into the line
		first := len(s.marks)
		if !s.chain(from.head(s.target)) {
			return false
		}
		s.marks[first].phase = parked
	}
	return true
}

// parked copies those whose recipients are to be verified. Each may be tried again when
// its rest is over.
func (s *sketching) parked(checks *checks) bool {
	rests := make(map[string]time.Time, len(checks.resting))
	for _, r := range checks.resting {
		rests[r.to] = r.until
	}
	for _, c := range checks.all {
		for _, it := range c.parked {
			first := len(s.marks)
			if !s.chain(it) {
				return false
			}
			if until, rests := rests[it.to]; rests {
				s.times = append(s.times, stay{until: until, typed: it.typedAt()})
				s.marks[first].stay = int32(len(s.times))
			}
		}
	}
	return true
}

// all copies items with those that are behind them.
func (s *sketching) all(from interface{ all() iter.Seq[*item] }) bool {
	for it := range from.all() {
		if !s.chain(it) {
			return false
		}
	}
	return true
}

// chain copies an item and those that are behind it.
func (s *sketching) chain(it *item) bool {
	for follows := false; it != nil; it, follows = it.next, true {
		if it == s.target {
			s.sketch.target = int32(len(s.marks))
		}
		m := mark{
			core: it.core, campaign: it.campaign.at, phase: it.phase, behind: follows, ends: it.end != 0,
		}
		if w := it.way; w != nil {
			s.times = append(s.times, stay{w.until, w.typed, w.began, w.again})
			m.stay = int32(len(s.times))
		}
		s.marks = append(s.marks, m)
		if len(s.marks)%mostMarked == 0 && !s.breathe() {
			return false
		}
	}
	return true
}

// breathe leaves the lock to others. It is false where they have changed the line.
func (s *sketching) breathe() bool {
	s.leave(runtime.Gosched) // those who wait for the lock come first
	return !s.moved
}
