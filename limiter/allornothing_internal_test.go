package limiter

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// state is all that the limiter keeps, as text: what is in use and what is free,
// but not how far a search for idle records has come.
func (l *Limiter) state() string {
	var b strings.Builder
	fmt.Fprintln(&b, l.accounts.Load(), l.groups.Load())
	for i := range l.shards {
		l.shards[i].write(&b, fmt.Sprint("account shard ", i))
		l.portfolios[i].write(&b, fmt.Sprint("portfolio shard ", i))
	}
	return b.String()
}

func (s *shard) write(b *strings.Builder, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.serial == 0 && s.accounts.n() == 0 {
		return
	}
	fmt.Fprintln(b, name, s.serial, s.accounts.room, s.accounts.bare, s.accounts.narrow, s.accounts.middle, s.accounts.wide, s.accounts.long, s.accounts.index, s.pairs.slab, s.pairs.index, s.rows, s.flights, s.stock.logs.free, s.stock.sets.free)
	for _, log := range s.stock.logs.all {
		fmt.Fprintln(b, log)
	}
	for _, set := range s.stock.sets.all {
		if set != nil {
			fmt.Fprintln(b, set.ring, set.first, set.n, set.alive, set.index)
		}
	}
}

// TestARefusalChangesNothing has each rule of each scope refuse in turn, in front of
// all others and behind, for holders that are known and that are new.
func TestARefusalChangesNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	const size = 3000
	account, recipient, portfolio := policy.ScopeAccount, policy.ScopeRecipient, policy.ScopePortfolio
	kinds := []struct {
		scopes []policy.Scope
		limit  func(n int64) policy.Limit // what allows n
	}{
		{[]policy.Scope{account, recipient, portfolio}, func(n int64) policy.Limit {
			return policy.TokenBucket{Max: 1, Per: time.Hour, Burst: n}
		}},
		{[]policy.Scope{account, recipient, portfolio}, func(n int64) policy.Limit {
			return policy.SlidingWindow{Max: n, Window: time.Hour}
		}},
		{[]policy.Scope{account, recipient, portfolio}, func(n int64) policy.Limit {
			return policy.CalendarWindow{Max: n, Unit: policy.Day}
		}},
		{[]policy.Scope{account, portfolio}, func(n int64) policy.Limit {
			return policy.UniqueRecipients{Max: n, Window: time.Hour}
		}},
		{[]policy.Scope{account, portfolio}, func(n int64) policy.Limit {
			return policy.NewContacts{Max: n, Window: time.Hour}
		}},
		{[]policy.Scope{account, recipient}, func(n int64) policy.Limit { return policy.Concurrency{Max: n} }},
		{[]policy.Scope{account, recipient}, func(n int64) policy.Limit {
			return policy.Gap{Min: time.Hour, Max: 2 * time.Hour, Every: n}
		}},
		{[]policy.Scope{account}, func(n int64) policy.Limit {
			return policy.ActiveHours{From: time.Duration(min(9, size-n)) * time.Hour, To: 24 * time.Hour}
		}},
	}
	var loose, tight []policy.Rule
	for i, kind := range kinds {
		for _, scope := range kind.scopes {
			r := policy.Rule{Name: fmt.Sprint(scope, " ", i), Scope: scope, Limit: kind.limit(size)}
			loose = append(loose, r)
			r.Limit = kind.limit(1)
			tight = append(tight, r)
		}
	}
	for k, refusing := range tight {
		rules := slices.Concat(loose[:k], loose[k+1:])
		_, inFlight := refusing.Limit.(policy.Concurrency)
		if inFlight { // gaps refuse while it does
			rules = slices.DeleteFunc(rules, func(r policy.Rule) bool { return strings.HasSuffix(r.Name, " 6") })
		}
		for _, rules := range [][]policy.Rule{append(rules[:len(rules):len(rules)], refusing), append([]policy.Rule{refusing}, rules...)} {
			l, err := New(policy.Policy{Rules: rules}, &Options{Seed: 1, PermitTTL: -1})
			require.NoError(t, err)
			req := func(account, recipient, portfolio string) Request {
				return Request{Account: account, Recipient: recipient, Portfolio: portfolio, Action: policy.SendMessage, NewContact: true}
			}
			p, d := l.Take(now, req("a", "r", "p"))
			if !inFlight {
				p.Settle(now, Sent)
			}
			if _, hours := refusing.Limit.(policy.ActiveHours); !hours {
				require.Equal(t, Allowed, d.Answer, "%s: %+v", refusing.Name, d)
			}
			refused := 0
			for _, next := range []Request{
				req("a", "r", "p"), req("a", "new", "p"), req("a", "r", "new"), req("a", "new", "new"),
				req("new", "new", "p"), req("new", "r", "new"),
				{Account: "new", Recipient: "new", Portfolio: "new", Action: policy.SendMessage, Cost: size + 1},
				{Account: "a", Recipient: "r", Portfolio: "p", Action: policy.SendMessage, Keep: size},
			} {
				before := l.state()
				d := l.Check(now, next)
				l.Gates(now, next)
				require.Equal(t, before, l.state(), "%s: asking about %+v", refusing.Name, next)
				if d.Answer == Allowed {
					continue
				}
				if next.Cost+next.Keep == 0 {
					require.Equal(t, refusing.Name, d.Rule, "%+v", next)
					refused++
				}
				p, _ := l.Take(now, next)
				require.Equal(t, Permit{}, p)
				l.Allow(now, next)
				require.Equal(t, before, l.state(), "%s: %+v", refusing.Name, next)
			}
			require.GreaterOrEqual(t, refused, 2, refusing.Name)
		}
	}
}
