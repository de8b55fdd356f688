package queue

import (
	"fmt"
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
			line, now := line{shard: &shard{chains: make(map[chain]*item)}}, time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
			seq := uint64(0)
			come := func() *item {
				seq++
				it := &item{seq: seq, record: &Record{Message: Message{ID: fmt.Sprint(seq), To: "447700900001"}, Order: seq}}
				line.join(it, now)
				return it
			}
			var all []*item
			for range n {
				all = append(all, come())
			}
			gone := *come().record
			gone.ID, gone.Order = "gone", seq+n+1
			order(all)
			walked := 0
			seek := func(r *Record) *item {
				it, steps := line.seek(line.shard.chains[chain{line.heard()[0], r.To}], r)
				walked += steps
				return it
			}
			for i, it := range all {
				if i%10 == 0 {
					late := come()
					require.Same(t, late, seek(late.record))
					require.Nil(t, seek(&gone))
				}
				require.Same(t, it, seek(it.record))
				r := *it.record
				line.leave(it, now)
				require.Nil(t, seek(&r))
			}
			require.Less(t, walked, 10*n+4*mostWalked)
		})
	}
}
