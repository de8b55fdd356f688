// Package storetest holds what every [queue.Store] must do, as tests.
//
// The author of a store calls [Run] from a test of its own package:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, storetest.Maker{New: func(t testing.TB) queue.Store {
//			return open(t, t.TempDir())
//		}})
//	}
//
// Each promise of the interface is a subtest with a store of its own. The tests
// pass with the race detector on and in any order.
package storetest

import (
	"context"
	"testing"

	"github.com/wapace/wapace/queue"
)

// A Maker makes the stores that are tested. Its functions end the test where they
// fail. They are called at once by subtests that run in parallel.
type Maker struct {
	// New returns an empty store that nothing else uses. It must not be nil, and
	// the store must keep at least 100 messages that are done with.
	New func(t testing.TB) queue.Store

	// Reopen returns what another process finds that starts after the one with
	// store s is gone. s is not used any more. Nil is for a store that lives in the
	// process: the next queue is given s itself.
	Reopen func(t testing.TB, s queue.Store) queue.Store
}

// Run tests the maker's stores. Any test may call it; the subtests run in parallel.
func Run(t *testing.T, m Maker) {
	t.Helper()
	for _, p := range promises() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := store{Store: m.New(t), reopen: func(s queue.Store) queue.Store {
				if m.Reopen == nil {
					return s
				}
				return m.Reopen(t, s)
			}}
			if err := p.check(t.Context(), &s); err != nil {
				t.Errorf("%s: %v", p.says, err)
			}
		})
	}
}

// A promise is one thing that a store must do.
type promise struct {
	name  string
	says  string
	check func(ctx context.Context, s *store) error
}

// A store is one that is tested.
type store struct {
	queue.Store

	reopen func(queue.Store) queue.Store
}

// restart goes on with what the next process finds.
func (s *store) restart() { s.Store = s.reopen(s.Store) }

// promises is the table of promises.
func promises() (all []promise) {
	for _, some := range [][]promise{adding(), keys(), changing(), attempts(), paces(), listing(), loading()} {
		all = append(all, some...)
	}
	return all
}
