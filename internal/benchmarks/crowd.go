package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
)

// A crowd is many accounts. Both sides of a pair are given the same strings, so
// that neither pays for them.
type crowd struct {
	keys   []string // in the order in which they first appear
	visits []string // in the order in which they come back
}

func newCrowd(n int) *crowd {
	p := &crowd{keys: make([]string, n), visits: make([]string, n)}
	for i := range p.keys {
		p.keys[i] = strconv.FormatInt(447_000_000_000+int64(i), 10)
	}
	copy(p.visits, p.keys)
	rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) {
		p.visits[i], p.visits[j] = p.visits[j], p.visits[i]
	})
	return p
}

// visited is a contender that has seen everybody once. Each worker has a part of
// the crowd to itself and comes back to the same account every standardStep.
func (p *crowd) visited(workers int, allow func(key string, now time.Time) bool) (contender, error) {
	start := newClock(0).now
	for _, key := range p.keys {
		if !allow(key, start) {
			return contender{}, fmt.Errorf("benchmarks: account %s: refused at its first request", key)
		}
	}
	workers = min(workers, len(p.keys))
	walks := make([]walk, workers)
	for i := range walks {
		part := p.visits[i*len(p.visits)/workers : (i+1)*len(p.visits)/workers]
		walks[i] = walk{part: part, clock: clock{start.Add(standardStep), standardStep/time.Duration(len(part)) + 1}}
	}
	return contender{keys: len(p.keys), run: func(n int) (allowed int) {
		var all sync.WaitGroup
		for i := range walks {
			w := &walks[i]
			share := (i+1)*n/workers - i*n/workers
			all.Go(func() { w.allowed = w.visit(share, allow) })
		}
		all.Wait()
		for i := range walks {
			allowed += walks[i].allowed
		}
		return allowed
	}}, nil
}

// A walk is one worker's way through its part of the crowd.
type walk struct {
	part    []string
	next    int
	clock   clock
	allowed int
}

func (w *walk) visit(n int, allow func(key string, now time.Time) bool) (allowed int) {
	next, clock := w.next, w.clock // not in w: two walks may share a line of the cache
	for range n {
		if allow(w.part[next], clock.tick()) {
			allowed++
		}
		if next++; next == len(w.part) {
			next = 0
		}
	}
	w.next, w.clock = next, clock
	return allowed
}
