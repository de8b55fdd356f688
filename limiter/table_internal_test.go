package limiter

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/policy"
)

// TestNames adds and removes accounts with keys of all lengths, which differ little and
// whose hashes are all alike.
func TestNames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var accounts table
		accounts.room = rapid.SampledFrom([]int{0, 4, 10, 18}).Draw(t, "room")
		known := map[string]uint32{}
		keys := rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat(rapid.SampledFrom([]string{"a", "\x00"}).Draw(t, "filling"), rapid.IntRange(0, 40).Draw(t, "length")) +
				rapid.SampledFrom([]string{"a", "b", "\x00", "\xff"}).Draw(t, "last")
		})
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			key := keys.Draw(t, "key")
			i, ok := accounts.find(1, key)
			want, isKnown := known[key]
			require.Equal(t, isKnown, ok, "%q, valid %v", key, utf8.ValidString(key))
			if ok {
				require.Equal(t, want, i)
				require.Equal(t, key, accounts.key(accounts.at(i).name))
				accounts.remove(1, i)
				delete(known, key)
				require.Equal(t, account{}, *accounts.at(i))
			} else {
				known[key] = accounts.add(1, key)
			}
		}
		require.LessOrEqual(t, int(accounts.long.n)-len(accounts.long.free), len(known))
		require.Equal(t, len(known), int(accounts.n())-len(accounts.bare.free)-len(accounts.narrow.free)-len(accounts.middle.free)-len(accounts.wide.free))
	})
}

// bytesOf is what rows of words and an index take.
func bytesOf(rows []slab[int64], of index) (total int) {
	for _, r := range rows {
		for _, page := range r.pages {
			total += 8 * len(page)
		}
	}
	return total + 8*len(of.slots)
}

// TestAnAccountCosts200Bytes adds up what accounts take under the standard policy, once
// they have sent and once they have looked up too.
func TestAnAccountCosts200Bytes(t *testing.T) {
	t.Parallel()
	l, err := New(policy.Standard(), &Options{Seed: 1})
	require.NoError(t, err)
	now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	const n = 100_000
	cost := func() int {
		total := 0
		for k := range l.shards {
			s := &l.shards[k]
			for _, page := range s.accounts.middle.pages {
				total += 128 * len(page)
			}
			total += bytesOf(s.rows, s.accounts.index)
		}
		return total / n
	}
	for i := range n {
		require.Equal(t, Allowed, l.Allow(now, Request{Account: fmt.Sprint("4477009", i), Action: policy.SendMessage}).Answer)
	}
	sent := cost()
	require.LessOrEqual(t, sent, 180)
	require.Greater(t, sent, 128)
	for i := range n {
		require.Equal(t, Allowed, l.Allow(now, Request{Account: fmt.Sprint("4477009", i), Action: policy.GroupInfo}).Answer)
	}
	require.LessOrEqual(t, cost(), sent+56)
	require.Greater(t, cost(), sent+39)
}
