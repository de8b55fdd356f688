package queue

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

type pebble struct {
	hash uint32
	next *pebble
}

func (p *pebble) hashed() (hash uint32, next **pebble) { return p.hash, &p.next }

// The table against a set, with hashes of every kind.
func TestTable_Model(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		dice := rand.New(rand.NewPCG(seed, 0))
		hashes := []uint32{1, 5, 1 << 31, 0xffff_ffff}[dice.IntN(4)] // how many there are
		var table table[*pebble]
		require.Nil(t, table.head(dice.Uint32()))
		table.remove(&pebble{})
		var in []*pebble
		for range 600 {
			if len(in) > 0 && dice.IntN(3) == 0 {
				i := dice.IntN(len(in))
				table.remove(in[i])
				require.Nil(t, in[i].next)
				table.remove(in[i]) // is out
				in[i] = in[len(in)-1]
				in = in[:len(in)-1]
			} else {
				p := &pebble{hash: dice.Uint32N(hashes)}
				table.add(p)
				in = append(in, p)
			}
			require.Equal(t, len(in), table.n)
			require.GreaterOrEqual(t, len(table.first), table.n)
		}
		for _, p := range in {
			found := table.head(p.hash)
			for found != nil && found != p {
				found = found.next
			}
			require.Same(t, p, found)
		}
		n := 0
		for p := range table.all() {
			require.True(t, slices.Contains(in, p))
			table.remove(p)
			n++
		}
		require.Equal(t, len(in), n)
		require.Zero(t, table.n)
		for range table.all() {
			require.Fail(t, "it is empty")
		}
	}
}

// A growing table has its entries spread: no chain is long.
func TestTable_Spread(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(1, 0))
	var table table[*pebble]
	for range 5000 {
		table.add(&pebble{hash: dice.Uint32()})
	}
	for _, p := range table.first {
		long := 0
		for ; p != nil; p = p.next {
			long++
		}
		require.Less(t, long, 12)
	}
}
