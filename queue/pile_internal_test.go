package queue

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The pile against a list that is sorted each time: with items that come in order, that
// come back to the front, that come and go anywhere.
func TestPile_Model(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		dice := rand.New(rand.NewPCG(seed, 0))
		strays := []int{0, 20, 2}[seed%3] // how many moves there are for each out of order; 0 means none
		var p pile[bySeq]
		var model []*item
		next, mixed := uint64(1000), false
		for range 2000 {
			out := strays > 0 && dice.IntN(strays) == 0
			switch at := dice.IntN(len(model) + 1); {
			case at < len(model) && dice.IntN(5) < 2+int(seed%2):
				if !out {
					at = 0
				}
				p.remove(model[at])
				require.Zero(t, model[at].place)
				model = slices.Delete(model, at, at+1)
			case out:
				it := &item{core: core{seq: dice.Uint64N(next)}}
				p.push(it)
				model = append(model, it)
			case dice.IntN(10) == 0 && len(model) > 0: // it had no turn after all
				it := model[0]
				p.remove(it)
				p.push(it)
			default:
				next++
				it := &item{core: core{seq: next}}
				p.push(it)
				model = append(model, it)
			}
			slices.SortFunc(model, func(a, b *item) int { return cmp.Compare(a.seq, b.seq) })
			require.Equal(t, len(model), p.len())
			all := slices.SortedFunc(p.all(), func(a, b *item) int { return cmp.Compare(a.seq, b.seq) })
			require.True(t, slices.EqualFunc(model, all, func(a, b *item) bool { return a.seq == b.seq }))
			if len(model) == 0 {
				require.Nil(t, p.first())
				require.Equal(t, pile[bySeq]{}, p)
				continue
			}
			require.Equal(t, model[0].seq, p.first().seq)
			require.EqualValues(t, onTop, p.top.place)
			if len(model) == 1 {
				require.Nil(t, p.below)
				continue
			}
			b := p.below
			mixed = mixed || b.mixed
			for i, it := range b.slots {
				if free := i < int(b.gone); free != (it == nil) || !free && it.place != int32(i+1) {
					t.Fatal("a slot is kept from being collected, or its item does not know it")
				}
			}
			for _, it := range model {
				if it != p.top && b.slots[it.place-1] != it {
					t.Fatal("an item is lost")
				}
			}
			require.LessOrEqual(t, cap(b.slots), 8+4*len(model)+2000/4, "room of those that have gone is used again")
		}
		require.Equal(t, strays > 0, mixed, "a list that comes in order stays one")
	}
}
