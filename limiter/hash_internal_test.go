package limiter

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHashesAreSpread puts numbers that follow one another, as those of phones do, into
// shards and slots.
func TestHashesAreSpread(t *testing.T) {
	t.Parallel()
	h := newHasher()
	const n = 1 << 16
	var shards [shardCount]int
	slots := map[uint64]int{}
	for i := range n {
		hash := h.of(strconv.Itoa(447_000_000 + i))
		shards[hash%shardCount]++
		slots[hash>>32%n]++
	}
	for _, members := range shards {
		require.InDelta(t, n/shardCount, members, n/shardCount/4)
	}
	require.InDelta(t, 0.632*n, len(slots), 0.01*n, "as many as by chance")
}
