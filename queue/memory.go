package queue

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A memory is the store that lives in the process. It keeps every message that
// is not done with, and the last few that are.
type memory struct {
	mu      sync.Mutex
	records map[string]*Record
	done    []string // the IDs done with: a ring once it is full
	oldest  int
	history int

	order  []place // of all records, and some that are forgotten, by their order
	last   uint64
	keys   map[key]string // the ID of the message that came first
	used   []usedKey      // the oldest first
	paces  map[string]Pace
	outlog *outlog // nil where no queue will take the store up
}

// A place says which message has an order.
type place struct {
	order uint64
	id    string
}

// A key is a message's among those of all accounts.
type key struct{ account, key string }

type usedKey struct {
	key
	id string
	at time.Time
}

// NewMemory returns a store that lives in the process, for a queue that takes over
// from another one: give both the same. It keeps every message that is not done
// with, and the last history that are; a negative history is none. A queue that is
// given no store has one of its own.
func NewMemory(history int) Store {
	s := newMemory(max(history, 0))
	s.outlog = &outlog{accounts: make(map[string][]Attempt)}
	return s
}

func newMemory(history int) *memory {
	return &memory{
		records: make(map[string]*Record), history: history,
		keys: make(map[key]string), paces: make(map[string]Pace),
	}
}

func (s *memory) Load(_ context.Context, keep time.Duration) (*Saved, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	saved := &Saved{Last: s.last}
	for _, at := range s.order {
		if r := s.records[at.id]; r != nil && !r.Status.Final() {
			again := *r
			again.Message = again.clone()
			saved.Waiting = append(saved.Waiting, &again)
		}
	}
	for _, p := range s.paces {
		saved.Paces = append(saved.Paces, p)
	}
	slices.SortFunc(saved.Paces, func(a, b Pace) int { return cmp.Compare(a.Account, b.Account) })
	if s.outlog != nil {
		s.outlog.keep = keep
	}
	return saved, nil
}

func (s *memory) Add(_ context.Context, r *Record, since time.Time) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := key{r.Account, r.Key}
	if r.Key != "" {
		s.forgetKeys(since)
		if first, used := s.keys[mine]; used {
			return first, nil
		}
	}
	if _, taken := s.records[r.ID]; taken {
		return "", fmt.Errorf("%w: id %.64q is taken", ErrConflict, r.ID)
	}
	if r.Key != "" {
		s.keys[mine] = r.ID
		s.used = append(s.used, usedKey{mine, r.ID, r.Enqueued})
	}
	s.records[r.ID] = r
	s.last = max(s.last, r.Order)
	at := s.find(r.Order + 1)
	s.order = slices.Insert(s.order, at, place{r.Order, r.ID})
	return r.ID, nil
}

// forgetKeys drops the keys that were used at since or before. It requires s.mu.
func (s *memory) forgetKeys(since time.Time) {
	n := 0
	for n < len(s.used) && !s.used[n].at.After(since) {
		if old := s.used[n]; s.keys[old.key] == old.id {
			delete(s.keys, old.key)
		}
		n++
	}
	if n > 0 {
		clear(s.used[:n])
		s.used = s.used[n:]
	}
}

// find is the place of the first message with an order or a higher one. It requires
// s.mu.
func (s *memory) find(order uint64) int {
	if n := len(s.order); n == 0 || s.order[n-1].order < order {
		return n
	}
	at, _ := slices.BinarySearchFunc(s.order, order, func(p place, order uint64) int { return cmp.Compare(p.order, order) })
	return at
}

func (s *memory) Change(_ context.Context, r *Record, p *Pace) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.records[r.ID]
	if !ok {
		return fmt.Errorf("%w: id %.64q", ErrUnknownMessage, r.ID)
	}
	if kept.Version != r.Version-1 {
		return fmt.Errorf("%w: message %.64q is %s, version %d", ErrConflict, r.ID, kept.Status, kept.Version)
	}
	s.records[r.ID] = r
	if s.outlog != nil {
		s.outlog.change(kept.Status, r)
	}
	if p != nil {
		s.keepPace(p)
	}
	if r.Status.Final() && !kept.Status.Final() {
		s.forget(r.ID)
	}
	return nil
}

// forget adds id to those done with and drops the one that was so longest. It
// requires s.mu.
func (s *memory) forget(id string) {
	if len(s.done) < s.history {
		s.done = append(s.done, id)
		return
	}
	if s.history > 0 {
		id, s.done[s.oldest] = s.done[s.oldest], id
		s.oldest = (s.oldest + 1) % s.history
	}
	if r := s.records[id]; r != nil && r.Status.Final() { // and not waiting again
		delete(s.records, id)
	}
	if len(s.order) > 2*len(s.records)+64 {
		s.order = slices.DeleteFunc(s.order, func(p place) bool { return s.records[p.id] == nil })
	}
}

func (s *memory) Keep(_ context.Context, p *Pace) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepPace(p)
	return nil
}

func (s *memory) keepPace(p *Pace) {
	if s.paces[p.Account].Version > p.Version {
		return
	}
	if p.Snapshot == nil {
		delete(s.paces, p.Account)
		return
	}
	s.paces[p.Account] = *p
}

func (s *memory) Get(_ context.Context, id string) (Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.records[id]; ok {
		return r.copy(), nil
	}
	return Record{}, fmt.Errorf("%w: id %.64q", ErrUnknownMessage, id)
}

func (s *memory) List(ctx context.Context, f Filter) (page []Record, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := len(s.order)
	if f.Before != 0 {
		i = s.find(f.Before)
	}
	for i--; i >= 0 && len(page) < f.Limit; i-- {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if r := s.records[s.order[i].id]; r != nil && f.Matches(r) {
			page = append(page, r.copy())
		}
	}
	return page, nil
}

func (s *memory) Attempts(_ context.Context, account string, since time.Time) ([]Attempt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outlog == nil {
		return nil, nil
	}
	return s.outlog.after(account, since), nil
}

// copy shares nothing with the record.
func (r *Record) copy() Record {
	c := *r
	c.Message = c.clone()
	return c
}

// An outlog is the attempts of each account, in the order in which they began.
type outlog struct {
	accounts map[string][]Attempt
	keep     time.Duration
}

// change records what a change of a message's record means for its attempts.
func (o *outlog) change(from Status, r *Record) {
	attempts := o.accounts[r.Account]
	switch {
	case r.Status == Sending:
		attempts = o.prune(attempts, r.At)
		attempts = append(attempts, Attempt{ID: r.ID, Account: r.Account, To: r.To, Campaign: r.Campaign, At: r.At, Status: Sending})
	case from == Sending:
		for i := len(attempts) - 1; i >= 0; i-- {
			if a := &attempts[i]; a.ID == r.ID {
				a.Done, a.Status, a.To = r.Done, r.Status, r.To
				break
			}
		}
	}
	o.accounts[r.Account] = attempts
}

// prune drops attempts that ended too long before now. It looks at the oldest few.
func (o *outlog) prune(attempts []Attempt, now time.Time) []Attempt {
	n := 0
	for n < len(attempts) && n < 8 && !attempts[n].Done.IsZero() && now.Sub(attempts[n].Done) > o.keep {
		n++
	}
	clear(attempts[:n])
	return attempts[n:]
}

// after is the attempts that ended after since, or have not ended.
func (o *outlog) after(account string, since time.Time) (found []Attempt) {
	for _, a := range o.accounts[account] {
		if a.Done.IsZero() || a.Done.After(since) {
			found = append(found, a)
		}
	}
	return found
}
