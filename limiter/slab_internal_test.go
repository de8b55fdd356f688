package limiter

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReachLeavesRowsAsTheyAre makes room for rows in any order, as accounts do that
// come home from another policy.
func TestReachLeavesRowsAsTheyAre(t *testing.T) {
	t.Parallel()
	var s slab[int64]
	const items = 3
	rows := []uint32{2*pageRows + 7, 0, 3, 5, 1, pageRows - 1, pageRows, 2 * pageRows, 4}
	for n, i := range rows {
		s.reach(i, items)
		for k := range s.row(i, items) {
			s.row(i, items)[k] = int64(i)
		}
		for _, before := range rows[:n+1] {
			require.Equal(t, []int64{int64(before), int64(before), int64(before)}, s.row(before, items))
		}
	}
}
