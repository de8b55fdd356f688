package limiter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// A snapshot whose parts do not go together is refused, whoever made it: it would keep
// an account busy for good, count below nothing, or leave its rests to another.
func TestSnapshotThatDoesNotAgreeWithItselfIsRefused(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "two", Limit: policy.Concurrency{Max: 2}},
		{Name: "gap", Limit: policy.Gap{Min: time.Second, Max: time.Second}},
		{Name: "one each", Scope: policy.ScopeRecipient, Limit: policy.Concurrency{Max: 1}},
		{Name: "pause each", Scope: policy.ScopeRecipient, Limit: policy.Gap{Min: time.Second, Max: time.Second}},
		{Name: "thousands", Limit: policy.SlidingWindow{Max: 5000, Window: time.Hour}},
		{Name: "day each", Scope: policy.ScopeRecipient, Limit: policy.SlidingWindow{Max: 9, Window: 24 * time.Hour}},
	}}
	fewer := p
	fewer.Rules = p.Rules[:5]
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	l, err := New(p, nil)
	require.NoError(t, err)
	req := Request{Account: "a", Action: policy.SendMessage, Recipient: "r"}
	_, d := l.Take(now, req)
	require.Equal(t, Allowed, d.Answer)
	require.NoError(t, l.SetPolicy(now, "a", fewer))
	b, err := l.Snapshot(now, "a")
	require.NoError(t, err)
	for name, spoil := range map[string]func(*picture){
		"as it is":                     func(*picture) {},
		"more are in flight":           func(p *picture) { p.records[0].words[0]++ },
		"none is in flight":            func(p *picture) { p.records[0].words[0] = 0 },
		"more to the recipient":        func(p *picture) { p.pairs[0].records[0].words[0]++ },
		"none to the recipient":        func(p *picture) { p.pairs[0].records[0].words[0] = 0 },
		"a pause for ever":             func(p *picture) { p.records[0].words[0], p.flights = 0, nil; p.pairs[0].records[0].words[0] = 0 },
		"a pause of another recipient": func(p *picture) { p.flights[0].pair, p.flights[0].rules = 0, 3 },
		"a permit of tomorrow":         func(p *picture) { p.flights[0].at.tick = p.last + 1 },
		"a rest of somebody else":      func(p *picture) { p.rests[0].recipient++ },
		"totals that come round": func(p *picture) {
			p.records[2].logs = [][]int64{{1, 2, 3, 4}, {1 << 62, -1 << 63, -1 << 62, 5}}
		},
		"a surplus of a gap": func(p *picture) {
			p.rests[0].rule.Limit = policy.Gap{Min: time.Second, Max: time.Second}
			p.rests[0].record, p.rests[0].surplus = saved{words: []int64{0, 0}}, true
		},
	} {
		spoiled, _, err := readPicture(b)
		require.NoError(t, err)
		spoil(&spoiled)
		bad, err := spoiled.write()
		require.NoError(t, err)
		again, err := New(p, nil)
		require.NoError(t, err)
		if err := again.Restore(now, bad); name == "as it is" {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, ErrSnapshot, name)
			require.Zero(t, again.Accounts(), name)
		}
	}
}
