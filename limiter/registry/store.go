package registry

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A Store keeps what a registry must not forget. A registry calls one method at a
// time. What is handed in and out is not changed by either side afterwards.
type Store interface {
	// Load is every account that was kept, in any order.
	Load(ctx context.Context) ([]Account, error)

	// Save keeps the account in the place of the one with its name, in one step:
	// a crash leaves the old one or the new one. After an error the old one
	// stands, unless the store cannot know which one does and says so.
	Save(ctx context.Context, a Account) error
}

// Memory is a store that lasts as long as the process. The zero Memory is empty. All
// may use it at once.
type Memory struct {
	mu       sync.Mutex
	accounts map[string]Account
}

// Load is every account, by name.
func (m *Memory) Load(ctx context.Context) ([]Account, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return byName(m.accounts), nil
}

// Save keeps an account.
func (m *Memory) Save(ctx context.Context, a Account) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.accounts == nil {
		m.accounts = make(map[string]Account)
	}
	m.accounts[a.Name] = a.clone()
	return nil
}

// byName is a copy of the accounts in the order of their names.
func byName(accounts map[string]Account) []Account {
	all := slices.Collect(maps.Values(accounts))
	for i := range all {
		all[i] = all[i].clone()
	}
	slices.SortFunc(all, func(a, b Account) int { return strings.Compare(a.Name, b.Name) })
	return all
}
