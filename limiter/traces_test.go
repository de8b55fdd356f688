package limiter_test

import (
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"
)

// How many random histories are played, and from which seed on. make histories plays
// a million.
var (
	histories = flag.Int("histories", 0, "how many random histories to play; 0: some thousands")
	seedFrom  = flag.Uint64("history", 0, "the seed of the first history")
)

// Whatever is taken, settled, held, released, put under other policies, kept and
// restored, with a clock that goes forward, is set back or trembles: what went out
// keeps every promise, as an audit says that shares no code with the limiter; what
// is foretold happens; and RetryAfter is exact.
func TestTracesKeepEveryPolicy(t *testing.T) {
	t.Parallel()
	zones := tracezones(func(name string) *time.Location { return zone(t, name) })
	plays := *histories
	if plays <= 0 {
		plays = 6000 / min(slower, 3)
	}
	var next, failed atomic.Uint64
	var workers sync.WaitGroup
	tallies := make([]*tally, runtime.GOMAXPROCS(0))
	for i := range tallies {
		met := newTally()
		tallies[i] = met
		workers.Go(func() {
			d := newDrawer(zones)
			for failed.Load() == 0 {
				n := next.Add(1) - 1
				if n >= uint64(plays) {
					return
				}
				if wrong := d.trace(*seedFrom + n).play(met); wrong != "" {
					failed.Store(n + 1)
				}
			}
		})
	}
	workers.Wait()
	if n := failed.Load(); n > 0 {
		seed := *seedFrom + n - 1
		fails := func(tr *trace) bool { return tr.play(newTally()) != "" }
		smallest := newDrawer(zones).trace(seed).smallest(fails)
		t.Fatalf("go test ./limiter -run %s -histories 1 -history %d\n%s\n%s", t.Name(), seed, smallest, smallest.play(newTally()))
	}
	sum := newTally()
	for _, met := range tallies {
		sum.add(met)
	}
	if plays >= 500 {
		sum.require(t)
	}
}

func (t *tally) add(o *tally) {
	for i, n := range o.verbs {
		t.verbs[i] += n
	}
	for i, n := range o.answers {
		t.answers[i] += n
	}
	for rule, n := range o.bound {
		t.bound[rule] += n
	}
	t.calls += o.calls
}

// require fails where the traces did not meet everything there is.
func (t *tally) require(tb testing.TB) {
	for v, n := range t.verbs {
		require.Positive(tb, n, verb(v))
	}
	for a, n := range t.answers[1:] {
		require.Positive(tb, n, a)
	}
	require.Len(tb, t.bound, 8, "%v", t.bound) // every kind has refused
	tb.Logf("%d calls went out; asked: %v; acts: %v; bound by %v", t.calls, t.answers, t.verbs, t.bound)
}
