package registry_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/limiter/registry"
	"github.com/wapace/wapace/policy"
)

var monday = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)

const alice = "447700900001"

// setup is a limiter under Standard and a registry of the presets in front of it.
func setup(t testing.TB, s registry.Store) (*limiter.Limiter, *registry.Registry) {
	t.Helper()
	l, err := limiter.New(policy.Standard(), &limiter.Options{Seed: 7})
	require.NoError(t, err)
	r, err := registry.Open(t.Context(), monday, l, policy.Presets(), s)
	require.NoError(t, err)
	return l, r
}

func send(account string) limiter.Request {
	return limiter.Request{Account: account, Action: policy.SendMessage}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	l, r := setup(t, new(registry.Memory))
	ctx := t.Context()
	require.Equal(t, registry.Account{Name: alice}, r.Account(alice))
	require.Equal(t, "standard_policy", r.Policy(alice).Slug)

	require.NoError(t, r.Choose(ctx, monday, alice, "strict", "user 1"))
	require.Equal(t, "strict", r.Policy(alice).Slug)
	require.Equal(t, "strict", l.PolicyOf(alice).Slug)

	require.NoError(t, r.Choose(ctx, monday.Add(time.Hour), alice, "standard", "user 2"), "by its alias")
	require.Equal(t, "standard_policy", r.Account(alice).Policy)
	require.NoError(t, r.Choose(ctx, monday.Add(2*time.Hour), alice, "standard_policy", "user 3"), "it has that")
	require.Equal(t, []registry.Change{
		{At: monday, By: "user 1", Policy: "strict"},
		{At: monday.Add(time.Hour), By: "user 2", Policy: "standard_policy"},
	}, r.Account(alice).Changes)
	require.Equal(t, "standard_policy", r.Policy("447700900002").Slug, "another account")
	require.Equal(t, []registry.Account{r.Account(alice)}, r.Accounts())
}

func TestPlanGate(t *testing.T) {
	t.Parallel()
	l, r := setup(t, new(registry.Memory))
	ctx := t.Context()
	err := r.Choose(ctx, monday, alice, "unlimited", "user")
	require.ErrorIs(t, err, policy.ErrPaidPlan)
	require.ErrorIs(t, r.Choose(ctx, monday, alice, "none", "user"), policy.ErrUnknownPolicy)
	require.Empty(t, r.Accounts())

	require.NoError(t, r.SetPaid(ctx, monday, alice, true, "billing"))
	require.NoError(t, r.Choose(ctx, monday, alice, "unlimited", "user"))
	require.Equal(t, "unlimited", l.PolicyOf(alice).Slug)

	require.NoError(t, r.SetPaid(ctx, monday, alice, false, "billing"))
	require.Equal(t, "standard_policy", l.PolicyOf(alice).Slug, "the plan has ended")
	require.Equal(t, registry.Account{Name: alice, Changes: []registry.Change{
		{At: monday, By: "billing", Paid: true},
		{At: monday, By: "user", Policy: "unlimited", Paid: true},
		{At: monday, By: "billing"},
	}}, r.Account(alice))
	require.NoError(t, r.SetPaid(ctx, monday, alice, false, "billing"), "it has none")
	require.Len(t, r.Account(alice).Changes, 3)

	require.NoError(t, r.Choose(ctx, monday, alice, "strict", "user"))
	require.NoError(t, r.SetPaid(ctx, monday, alice, true, "billing"))
	require.NoError(t, r.SetPaid(ctx, monday, alice, false, "billing"))
	require.Equal(t, "strict", r.Policy(alice).Slug, "a free policy stays")
}

// Who changes policies gets no budget back.
func TestChangesFreeNothing(t *testing.T) {
	t.Parallel()
	l, r := setup(t, new(registry.Memory))
	now, sent := monday.Truncate(24*time.Hour), 0
	for range 24 * 60 {
		for _, slug := range []string{"standard", "strict"} {
			require.NoError(t, r.Choose(t.Context(), now, alice, slug, "user"))
		}
		if l.Allow(now, send(alice)).Answer == limiter.Allowed {
			sent++
		}
		now = now.Add(time.Minute)
	}
	require.Equal(t, 200, sent)
	require.Len(t, r.Account(alice).Changes, registry.MaxChanges)
	require.Equal(t, now.Add(-time.Minute), r.Account(alice).Changes[registry.MaxChanges-1].At)
}

func TestOpenAppliesWhatWasKept(t *testing.T) {
	t.Parallel()
	store := new(registry.Memory)
	_, before := setup(t, store)
	require.NoError(t, before.Choose(t.Context(), monday, alice, "strict", "user"))
	require.NoError(t, before.SetPaid(t.Context(), monday, "447700900002", true, "billing"))

	l, after := setup(t, store)
	require.Equal(t, before.Accounts(), after.Accounts())
	require.Equal(t, "strict", l.PolicyOf(alice).Slug)
	require.Equal(t, "standard_policy", l.PolicyOf("447700900002").Slug)
}

// stub is a store that does as it is told.
type stub struct {
	registry.Memory
	load []registry.Account
	err  error
}

func (s *stub) Load(context.Context) ([]registry.Account, error) { return s.load, s.err }

func (s *stub) Save(ctx context.Context, a registry.Account) error {
	if s.err != nil {
		return s.err
	}
	return s.Memory.Save(ctx, a)
}

var errDisk = errors.New("disk full")

func TestWhatIsNotKeptIsNotInForce(t *testing.T) {
	t.Parallel()
	store := &stub{}
	l, r := setup(t, store)
	store.err = errDisk
	require.ErrorIs(t, r.Choose(t.Context(), monday, alice, "strict", "user"), errDisk)
	require.ErrorIs(t, r.SetPaid(t.Context(), monday, alice, true, "user"), errDisk)
	require.Equal(t, registry.Account{Name: alice}, r.Account(alice))
	require.Equal(t, "standard_policy", l.PolicyOf(alice).Slug)

	store.err = nil
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errDisk)
	require.ErrorIs(t, r.Choose(ctx, monday, alice, "strict", "user"), errDisk)
	require.Equal(t, "standard_policy", l.PolicyOf(alice).Slug)
}

func TestOpenOfWhatCannotBe(t *testing.T) {
	t.Parallel()
	l, err := limiter.New(policy.Policy{Slug: "own", Rules: []policy.Rule{
		{Name: "group", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 9, Window: time.Hour}},
	}}, nil)
	require.NoError(t, err)
	one := func(p policy.Policy) policy.Catalog { return policy.Catalog{Offers: []policy.Offer{{Policy: p}}} }
	otherGroup := policy.Policy{Slug: "other", Rules: []policy.Rule{
		{Name: "group", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 1, Window: time.Hour}},
	}}
	tests := []struct {
		name    string
		limiter *limiter.Limiter
		catalog policy.Catalog
		store   registry.Store
		at      time.Time
		want    []string
	}{
		{"no limiter", nil, policy.Presets(), &stub{}, monday, []string{"limiter nil"}},
		{"no store", l, policy.Presets(), nil, monday, []string{"store nil"}},
		{"no time", l, policy.Presets(), &stub{}, time.Time{}, []string{"use a time of the years 1678 to 2261"}},
		{"store fails", l, policy.Presets(), &stub{err: errDisk}, monday, []string{"disk full"}},
		{"no slug", l, one(policy.Policy{}), &stub{}, monday, []string{`offers[0]: slug "": give`}},
		{"a slug twice", l, policy.Catalog{Offers: []policy.Offer{{Policy: policy.Strict()}, {Policy: policy.Strict()}}}, &stub{}, monday, []string{`offers[1]: slug "strict": given twice`}},
		{"a bad policy", l, one(policy.Policy{Slug: "bad", ID: -1}), &stub{}, monday, []string{`offers[0] "bad"`, "id"}},
		{"a portfolio rule of its own", l, one(otherGroup), &stub{}, monday, []string{"portfolio rules are the limiter's own"}},
		{"every bad account", l, policy.Presets(), &stub{load: []registry.Account{
			{Name: ""}, {Name: alice, Policy: "gone"}, {Name: "b"}, {Name: "b"}, {Name: "a\x00"}, {Name: "\xff"}, {Name: strings.Repeat("n", 257)},
			{Name: "c", Changes: []registry.Change{{At: monday}}},
		}}, monday, []string{
			`account "": name`, `account "4477******01": policy: unknown policy: slug: "gone"`, `account "b": kept twice`, "without NUL", "use UTF-8", "at most 256 bytes", `by "": name who`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := registry.Open(t.Context(), tt.at, tt.limiter, tt.catalog, tt.store)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), alice)
		})
	}
	require.Equal(t, "own", l.PolicyOf(alice).Slug)
}

func TestChangesThatCannotBe(t *testing.T) {
	t.Parallel()
	_, r := setup(t, new(registry.Memory))
	for name, change := range map[string]error{
		"no account":   r.Choose(t.Context(), monday, "", "strict", "user"),
		"NUL":          r.Choose(t.Context(), monday, alice+"\x00", "strict", "user"),
		"long":         r.Choose(t.Context(), monday, strings.Repeat("4", 257), "strict", "user"),
		"not UTF-8":    r.SetPaid(t.Context(), monday, "\xff", true, "user"),
		"nobody":       r.Choose(t.Context(), monday, alice, "strict", ""),
		"a long name":  r.Choose(t.Context(), monday, alice, "strict", strings.Repeat("u", 257)),
		"no time":      r.Choose(t.Context(), time.Time{}, alice, "strict", "user"),
		"a late time":  r.Choose(t.Context(), monday.AddDate(300, 0, 0), alice, "strict", "user"),
		"beyond years": r.Choose(t.Context(), monday.AddDate(9000, 0, 0), alice, "strict", "user"),
	} {
		require.ErrorIs(t, change, registry.ErrChange, name)
		require.NotContains(t, change.Error(), alice)
	}
	require.Empty(t, r.Accounts())
}

// What is handed out is the caller's to change.
func TestAccountsAreCopies(t *testing.T) {
	t.Parallel()
	_, r := setup(t, new(registry.Memory))
	require.NoError(t, r.Choose(t.Context(), monday, alice, "strict", "user"))
	r.Account(alice).Changes[0].By = "nobody"
	r.Accounts()[0].Changes[0].By = "nobody"
	require.Equal(t, "user", r.Account(alice).Changes[0].By)
}

// The limiter ends under what was kept last, however many change and ask at once.
func TestManyChangeAtOnce(t *testing.T) {
	t.Parallel()
	store := new(registry.Memory)
	l, r := setup(t, store)
	var changing sync.WaitGroup
	for i := range 8 {
		changing.Go(func() {
			for j := range 50 {
				account := fmt.Sprint("account ", (i+j)%3)
				slug := []string{"strict", "standard"}[(i*j)%2]
				if err := r.Choose(t.Context(), monday, account, slug, "user"); err != nil {
					t.Error(err)
				}
				r.Policy(account)
				l.Allow(monday, send(account))
			}
		})
	}
	changing.Wait()
	kept, err := store.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, kept, r.Accounts())
	for _, a := range kept {
		require.Equal(t, a.Policy, l.PolicyOf(a.Name).Slug)
	}
}
