package queue

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The heap against a list that is sorted each time.
func TestSchedule_Model(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		dice := rand.New(rand.NewPCG(seed, 0))
		var tickets tickets
		tickets.last.Store(math.MaxUint32 - uint32(dice.IntN(400))) // they begin anew soon
		var s schedule
		s.open(&tickets)
		var model []*lane // scheduled, in the order they were scheduled
		lanes := make([]lane, 40)
		for range 400 {
			l := &lanes[dice.IntN(len(lanes))]
			if next, due := s.next(); next != nil && dice.IntN(5) == 0 { // served, and due again at once
				s.serve()
				in := slices.Index(model, next)
				model = slices.Delete(model, in, in+1)
				shown := never // others look after the one that is served
				for _, l := range model {
					shown = min(shown, s.due(l))
				}
				require.Equal(t, shown, s.head.Load())
				if shown != never {
					after := slices.IndexFunc(model, func(l *lane) bool { return uint32(s.ticket(l)) == s.headTicket.Load() })
					require.Equal(t, shown, s.due(model[after]))
				}
				s.set(next, due)
				model = append(model, next)
			}
			in := slices.Index(model, l)
			if dice.IntN(3) == 0 {
				s.remove(l)
				if in >= 0 {
					model = slices.Delete(model, in, in+1)
				}
				if s.due(l) != never {
					t.Fatal("it is in still")
				}
			} else {
				due := int64(dice.IntN(30))
				if in < 0 || s.due(l) != due {
					if in >= 0 {
						model = slices.Delete(model, in, in+1)
					}
					model = append(model, l)
				}
				s.set(l, due)
			}
			next, due := s.next()
			require.Equal(t, due, s.head.Load())
			if len(model) == 0 {
				require.Nil(t, next)
				require.Equal(t, never, due)
				continue
			}
			inOrder := slices.Clone(model)
			slices.SortStableFunc(inOrder, func(a, b *lane) int { return cmp.Compare(s.due(a), s.due(b)) })
			require.Equal(t, s.due(inOrder[0]), due)
			require.Same(t, inOrder[0], next)
			require.Equal(t, uint32(s.ticket(next)), s.headTicket.Load())
		}
		slices.SortStableFunc(model, func(a, b *lane) int {
			return cmp.Or(cmp.Compare(s.due(a), s.due(b)), cmp.Compare(int32(s.ticket(a)-s.ticket(b)), 0))
		})
		for _, want := range model {
			next, _ := s.next()
			require.Same(t, want, next)
			s.remove(want)
		}
		require.Empty(t, s.heap)
		require.Equal(t, never, s.head.Load())
	}
}
