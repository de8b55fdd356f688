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
//
// Those who send many messages at once meet at few of its locks, and briefly: the
// messages are in parts, by the hash of their ID. A part's lock is taken before the
// memory's own, and all parts' in their order.
type memory struct {
	parts [memoryParts]part
	seed  maphash.Seed // of the IDs' hashes
	fates sync.Pool    // of messages that are forgotten

	mu     sync.Mutex // of all that follows
	past   past
	keys   usedKeys
	paces  map[string]Pace
	outlog *outlog // nil where no queue will take the store up
}

// A part is the messages whose IDs' hashes begin alike.
type part struct {
	mu      sync.Mutex
	records table[*kept]
	_       [24]byte // fills a cache line
}

const (
	partBits    = 6
	memoryParts = 1 << partBits
)

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
		seed: maphash.MakeSeed(), past: past{history: history},
		keys: usedKeys{first: make(map[key]*usedKey)}, paces: make(map[string]Pace),
	}
}

func (s *memory) hash(id string) uint32 { return uint32(maphash.String(s.seed, id)) }

// part is that of an ID's hash.
func (s *memory) part(hash uint32) *part { return &s.parts[hash>>(32-partBits)] }

// find is the message with an ID, which has a hash, or nil. It requires p.mu.
func (p *part) find(id string, hash uint32) *kept {
	for k := p.records.head(hash); k != nil; k = k.next {
		if k.hash == hash && k.id == id {
			return k
		}
	}
	return nil
}

// lock takes every lock, for what looks at all messages.
func (s *memory) lock() {
	for i := range s.parts {
		s.parts[i].mu.Lock()
	}
	s.mu.Lock()
}

func (s *memory) unlock() {
	s.mu.Unlock()
	for i := range s.parts {
		s.parts[i].mu.Unlock()
	}
}

func (s *memory) Load(_ context.Context, keep time.Duration) (*Saved, error) {
	s.lock()
	defer s.unlock()
	saved := &Saved{Last: s.past.last}
	for _, k := range s.past.order {
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
	k := &kept{hash: s.hash(r.ID), order: r.Order}
	k.set(r, &s.fates)
	p := s.part(k.hash)
	p.mu.Lock()
	defer p.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Key != "" {
		s.keys.forget(since)
		if first := s.keys.id(key{r.Account, r.Key}, since); first != "" {
			return first, nil
		}
	}
	if p.find(r.ID, k.hash) != nil {
		return "", fmt.Errorf("%w: id %.64q is taken", ErrConflict, r.ID)
	}
	if r.Key != "" {
		s.keys.use(key{r.Account, r.Key}, r.ID, r.Enqueued)
	}
	p.records.add(k)
	s.past.add(k)
	return r.ID, nil
}

func (s *memory) Keyed(_ context.Context, account, k string, since time.Time) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys.id(key{account, k}, since), nil
}

func (s *memory) Change(_ context.Context, r *Record, p *Pace) error {
	oldest, err := s.change(r, p)
	if oldest != nil {
		s.drop(oldest)
	}
	return err
}

// change is Change. It returns the message that is to be forgotten then, or nil.
func (s *memory) change(r *Record, p *Pace) (oldest *kept, err error) {
	hash := s.hash(r.ID)
	in := s.part(hash)
	in.mu.Lock()
	defer in.mu.Unlock()
	k := in.find(r.ID, hash)
	if k == nil {
		return nil, fmt.Errorf("%w: id %.64q", ErrUnknownMessage, r.ID)
	}
	from := k.status()
	if k.version() != r.Version-1 {
		return nil, fmt.Errorf("%w: message %.64q is %s, version %d", ErrConflict, r.ID, from, k.version())
	}
	k.set(r, &s.fates)
	ends := r.Status.Final() && !from.Final()
	if !ends && p == nil && s.outlog == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outlog != nil {
		s.outlog.change(from, r)
	}
	if p != nil {
		s.keepPace(p)
	}
	if ends {
		oldest = s.past.finish(k)
	}
	if oldest == k {
		s.forget(k, in)
		return nil, nil
	}
	return oldest, nil
}

// drop forgets a message, unless it waits again.
func (s *memory) drop(k *kept) {
	in := s.part(k.hash)
	in.mu.Lock()
	defer in.mu.Unlock()
	if k.status().Final() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.forget(k, in)
	}
}

// forget drops a message, unless it was done with again. It requires the lock of its part,
// and s.mu.
func (s *memory) forget(k *kept, in *part) {
	if k.ends > 0 {
		return
	}
	in.records.remove(k)
	s.fates.Put(k.fate)
	k.wipe()
	s.past.trim()
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

// begin is Get and Change in one step, for the worker of an item whose message is about to
// be sent: it records that as sending, and makes r its record, which shares with the store
// what that refers to. It is for a store that no other queue takes up.
func (s *memory) begin(it *item, now time.Time, r *Record) error {
	hash := s.hash(it.id)
	in := s.part(hash)
	in.mu.Lock()
	defer in.mu.Unlock()
	k := in.find(it.id, hash)
	if k == nil {
		return fmt.Errorf("%w: id %s", ErrUnknownMessage, quoted(it.id))
	}
	if err := it.unsent(k.status(), k.version()); err != nil {
		return err
	}
	*r = k.record()
	r.redirect(message{it.id, it.to, it.all().askedTo})
	r.begin(now, it.way.typing)
	k.set(r, &s.fates)
	return nil
}

func (s *memory) Get(_ context.Context, id string) (Record, error) {
	hash := s.hash(id)
	in := s.part(hash)
	in.mu.Lock()
	defer in.mu.Unlock()
	if k := in.find(id, hash); k != nil {
		return k.copy(), nil
	}
	return Record{}, fmt.Errorf("%w: id %s", ErrUnknownMessage, quoted(id))
}

func (s *memory) List(ctx context.Context, f Filter) (page []Record, err error) {
	s.lock()
	defer s.unlock()
	i := len(s.past.order)
	if f.Before != 0 {
		i = s.past.place(f.Before)
	}
	for i--; i >= 0 && len(page) < f.Limit; i-- {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if k := s.past.order[i]; !k.gone && (f.Account == "" || f.Account == k.account) {
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
