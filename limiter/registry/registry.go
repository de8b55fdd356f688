package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A Registry is which account has chosen which policy of a catalog. All may use it
// at once; changes are made one after the other, and nobody who only asks waits for
// the store.
type Registry struct {
	limiter *limiter.Limiter
	catalog policy.Catalog
	own     policy.Policy // the limiter's
	store   Store
	trial   *limiter.Limiter // on which a change is tried before it is kept

	changing sync.Mutex // one change at a time, from the question to the limiter

	mu       sync.RWMutex
	accounts map[string]Account
}

// Open returns a registry of what the store has kept, and puts the limiter under it
// from now on: each account under the policy that it has chosen of the catalog. A
// choice that was once allowed stands, whatever plan it would need today. An account
// that has not chosen is under the limiter's own policy.
//
// Errors: those of the store; a catalog with a policy that the limiter cannot have,
// or with a slug twice; an account that cannot be, or whose policy is not in the
// catalog any more, all of them joined. The limiter is unchanged then.
func Open(ctx context.Context, now time.Time, l *limiter.Limiter, c policy.Catalog, s Store) (*Registry, error) {
	switch {
	case l == nil:
		return nil, errors.New("registry: limiter nil: make one with limiter.New")
	case s == nil:
		return nil, errors.New("registry: store nil: use new(registry.Memory), or registry.OpenFile")
	}
	r := &Registry{limiter: l, catalog: c, own: l.PolicyOf(""), store: s, accounts: make(map[string]Account)}
	var err error
	if r.trial, err = limiter.New(r.own, nil); err != nil {
		return nil, err
	}
	if err := r.checkCatalog(now); err != nil {
		return nil, err
	}
	kept, err := s.Load(ctx)
	if err != nil {
		return nil, err
	}
	policies := make([]policy.Policy, len(kept))
	var problems []error
	for i, a := range kept {
		p, err := r.policyOf(a)
		if err == nil {
			err = a.check()
		}
		if _, twice := r.accounts[a.Name]; twice {
			err = problem("account", a.Name, "kept twice; keep one")
		}
		if err == nil {
			err = r.try(now, p)
		}
		if err != nil {
			problems = append(problems, err)
		}
		policies[i], r.accounts[a.Name] = p, a.clone()
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	for i, a := range kept {
		if a.Policy == "" {
			continue
		}
		if err := l.SetPolicy(now, a.Name, policies[i]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// try puts some account of a limiter like the registry's under a policy.
func (r *Registry) try(now time.Time, p policy.Policy) error {
	return r.trial.SetPolicy(now, "account", p)
}

func (r *Registry) checkCatalog(now time.Time) error {
	known := make(map[string]bool)
	for i, o := range r.catalog.Offers {
		slug := o.Policy.Slug
		switch {
		case slug == "":
			return fmt.Errorf("registry: catalog: offers[%d]: slug %q: give the policy a slug", i, slug)
		case known[slug]:
			return fmt.Errorf("registry: catalog: offers[%d]: slug %q: given twice; rename one", i, slug)
		}
		known[slug] = true
		if err := r.try(now, o.Policy); err != nil {
			return fmt.Errorf("registry: catalog: offers[%d] %q: %w", i, slug, err)
		}
	}
	return nil
}

// policyOf is the policy that the account has chosen, whatever plan it has.
func (r *Registry) policyOf(a Account) (policy.Policy, error) {
	if a.Policy == "" {
		return r.own, nil
	}
	p, err := r.catalog.Choose(a.Policy, true)
	if err != nil {
		return p, fmt.Errorf("registry: account %q: %w, or put it back into the catalog", mask.Phone(a.Name), err)
	}
	return p, nil
}

// Catalog is what accounts can choose from.
func (r *Registry) Catalog() policy.Catalog { return r.catalog }

// Default is the policy of every account that has not chosen: the limiter's own.
func (r *Registry) Default() policy.Policy { return r.own }

// Account is what is known of an account. One that nobody ever changed is under the
// limiter's own policy and has no paid plan.
func (r *Registry) Account(name string) Account {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if a, known := r.accounts[name]; known {
		return a.clone()
	}
	return Account{Name: name}
}

// Accounts are all that are known, by name.
func (r *Registry) Accounts() []Account {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return byName(r.accounts)
}

// Policy is the policy that an account is under.
func (r *Registry) Policy(account string) policy.Policy {
	p, err := r.policyOf(r.Account(account))
	if err != nil {
		return r.own // not reached: only what the catalog has is kept
	}
	return p
}

// Choose puts an account under the policy with the slug or alias from now on, says
// who wanted it, and keeps that. What the account has spent stays spent. To choose
// what it has is no change.
//
// The error wraps [policy.ErrUnknownPolicy], or [policy.ErrPaidPlan] where the
// account has no paid plan and needs one, or [ErrChange] for an account, a time or a
// by that cannot be; or it is the store's. Nothing is changed then.
func (r *Registry) Choose(ctx context.Context, now time.Time, account, slug, by string) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	old := r.Account(account)
	p, err := r.catalog.Choose(slug, old.Paid)
	if err != nil {
		return err
	}
	if p.Slug == old.Policy {
		return nil
	}
	return r.change(ctx, now, old, old.changed(now, by, p.Slug, old.Paid), p)
}

// SetPaid says whether an account has a paid plan, and keeps that. An account whose
// plan has ended and whose policy is not free goes back to the limiter's own. Errors
// are those of [Registry.Choose].
func (r *Registry) SetPaid(ctx context.Context, now time.Time, account string, paid bool, by string) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	old := r.Account(account)
	if paid == old.Paid {
		return nil
	}
	slug := old.Policy
	p, err := r.catalog.Choose(slug, paid)
	if err != nil {
		slug, p = "", r.own
	}
	return r.change(ctx, now, old, old.changed(now, by, slug, paid), p)
}

// change keeps the account's new state and puts the limiter under it. It tries that
// on another limiter first, so that nothing is kept that cannot be. It requires
// r.changing.
func (r *Registry) change(ctx context.Context, now time.Time, old, a Account, p policy.Policy) error {
	if err := a.check(); err != nil {
		return err
	}
	if err := r.try(now, p); err != nil {
		return fmt.Errorf("%w: %w", ErrChange, err)
	}
	if err := r.store.Save(ctx, a.clone()); err != nil {
		return err
	}
	if a.Policy != old.Policy {
		if err := r.limiter.SetPolicy(now, a.Name, p); err != nil {
			return errors.Join(err, r.store.Save(context.WithoutCancel(ctx), old))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accounts[a.Name] = a
	return nil
}
