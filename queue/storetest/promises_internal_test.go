package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/queue"
)

// A faulty store is a memory with methods replaced. The nil ones are the memory's.
type faulty struct {
	queue.Store

	load     func(keep time.Duration) (*queue.Saved, error)
	add      func(r *queue.Record, since time.Time) (string, error)
	keyed    func(account, key string, since time.Time) (string, error)
	change   func(r *queue.Record, p *queue.Pace) error
	keep     func(p *queue.Pace) error
	get      func(id string) (queue.Record, error)
	list     func(f queue.Filter) ([]queue.Record, error)
	attempts func(account string, since time.Time) ([]queue.Attempt, error)
}

func (f *faulty) Load(ctx context.Context, keep time.Duration) (*queue.Saved, error) {
	if f.load != nil {
		return f.load(keep)
	}
	return f.Store.Load(ctx, keep)
}

func (f *faulty) Add(ctx context.Context, r *queue.Record, since time.Time) (string, error) {
	if f.add != nil {
		return f.add(r, since)
	}
	return f.Store.Add(ctx, r, since)
}

func (f *faulty) Keyed(ctx context.Context, account, key string, since time.Time) (string, error) {
	if f.keyed != nil {
		return f.keyed(account, key, since)
	}
	return f.Store.Keyed(ctx, account, key, since)
}

func (f *faulty) Change(ctx context.Context, r *queue.Record, p *queue.Pace) error {
	if f.change != nil {
		return f.change(r, p)
	}
	return f.Store.Change(ctx, r, p)
}

func (f *faulty) Keep(ctx context.Context, p *queue.Pace) error {
	if f.keep != nil {
		return f.keep(p)
	}
	return f.Store.Keep(ctx, p)
}

func (f *faulty) Get(ctx context.Context, id string) (queue.Record, error) {
	if f.get != nil {
		return f.get(id)
	}
	return f.Store.Get(ctx, id)
}

func (f *faulty) List(ctx context.Context, filter queue.Filter) ([]queue.Record, error) {
	if f.list != nil {
		return f.list(filter)
	}
	return f.Store.List(ctx, filter)
}

func (f *faulty) Attempts(ctx context.Context, account string, since time.Time) ([]queue.Attempt, error) {
	if f.attempts != nil {
		return f.attempts(account, since)
	}
	return f.Store.Attempts(ctx, account, since)
}

// A fault is a way for a store to be wrong, and the promises that it breaks.
type fault struct {
	name   string
	breaks []string
	put    func(ctx context.Context, f *faulty)
}

func faults() []fault {
	return []fault{
		{"keeps nothing", []string{"adds", "adds_at_once", "lists", "lists_whole", "shares_nothing", "keeps_a_copy"}, func(_ context.Context, f *faulty) {
			f.add = func(r *queue.Record, _ time.Time) (string, error) { return r.ID, nil }
		}},
		{"loses a field", []string{"adds", "changes", "changes_last", "keeps_a_copy"}, func(ctx context.Context, f *faulty) {
			f.get = func(id string) (queue.Record, error) {
				r, err := f.Store.Get(ctx, id)
				r.NotBefore = r.NotBefore.Truncate(time.Microsecond)
				return r, err
			}
		}},
		{"an ID may be taken again", []string{"adds_once"}, func(ctx context.Context, f *faulty) {
			f.add = func(r *queue.Record, since time.Time) (string, error) {
				id, err := f.Store.Add(ctx, r, since)
				if errors.Is(err, queue.ErrConflict) {
					return r.ID, nil
				}
				return id, err
			}
		}},
		{"any name is of some message", []string{"gets_unknown"}, func(ctx context.Context, f *faulty) {
			f.get = func(id string) (queue.Record, error) {
				r, err := f.Store.Get(ctx, id)
				if err != nil {
					return f.Store.Get(ctx, "m1")
				}
				return r, nil
			}
		}},
		{"returns what it keeps", []string{"shares_nothing"}, func(ctx context.Context, f *faulty) {
			var mu sync.Mutex
			kept := map[string]queue.Record{}
			f.get = func(id string) (queue.Record, error) {
				mu.Lock()
				defer mu.Unlock()
				r, err := f.Store.Get(ctx, id)
				if old, ok := kept[id]; ok && old.Version == r.Version {
					return old, nil
				}
				kept[id] = r
				return r, err
			}
		}},
		{"keeps what it is given", []string{"keeps_a_copy"}, func(ctx context.Context, f *faulty) {
			var mu sync.Mutex
			given := map[string]*queue.Record{}
			f.add = func(r *queue.Record, since time.Time) (string, error) {
				mu.Lock()
				defer mu.Unlock()
				id, err := f.Store.Add(ctx, r, since)
				if err == nil && id == r.ID {
					given[id] = r
				}
				return id, err
			}
			f.get = func(id string) (queue.Record, error) {
				mu.Lock()
				defer mu.Unlock()
				r, err := f.Store.Get(ctx, id)
				if kept := given[id]; kept != nil && kept.Version == r.Version {
					return copied(kept), nil
				}
				return r, err
			}
		}},
		{"knows no keys", []string{"keys_repeat", "keys_are_the_accounts", "keys_end", "keys_outlast", "keys_at_once"}, func(ctx context.Context, f *faulty) {
			f.add = func(r *queue.Record, since time.Time) (string, error) {
				r.Key = ""
				return f.Store.Add(ctx, r, since)
			}
		}},
		{"cannot look a key up", []string{"keys_repeat", "keys_are_the_accounts", "keys_end", "keys_outlast"}, func(_ context.Context, f *faulty) {
			f.keyed = func(string, string, time.Time) (string, error) { return "", nil }
		}},
		{"looks up keys that have ended", []string{"keys_end"}, func(ctx context.Context, f *faulty) {
			f.keyed = func(account, key string, _ time.Time) (string, error) {
				return f.Store.Keyed(ctx, account, key, time.Time{})
			}
		}},
		{"accounts share keys", []string{"keys_are_the_accounts"}, func(ctx context.Context, f *faulty) {
			var mu sync.Mutex
			used := map[string]string{}
			f.add = func(r *queue.Record, since time.Time) (string, error) {
				mu.Lock()
				defer mu.Unlock()
				if id, ok := used[r.Key]; ok && r.Key != "" {
					return id, nil
				}
				used[r.Key] = r.ID
				return f.Store.Add(ctx, r, since)
			}
		}},
		{"keys never end", []string{"keys_end"}, func(ctx context.Context, f *faulty) {
			f.add = func(r *queue.Record, _ time.Time) (string, error) { return f.Store.Add(ctx, r, time.Time{}) }
		}},
		{"versions do not matter", []string{"changes_in_turn", "changes_at_once"}, func(ctx context.Context, f *faulty) {
			f.change = func(r *queue.Record, p *queue.Pace) error {
				for {
					kept, err := f.Store.Get(ctx, r.ID)
					if err != nil {
						return err
					}
					changed := copied(r)
					changed.Version = kept.Version + 1
					if err := f.Store.Change(ctx, &changed, p); !errors.Is(err, queue.ErrConflict) {
						return err
					}
				}
			}
		}},
		{"a change makes what is missing", []string{"changes_unknown"}, func(ctx context.Context, f *faulty) {
			f.change = func(r *queue.Record, p *queue.Pace) error {
				err := f.Store.Change(ctx, r, p)
				if errors.Is(err, queue.ErrUnknownMessage) {
					_, err = f.Store.Add(ctx, r, time.Time{})
				}
				return err
			}
		}},
		{"a change keeps its pace first", []string{"changes_in_turn", "changes_unknown"}, func(ctx context.Context, f *faulty) {
			f.change = func(r *queue.Record, p *queue.Pace) error {
				if p != nil {
					if err := f.Store.Keep(ctx, p); err != nil {
						return err
					}
				}
				return f.Store.Change(ctx, r, nil)
			}
		}},
		{"a change forgets its pace", []string{"paces"}, func(ctx context.Context, f *faulty) {
			f.change = func(r *queue.Record, _ *queue.Pace) error { return f.Store.Change(ctx, r, nil) }
		}},
		{"a final message stays so", []string{"changes_back"}, func(ctx context.Context, f *faulty) {
			f.change = func(r *queue.Record, p *queue.Pace) error {
				if kept, err := f.Store.Get(ctx, r.ID); err == nil && kept.Status.Final() {
					return queue.ErrConflict
				}
				return f.Store.Change(ctx, r, p)
			}
		}},
		{"a change keeps the text", []string{"changes"}, func(ctx context.Context, f *faulty) {
			f.change = func(r *queue.Record, p *queue.Pace) error {
				if kept, err := f.Store.Get(ctx, r.ID); err == nil {
					r.Text = kept.Text
				}
				return f.Store.Change(ctx, r, p)
			}
		}},
		{"an attempt in flight is none", []string{"attempts", "attempts_since"}, func(ctx context.Context, f *faulty) {
			f.attempts = func(account string, since time.Time) ([]queue.Attempt, error) {
				all, err := f.Store.Attempts(ctx, account, since)
				return slices.DeleteFunc(all, func(a queue.Attempt) bool { return a.Done.IsZero() }), err
			}
		}},
		{"attempts are as old as they like", []string{"attempts_since"}, func(ctx context.Context, f *faulty) {
			f.attempts = func(account string, _ time.Time) ([]queue.Attempt, error) {
				return f.Store.Attempts(ctx, account, time.Time{})
			}
		}},
		{"attempts are everybody's", []string{"attempts_by_account"}, func(ctx context.Context, f *faulty) {
			f.attempts = func(_ string, since time.Time) (all []queue.Attempt, err error) {
				for _, account := range []string{alice, bob, carol} {
					some, err := f.Store.Attempts(ctx, account, since)
					if err != nil {
						return nil, err
					}
					all = append(all, some...)
				}
				return all, nil
			}
		}},
		{"few attempts are kept", []string{"attempts_last"}, func(ctx context.Context, f *faulty) {
			f.attempts = func(account string, since time.Time) ([]queue.Attempt, error) {
				all, err := f.Store.Attempts(ctx, account, since)
				return all[max(0, len(all)-100):], err
			}
		}},
		{"the pace of a portfolio is none", []string{"paces_shared"}, func(ctx context.Context, f *faulty) {
			f.keep = func(p *queue.Pace) error {
				if p.Snapshot == nil {
					return nil
				}
				return f.Store.Keep(ctx, p)
			}
		}},
		{"one pace is everybody's", []string{"paces_for_all"}, func(ctx context.Context, f *faulty) {
			f.keep = func(p *queue.Pace) error {
				p.Account = alice
				return f.Store.Keep(ctx, p)
			}
		}},
		{"lists the oldest first", []string{"lists", "lists_pages"}, func(ctx context.Context, f *faulty) {
			f.list = func(filter queue.Filter) ([]queue.Record, error) {
				page, err := f.Store.List(ctx, filter)
				slices.Reverse(page)
				return page, err
			}
		}},
		{"filters after it has counted", []string{"lists"}, func(ctx context.Context, f *faulty) {
			f.list = func(filter queue.Filter) ([]queue.Record, error) {
				page, err := f.Store.List(ctx, queue.Filter{Before: filter.Before, Limit: filter.Limit})
				return slices.DeleteFunc(page, func(r queue.Record) bool { return !filter.Matches(&r) }), err
			}
		}},
		{"pages by number", []string{"lists_pages"}, func(ctx context.Context, f *faulty) {
			var mu sync.Mutex
			skipped := 0
			f.list = func(filter queue.Filter) ([]queue.Record, error) {
				mu.Lock()
				defer mu.Unlock()
				limit := filter.Limit
				if filter.Before == 0 {
					skipped = 0
				}
				filter.Before, filter.Limit = 0, queue.MaxPage
				page, err := f.Store.List(ctx, filter)
				page = page[min(skipped, len(page)):]
				page = page[:min(limit, len(page))]
				skipped += len(page)
				return page, err
			}
		}},
		{"lists in short", []string{"lists_whole"}, func(ctx context.Context, f *faulty) {
			f.list = func(filter queue.Filter) ([]queue.Record, error) {
				page, err := f.Store.List(ctx, filter)
				for i := range page {
					page[i].Receipt = queue.Receipt{}
				}
				return page, err
			}
		}},
		{"takes up what has gone on", []string{"loads", "loads_last"}, func(ctx context.Context, f *faulty) {
			f.load = func(keep time.Duration) (*queue.Saved, error) {
				saved, err := f.Store.Load(ctx, keep)
				if err != nil {
					return nil, err
				}
				all, err := f.Store.List(ctx, queue.Filter{Limit: queue.MaxPage})
				saved.Waiting = nil
				for i := range all {
					saved.Waiting = append(saved.Waiting, &all[len(all)-1-i])
				}
				return saved, err
			}
		}},
		{"takes nothing up for something", []string{"loads_nothing", "loads_last"}, func(ctx context.Context, f *faulty) {
			f.load = func(keep time.Duration) (*queue.Saved, error) {
				saved, err := f.Store.Load(ctx, keep)
				if err == nil {
					saved.Last = 1
				}
				return saved, err
			}
		}},
		{"loses all in a restart", []string{"keys_outlast", "changes_last", "attempts_last", "paces", "paces_shared", "loads", "loads_last"}, nil},
	}
}

// TestRun_FindsFaults breaks a store in one way after another. Each promise is
// broken by one of them at least.
func TestRun_FindsFaults(t *testing.T) {
	t.Parallel()
	unbroken := map[string]bool{}
	for _, p := range promises() {
		unbroken[p.name] = true
		require.NoError(t, p.check(t.Context(), &store{
			Store:  queue.NewMemory(100),
			reopen: func(s queue.Store) queue.Store { return s },
		}), "%s, of a store without a fault", p.name)
	}
	for _, fault := range faults() {
		found := 0
		for _, p := range promises() {
			s := &faulty{Store: queue.NewMemory(100)}
			reopen := func(s queue.Store) queue.Store { return s }
			if fault.put == nil {
				reopen = func(queue.Store) queue.Store { return queue.NewMemory(100) }
			} else {
				fault.put(t.Context(), s)
			}
			err := p.check(t.Context(), &store{Store: s, reopen: reopen})
			if slices.Contains(fault.breaks, p.name) {
				require.Error(t, err, "%s: %s", fault.name, p.name)
				delete(unbroken, p.name)
				found++
			}
		}
		require.Len(t, fault.breaks, found, "%s: it breaks promises that there are not", fault.name)
	}
	require.Empty(t, slices.Sorted(maps.Keys(unbroken)), "no fault breaks them")
}
