package queue

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// A memory is the store that lives in the process. It keeps every message that
// is not done with, and the last few that are.
type memory struct {
	mu      sync.Mutex
	records table[*kept] // by their ID
	seed    maphash.Seed // of the IDs' hashes
	done    []*kept      // those done with: a ring once it is full
	oldest  int
	history int
	spare   *fate // of a message that is forgotten, for the next one

	order  []*kept // all records, and some that are forgotten, by their order
	last   uint64
	keys   map[key]string // the ID of the message that came first
	used   []usedKey      // the oldest first
	paces  map[string]Pace
	outlog *outlog // nil where no queue will take the store up
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
		seed: maphash.MakeSeed(), history: history,
		keys: make(map[key]string), paces: make(map[string]Pace),
	}
}

func (s *memory) Load(_ context.Context, keep time.Duration) (*Saved, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	saved := &Saved{Last: s.last}
	for _, k := range s.order {
		if !k.gone && !k.status().Final() {
			r := k.copy()
			saved.Waiting = append(saved.Waiting, &r)
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
	hash := s.hash(r.ID)
	if s.find(r.ID, hash) != nil {
		return "", fmt.Errorf("%w: id %.64q is taken", ErrConflict, r.ID)
	}
	if r.Key != "" {
		s.keys[mine] = r.ID
		s.used = append(s.used, usedKey{mine, r.ID, r.Enqueued})
	}
	k := &kept{hash: hash}
	k.set(r, &s.spare)
	s.records.add(k)
	s.last = max(s.last, r.Order)
	s.order = slices.Insert(s.order, s.place(r.Order+1), k)
	return r.ID, nil
}

func (s *memory) Keyed(_ context.Context, account, k string, since time.Time) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, used := s.keys[key{account, k}]
	if !used {
		return "", nil
	}
	if first := s.find(id, s.hash(id)); first != nil {
		if !first.enqueued.After(since) {
			return "", nil
		}
		return id, nil
	}
	if slices.ContainsFunc(s.used, func(u usedKey) bool { return u.id == id && u.at.After(since) }) {
		return id, nil
	}
	return "", nil
}

func (s *memory) hash(id string) uint32 { return uint32(maphash.String(s.seed, id)) }

// find is the message with an ID, which has a hash, or nil. It requires s.mu.
func (s *memory) find(id string, hash uint32) *kept {
	for k := s.records.head(hash); k != nil; k = k.next {
		if k.hash == hash && k.id == id {
			return k
		}
	}
	return nil
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

// place is that of the first message with an order or a higher one. It requires s.mu.
func (s *memory) place(order uint64) int {
	if n := len(s.order); n == 0 || s.order[n-1].order < order {
		return n
	}
	at, _ := slices.BinarySearchFunc(s.order, order, func(k *kept, order uint64) int { return cmp.Compare(k.order, order) })
	return at
}

func (s *memory) Change(_ context.Context, r *Record, p *Pace) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(r.ID, s.hash(r.ID))
	if k == nil {
		return fmt.Errorf("%w: id %.64q", ErrUnknownMessage, r.ID)
	}
	from := k.status()
	if k.version() != r.Version-1 {
		return fmt.Errorf("%w: message %.64q is %s, version %d", ErrConflict, r.ID, from, k.version())
	}
	k.set(r, &s.spare)
	if s.outlog != nil {
		s.outlog.change(from, r)
	}
	if p != nil {
		s.keepPace(p)
	}
	if r.Status.Final() && !from.Final() {
		s.finish(k)
	}
	return nil
}

// finish adds a message to those done with and forgets the one that was so longest. It
// requires s.mu.
func (s *memory) finish(k *kept) {
	if len(s.done) < s.history {
		s.done = append(s.done, k)
		return
	}
	if s.history > 0 {
		k, s.done[s.oldest] = s.done[s.oldest], k
		s.oldest = (s.oldest + 1) % s.history
	}
	if !k.gone && k.status().Final() { // and not waiting again
		s.forget(k)
	}
}

// forget drops a message. Its place among the others goes when it is the first, or
// when many are gone. It requires s.mu.
func (s *memory) forget(k *kept) {
	s.records.remove(k)
	s.spare = k.fate
	*k = kept{order: k.order, gone: true}
	n := 0
	for n < len(s.order) && s.order[n].gone {
		s.order[n] = nil
		n++
	}
	s.order = s.order[n:]
	if len(s.order) > 2*s.records.n+64 {
		s.order = slices.DeleteFunc(s.order, func(k *kept) bool { return k.gone })
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
	if p.Snapshot == nil && p.Shared == nil {
		delete(s.paces, p.Account)
		return
	}
	s.paces[p.Account] = *p
}

func (s *memory) Get(_ context.Context, id string) (Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.find(id, s.hash(id)); k != nil {
		return k.copy(), nil
	}
	return Record{}, fmt.Errorf("%w: id %s", ErrUnknownMessage, quoted(id))
}

func (s *memory) List(ctx context.Context, f Filter) (page []Record, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := len(s.order)
	if f.Before != 0 {
		i = s.place(f.Before)
	}
	for i--; i >= 0 && len(page) < f.Limit; i-- {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if k := s.order[i]; !k.gone && (f.Account == "" || f.Account == k.account) {
			if r := k.record(); f.Matches(&r) {
				r.Message = r.clone()
				page = append(page, r)
			}
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
