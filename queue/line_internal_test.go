package queue

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The line against a slice that is sorted each time.
func TestLine_Model(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		dice := rand.New(rand.NewPCG(seed, 0))
		var l line
		var model, out []*item
		free := make([]*item, 40)
		for i := range free {
			free[i] = &item{seq: uint64(i)}
		}
		dice.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
		for range 150 {
			switch n := dice.IntN(4); {
			case n == 0 && len(free) > 0:
				l.join(free[0])
				model, free = append(model, free[0]), free[1:]
			case n == 1 && len(out) > 0:
				i := dice.IntN(len(out))
				it := out[i]
				l.rejoin(it)
				model, out = append(model, it), slices.Delete(out, i, i+1)
			case n == 2 && len(model) > 0:
				i := dice.IntN(len(model))
				it := model[i]
				l.leave(it)
				require.Nil(t, it.next)
				require.Nil(t, it.prev)
				model, out = slices.Delete(model, i, i+1), append(out, it)
			}
			slices.SortFunc(model, func(a, b *item) int { return cmp.Compare(a.seq, b.seq) })
			require.Equal(t, seqs(model), forwards(l))
			require.Equal(t, seqs(model), backwards(l))
		}
	}
}

// Items that come back from anywhere leave in order.
func TestLine_Readmit(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		dice := rand.New(rand.NewPCG(seed, 0))
		var l line
		var model, out []*item
		for i := range 200 {
			switch n := dice.IntN(4); {
			case n == 0:
				it := &item{seq: uint64(i)}
				l.join(it)
				model = append(model, it)
			case n == 1 && len(model) > 0:
				require.Same(t, model[0], l.first)
				l.leave(model[0])
				model, out = model[1:], append(out, model[0])
			case len(out) > 0:
				i := dice.IntN(len(out))
				it := out[i]
				if n == 2 {
					l.readmit(it)
				} else {
					l.rejoin(it)
				}
				out = slices.Delete(out, i, i+1)
				model = append(model, it)
				slices.SortFunc(model, func(a, b *item) int { return cmp.Compare(a.seq, b.seq) })
			}
			require.ElementsMatch(t, model, slices.Collect(l.all()))
		}
		for _, it := range model {
			require.Same(t, it, l.first)
			l.leave(it)
		}
		require.Nil(t, l.first)
		require.Nil(t, l.last)
		require.Empty(t, l.back)
	}
}

func seqs(items []*item) []uint64 {
	all := []uint64{}
	for _, it := range items {
		all = append(all, it.seq)
	}
	return all
}

func forwards(l line) []uint64 {
	all := []uint64{}
	for it := l.first; it != nil; it = it.next {
		all = append(all, it.seq)
	}
	return all
}

func backwards(l line) []uint64 {
	all := []uint64{}
	for it := l.last; it != nil; it = it.prev {
		all = append(all, it.seq)
	}
	slices.Reverse(all)
	return all
}
