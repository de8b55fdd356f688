package limiter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/policy"
)

// kept counts what a limiter keeps, in use or free. None of it ever shrinks, so
// what stays the same is used again.
type kept struct {
	accounts, pairs, rows, logs, sets, flights uint32
	slots                                      int
}

func (l *Limiter) kept() (k kept) {
	for _, shards := range []*[shardCount]shard{&l.shards, &l.portfolios} {
		for i := range shards {
			s := &shards[i]
			k.accounts += s.accounts.n()
			k.pairs += s.pairs.slab.n
			k.flights += s.flights.n
			for _, rows := range s.rows {
				k.rows += rows.n
			}
			k.logs += uint32(len(s.stock.logs.all))
			k.sets += uint32(len(s.stock.sets.all))
			k.slots += len(s.accounts.index.slots) + len(s.pairs.index.slots)
		}
	}
	return k
}

// TestWhatIsForgottenIsUsedAgain has accounts, recipients and portfolios come and go
// under rules that keep rows, logs and sets, and permits that are never settled.
func TestWhatIsForgottenIsUsedAgain(t *testing.T) {
	t.Parallel()
	window := policy.SlidingWindow{Max: 3, Window: time.Second}
	people := policy.UniqueRecipients{Max: 3, Window: time.Second}
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "sliding", Limit: window},
		{Name: "chunked", Limit: policy.SlidingWindow{Max: 5000, Window: time.Second}},
		{Name: "bucket", Limit: policy.TokenBucket{Max: 3, Per: time.Second, Burst: 3}},
		{Name: "people", Limit: people},
		{Name: "pair", Limit: window, Scope: policy.ScopeRecipient},
		{Name: "pair bucket", Limit: policy.TokenBucket{Max: 1, Per: time.Second}, Scope: policy.ScopeRecipient},
		{Name: "ours", Limit: window, Scope: policy.ScopePortfolio},
		{Name: "audience", Limit: people, Scope: policy.ScopePortfolio},
	}}
	l, err := New(p, &Options{Seed: 1, MaxAccounts: 200, PermitTTL: time.Second})
	require.NoError(t, err)
	now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	next := 0
	churn := func(n int) (refused int) {
		for range n {
			next++
			now = now.Add(40 * time.Millisecond)
			permit, d := l.Take(now, Request{
				Account: fmt.Sprint("a", next), Portfolio: fmt.Sprint("p", next), Recipient: fmt.Sprint("r", next),
				Action: policy.SendMessage,
			})
			if d.Answer != Allowed {
				refused++
			}
			if next%2 == 0 {
				permit.Settle(now, Outcome(next%3))
			}
		}
		return refused
	}
	require.Zero(t, churn(2500))
	before := l.kept()
	for _, n := range []uint32{before.accounts, before.pairs, before.logs, before.sets, before.flights} {
		require.Positive(t, n)
	}
	require.Zero(t, churn(2500), "there is room all the time")
	after := l.kept()
	// How many of them hash to one shard is chance, so its most may still grow.
	for _, n := range [][2]uint32{
		{before.accounts, after.accounts},
		{before.pairs, after.pairs},
		{before.rows, after.rows},
		{before.logs, after.logs},
		{before.sets, after.sets},
		{before.flights, after.flights},
		{uint32(before.slots), uint32(after.slots)},
	} {
		require.Less(t, 3*n[1], 4*n[0], "%+v, then %+v", before, after)
	}
	require.LessOrEqual(t, l.accounts.Load(), int64(200))
}

// TestIdlePairsAreForgotten has one account write to new recipients all the time.
func TestIdlePairsAreForgotten(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]policy.Limit{
		"bucket": policy.TokenBucket{Max: 1, Per: 6 * time.Second, Burst: 45},
		"gap":    policy.Gap{Min: 6 * time.Second, Max: 6 * time.Second},
		"window": policy.SlidingWindow{Max: 10, Window: 6 * time.Second},
	} {
		l, err := New(policy.Policy{Rules: []policy.Rule{{Name: "pair", Scope: policy.ScopeRecipient, Limit: limit}}}, &Options{Seed: 1})
		require.NoError(t, err)
		now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
		for i := range 5_000 {
			now = now.Add(20 * time.Millisecond)
			d := l.Allow(now, Request{Account: "a", Recipient: fmt.Sprint(i), Action: policy.SendMessage})
			require.Equal(t, Allowed, d.Answer)
		}
		k := l.kept()
		// 300 are less than 6 s old, and each new one looks at two.
		require.Less(t, k.pairs, uint32(800), "%s: %+v", name, k)
		require.Less(t, k.rows, uint32(800), "%s: %+v", name, k)
		require.Less(t, k.logs, uint32(800), "%s: %+v", name, k)
	}
}

// TestAPairCosts64Bytes adds up what the records of an account's recipients take,
// at every number of them up to 25,000 at which something has just grown.
func TestAPairCosts64Bytes(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]policy.Limit{
		"bucket": policy.TokenBucket{Max: 1, Per: time.Hour, Burst: 45},
		"gap":    policy.Gap{Min: time.Hour, Max: 2 * time.Hour},
	} {
		l, err := New(policy.Policy{Rules: []policy.Rule{{Name: "pair", Scope: policy.ScopeRecipient, Limit: limit}}}, &Options{Seed: 1})
		require.NoError(t, err)
		now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
		worst := 0
		for i := range 25_000 {
			if l.Allow(now, Request{Account: "a", Recipient: fmt.Sprint(i), Action: policy.SendMessage}).Answer != Allowed {
				t.Fatal("refused")
			}
			if n := i + 1; n >= 5_000 && n%pageRows == 1 {
				total := 0
				for k := range l.shards {
					s := &l.shards[k]
					for _, page := range s.pairs.slab.pages {
						total += 16 * len(page)
					}
					total += bytesOf(s.rows, s.pairs.index)
				}
				worst = max(worst, (total+n-1)/n)
			}
		}
		require.LessOrEqual(t, worst, 64, name)
		require.Greater(t, worst, 32, name)
	}
}

// TestIndexAgainstAMap adds and removes accounts and pairs whose hashes collide.
func TestIndexAgainstAMap(t *testing.T) {
	t.Parallel()
	var keys [41]string
	for n := range keys {
		keys[n] = fmt.Sprint(n)
	}
	rapid.Check(t, func(t *rapid.T) {
		var accounts table
		var of pairs
		known, paired := map[string]uint32{}, map[[2]uint64]uint32{}
		hashOf := func(key int) uint64 { return uint64(key%5)<<32 | uint64(key%3)<<61 | uint64(key) }
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			n := rapid.IntRange(0, 40).Draw(t, "key")
			key, hash := keys[n], hashOf(n)
			if i, ok := known[key]; ok {
				accounts.remove(hash, i)
				delete(known, key)
			} else {
				known[key] = accounts.add(hash, key)
			}
			pair := [2]uint64{uint64(n % 4), uint64(n / 4)}
			if i, ok := paired[pair]; ok {
				of.remove(i)
				delete(paired, pair)
			} else {
				paired[pair] = of.add(uint32(pair[0]), pair[1])
			}
			for n := range keys {
				want, ok := known[keys[n]]
				if got, found := accounts.find(hashOf(n), keys[n]); found != ok || got != want {
					t.Fatalf("account %d: %d, %v; want %d, %v", n, got, found, want, ok)
				}
				pair := [2]uint64{uint64(n % 4), uint64(n / 4)}
				want, ok = paired[pair]
				if got, found := of.find(uint32(pair[0]), pair[1]); found != ok || got != want {
					t.Fatalf("pair %v: %d, %v; want %d, %v", pair, got, found, want, ok)
				}
			}
			require.Equal(t, len(known), accounts.index.used)
			require.Equal(t, len(paired), of.index.used)
			require.LessOrEqual(t, accounts.n(), uint32(41), "numbers are used again")
		}
	})
}

// TestARefusedFloodKeepsNothing pours new keys, recipients and portfolios over a
// limiter that is full.
func TestARefusedFloodKeepsNothing(t *testing.T) {
	t.Parallel()
	window := policy.SlidingWindow{Max: 3, Window: time.Hour}
	l, err := New(policy.Policy{Rules: []policy.Rule{
		{Name: "account", Limit: window},
		{Name: "pair", Limit: window, Scope: policy.ScopeRecipient},
		{Name: "portfolio", Limit: window, Scope: policy.ScopePortfolio},
	}}, &Options{Seed: 1, MaxAccounts: 200})
	require.NoError(t, err)
	now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	take := func(i int) Answer {
		key := fmt.Sprint(i)
		_, d := l.Take(now, Request{Account: key, Portfolio: key, Recipient: key, Action: policy.SendMessage})
		return d.Answer
	}
	for i := range 200 {
		require.Equal(t, Allowed, take(i))
	}
	before := l.state()
	for i := range 5_000 {
		if take(200+i) != Busy {
			t.Fatal("not refused:", i)
		}
	}
	require.Equal(t, before, l.state())
}
