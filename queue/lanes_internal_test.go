package queue

import (
	"hash/maphash"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// The table against a map.
func TestLanes_Model(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		dice := rand.New(rand.NewPCG(seed, 0))
		accounts := []int{3, 40, 1000}[dice.IntN(3)]
		table := lanes{seed: maphash.MakeSeed()}
		model := map[string]*lane{}
		for range 2000 {
			account := strconv.Itoa(dice.IntN(accounts))
			l := table.find(account)
			require.Same(t, model[account], l)
			switch {
			case l == nil:
				l = newLane(account, newShard(maphash.MakeSeed()))
				table.add(l)
				model[account] = l
			case dice.IntN(2) == 0:
				table.remove(l)
				require.Nil(t, l.next)
				delete(model, account)
			}
			require.Equal(t, len(model), table.n)
		}
		seen := map[string]*lane{}
		for l := range table.all() {
			require.NotContains(t, seen, l.account)
			seen[l.account] = l
			table.remove(l)
		}
		require.Equal(t, model, seen)
		require.Nil(t, table.find("0"))
		for range table.all() {
			require.Fail(t, "it is empty")
		}
	}
}

// Two accounts of one hash are two lanes.
func TestLanes_SameHash(t *testing.T) {
	t.Parallel()
	table := lanes{seed: maphash.MakeSeed()}
	a, b := newLane("a", newShard(maphash.MakeSeed())), newLane("b", newShard(maphash.MakeSeed()))
	table.add(a)
	table.add(b)
	table.remove(b)
	b.line.hash = a.line.hash
	table.n++
	table.place(b)
	require.Same(t, a, table.find("a"))
	table.remove(a)
	require.Nil(t, table.find("a"))
	require.Equal(t, 1, table.n)
}
