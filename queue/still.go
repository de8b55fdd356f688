package queue

import (
	"slices"
	"time"
)

// A still is the messages of a lane as they stand at one moment, to be stepped ahead
// of the clock. Its items are copies; their records are the lane's, which nobody
// changes.
type still struct {
	line    line
	claimed []*item
	parked  []*item // in no order; until is when the check of each may be tried again
	target  *item   // the message that is asked for
}

// still copies a lane. It requires the shard's lock.
func (l *lane) still(target *item) *still {
	now := still{line: l.line, claimed: l.claimed, target: target}
	if l.checks == nil {
		return now.clone()
	}
	for _, c := range l.checks.all {
		now.parked = append(now.parked, c.parked...)
	}
	rests := make(map[string]time.Time, len(l.checks.resting))
	for _, r := range l.checks.resting {
		rests[r.to] = r.until
	}
	own := now.clone()
	for _, it := range own.parked {
		it.under().until = rests[it.to]
	}
	return own
}

// clone copies a still.
func (s *still) clone() *still {
	from := s.line.heard()
	c := cloning{from: s, items: make([]item, 0, s.line.n), campaigns: make([]campaign, len(from))}
	to := &c.to
	to.line = line{
		shard:  &shard{chains: chains{seed: s.line.shard.chains.seed}}, // nobody else's
		passed: s.line.passed,
		n:      s.line.n,
		ready:  s.line.ready,
	}
	if r := s.line.rare; r != nil {
		own := to.line.more()
		own.passed = slices.Clone(r.passed)
		own.ends.items = make([]*item, len(r.ends.items))
	}
	for i := range c.campaigns {
		to.line.hear(&c.campaigns[i])
	}
	for i, old := range from {
		c.campaigns[i] = *old
		c.campaigns[i].ready.items = c.all(old.ready.items)
	}
	if r := s.line.rare; r != nil {
		to.line.rare.later.items = c.all(r.later.items)
	}
	to.claimed, to.parked = c.all(s.claimed), c.all(s.parked)
	if to.target == nil && s.target != nil && s.target.campaign != nil {
		head := c.chain(s.line.head(s.target)) // it is on its way back into the line
		head.phase, head.place = behind, 0
		to.parked = append(to.parked, head)
	}
	return to
}

// A cloning is a clone under way.
type cloning struct {
	from      *still
	to        still
	items     []item
	campaigns []campaign
}

// all copies items with those that are behind them.
func (c *cloning) all(from []*item) []*item {
	if len(from) == 0 {
		return nil
	}
	to := make([]*item, 0, len(from))
	for _, it := range from {
		if it.campaign != nil { // it is in the line
			to = append(to, c.chain(it))
		}
	}
	return to
}

// chain copies an item and those that are behind it.
func (c *cloning) chain(it *item) (first *item) {
	var before *item
	for ; it != nil; it = it.next {
		if len(c.items) == cap(c.items) {
			c.items = make([]item, 0, 16)
		}
		c.items = append(c.items, *it)
		own := &c.items[len(c.items)-1]
		own.campaign, own.prev, own.next, own.alike = &c.campaigns[it.campaign.at], before, nil, nil
		if it.way != nil {
			way := *it.way
			way.hush = nil
			own.way = &way
		}
		if own.end != 0 {
			c.to.line.rare.ends.items[own.end-1] = own
		}
		if it == c.from.target {
			c.to.target = own
		}
		if before == nil {
			first = own
		} else {
			before.next = own
		}
		before = own
	}
	return first
}
