package queue

import (
	"hash/maphash"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// To find each message of one recipient's, in whatever order, takes a few steps for
// each, however many there are; and what is found is what is there.
func TestSeek_LongChains(t *testing.T) {
	t.Parallel()
	const n = 100_000
	orders := map[string]func(all []*item){
		"first to last": func([]*item) {},
		"last to first": func(all []*item) {
			for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
				all[i], all[j] = all[j], all[i]
			}
		},
		"in no order": func(all []*item) {
			rand.New(rand.NewPCG(1, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		},
	}
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			line, now := newLine(newShard(maphash.MakeSeed())), time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
			seq := uint64(0)
			come := func() *item {
				seq++
				it := &item{core: core{seq: seq, to: "447700900001"}}
				line.join(it, "", 0, now)
				return it
			}
			var all []*item
			for range n {
				all = append(all, come())
			}
			order(all)
			walked := 0
			seek := func(seq uint64) *item {
				it, steps := line.seek(line.last(line.known(campaignName{}), "447700900001"), &Record{Order: seq})
				walked += steps
				return it
			}
			come() // stays, so that there is a chain
			for i, it := range all {
				if i%10 == 0 {
					late := come()
					require.Same(t, late, seek(late.seq))
					require.Nil(t, seek(2*n))
				}
				require.Same(t, it, seek(it.seq))
				line.leave(it, now)
				require.Nil(t, seek(it.seq))
			}
			require.Less(t, walked, 10*n+4*mostWalked)
		})
	}
}
