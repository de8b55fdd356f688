package queue

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The heap against a list that is sorted each time.
func TestSchedule_Model(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	for seed := range uint64(20) {
		dice := rand.New(rand.NewPCG(seed, 0))
		var s schedule
		var model []*lane // scheduled, in the order they were scheduled
		lanes := make([]lane, 40)
		for range 400 {
			l := &lanes[dice.IntN(len(lanes))]
			in := slices.Index(model, l)
			if dice.IntN(3) == 0 {
				s.remove(l)
				if in >= 0 {
					model = slices.Delete(model, in, in+1)
				}
				if l.place != 0 {
					t.Fatal("it is in still")
				}
			} else {
				due := start.Add(time.Duration(dice.IntN(30)) * time.Second)
				if in < 0 || !l.due.Equal(due) {
					if in >= 0 {
						model = slices.Delete(model, in, in+1)
					}
					model = append(model, l)
				}
				s.set(l, due)
			}
			if len(model) == 0 {
				require.Nil(t, s.next())
				continue
			}
			inOrder := slices.Clone(model)
			slices.SortStableFunc(inOrder, func(a, b *lane) int { return a.due.Compare(b.due) })
			if s.next() != inOrder[0] {
				t.Fatalf("next is due at %v, want %v", s.next().due, inOrder[0].due)
			}
		}
		slices.SortStableFunc(model, func(a, b *lane) int {
			return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.order, b.order))
		})
		for _, want := range model {
			require.Same(t, want, s.next())
			s.remove(want)
		}
		require.Nil(t, s.next())
		require.Empty(t, s.heap)
	}
}
