package queue

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The checks of a lane are those that a plain list of them names, whatever is parked
// and taken out, and no check without a message is kept.
func TestChecks_Model(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		epoch := time.Unix(0, 0)
		now := epoch
		c := &checks{all: make(map[string]*check)}
		until := map[*check]time.Time{} // of those that rest
		campaigns := make([]*campaign, 3)
		for i := range campaigns {
			campaigns[i] = &campaign{title: &title{campaignName: campaignName{priority: int32(i) - 1}}}
		}
		var items []*item
		of := func(check *check) *item {
			var first *item
			for _, it := range items {
				if it.to == check.to && (first == nil || ranks(it, first)) {
					first = it
				}
			}
			return first
		}
		known := func() []*check {
			var all []*check
			for _, check := range c.all {
				all = append(all, check)
			}
			slices.SortFunc(all, func(a, b *check) int { return cmp.Compare(a.to, b.to) })
			return all
		}
		for n := range rapid.IntRange(1, 80).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1:
				it := &item{
					core:     core{seq: rapid.Uint64Range(0, 1<<20).Draw(t, "seq")<<8 | uint64(n), to: rapid.StringMatching("[a-f]").Draw(t, "to")},
					campaign: rapid.SampledFrom(campaigns).Draw(t, "campaign"),
				}
				to := c.all[it.to]
				if to == nil {
					to = &check{to: it.to, priority: it.campaign.priority, seq: it.seq}
					c.all[it.to] = to
					c.ask(to)
				}
				items = append(items, it)
				c.park(to, it)
			case 2:
				if len(items) > 0 {
					i := rapid.IntRange(0, len(items)-1).Draw(t, "out")
					c.unpark(items[i])
					items = slices.Delete(items, i, i+1)
				}
			case 3:
				if len(c.all) > 0 {
					check := rapid.SampledFrom(known()).Draw(t, "failed")
					c.take(check)
					c.fail(check, now)
					until[check] = now.Add(rest(int(check.failed)))
				}
			case 4:
				now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			}
			var want *check
			var next time.Time
			for _, check := range known() {
				switch {
				case until[check].After(now):
					if next.IsZero() || until[check].Before(next) {
						next = until[check]
					}
				case want == nil || ranks(of(check), of(want)):
					want = check
				}
			}
			require.True(t, want == c.first(now))
			if want != nil {
				next = c.until
			}
			due, ok := c.due()
			require.Equal(t, len(c.all) > 0, ok)
			require.Equal(t, next, due)
			require.Len(t, c.all, len(c.asking)+len(c.resting))
			for _, check := range known() {
				require.True(t, of(check) == check.parked[0])
			}
		}
	})
}
