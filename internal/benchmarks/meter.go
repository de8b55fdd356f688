package main

import (
	"fmt"
	"runtime"
	"time"

	"github.com/wapace/wapace/limiter"
)

// A meter measures pairs.
type meter struct {
	clock limiter.Clock
	leg   time.Duration // how long a leg takes, about
	pairs int
}

// A side is one contender of a pair that is being measured.
type side struct {
	meter
	name      string
	build     builder
	contender contender
	n         int // requests in a leg
	bytes     figure
}

// A leg is what one leg took, for one request.
type leg struct{ ns, allocs float64 }

// measure lets the sides of a pair take turns.
func (m meter) measure(work string, p pair) (result, error) {
	ours, err := m.side(work+": wapace beside "+p.peer, p.ours)
	if err != nil {
		return result{}, err
	}
	r := result{Work: work, Peer: p.peer, OursBytes: ours.bytes, TheirsBytes: unknown()}
	if p.theirs == nil {
		runtime.KeepAlive(ours)
		return r.timed(nil), nil
	}
	theirs, err := m.side(work+": "+p.peer, p.theirs)
	if err != nil {
		return result{}, err
	}
	r.TheirsBytes = theirs.bytes
	var legs [][2]leg
	for range m.pairs {
		var turn [2]leg
		for i, s := range []*side{ours, theirs} {
			if turn[i], err = s.race(s.n); err != nil {
				return result{}, err
			}
		}
		legs = append(legs, turn)
	}
	return r.timed(legs), nil
}

// side builds a contender, weighs it, and finds how many requests make a leg.
func (m meter) side(name string, build builder) (*side, error) {
	s := &side{meter: m, name: name, build: build, bytes: unknown()}
	before := heap()
	var err error
	if s.contender, err = build(); err != nil {
		return nil, fmt.Errorf("benchmarks: %s: %w", name, err)
	}
	if keys := s.contender.keys; keys > 0 {
		s.bytes = figure(float64(heap()-before) / float64(keys))
	}
	for s.n = 1 << 10; s.contender.run != nil; s.n *= 8 {
		l, err := s.race(s.n)
		if err != nil {
			return nil, err
		}
		if took := l.ns * float64(s.n); took >= float64(m.leg)/8 {
			s.n = max(1, int(float64(m.leg)/l.ns))
			break
		}
	}
	return s, nil
}

// race runs n requests and checks that they were answered as they must be. One
// that took no keys starts anew, so that no leg runs far into the future.
func (s *side) race(n int) (leg, error) {
	if s.contender.keys == 0 {
		var err error
		if s.contender, err = s.build(); err != nil {
			return leg{}, fmt.Errorf("benchmarks: %s: %w", s.name, err)
		}
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := s.clock.Now()
	allowed := s.contender.run(n)
	took := s.clock.Now().Sub(start)
	runtime.ReadMemStats(&after)
	want := n
	if s.contender.refuses {
		want = 0
	}
	if allowed != want {
		return leg{}, fmt.Errorf("benchmarks: %s: allowed %d of %d requests, want %d", s.name, allowed, n, want)
	}
	return leg{ns: float64(took) / float64(n), allocs: float64(after.Mallocs-before.Mallocs) / float64(n)}, nil
}

// heap is how many bytes are in use. The first collection may leave what has a
// finalizer to the second.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
